"""What X-Ray and CloudWatch share: the account's keys and the region."""

from bootstrap.model.environment import FromSecret, Text, Variable
from bootstrap.model.project import Project, SecretSpec

_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"

AWS_SECRETS = (
    SecretSpec(
        name="AWS_ACCESS_KEY_ID",
        description="The id of an AWS access key",
        documentation=_KEYS,
        pattern=r"^(AKIA|ASIA)[A-Z2-7]{16}$",
    ),
    SecretSpec(
        name="AWS_SECRET_ACCESS_KEY",
        description="The secret half of the AWS access key",
        documentation=_KEYS,
        pattern=r"^[A-Za-z0-9/+]{40}$",
    ),
    SecretSpec(
        name="AWS_SESSION_TOKEN",
        description="Only with temporary keys (their id starts with ASIA)",
        documentation="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html",
    ),
)


def credentials(origin: str) -> tuple[Variable, ...]:
    """The keys as variables of the process that calls AWS itself."""
    return tuple(Variable(spec.name, FromSecret(spec.name), origin) for spec in AWS_SECRETS)


def region(project: Project, *names: str) -> tuple[Variable, ...]:
    """The region under each of `names`: SDKs and the X-Ray daemon do not read the same one."""
    return tuple(Variable(name, Text(project.region), "project.region") for name in names)
