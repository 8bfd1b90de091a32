"""What X-Ray and CloudWatch share: the account's keys and the region."""

import os
from collections.abc import Iterable, Mapping

from bootstrap.model.environment import FromSecret, Text, Variable
from bootstrap.model.grant import Purpose
from bootstrap.model.project import Project, SecretSpec
from bootstrap.model.remark import Remark
from bootstrap.model.tokens import TokenShape
from bootstrap.vendors.interface import Values

_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"

AWS_SECRETS = (
    SecretSpec(
        name="AWS_ACCESS_KEY_ID",
        description="The id of an AWS access key",
        documentation=_KEYS,
        pattern=r"^(AKIA|ASIA)[A-Z2-7]{16}$(?!\n)",
    ),
    SecretSpec(
        name="AWS_SECRET_ACCESS_KEY",
        description="The secret half of the AWS access key",
        documentation=_KEYS,
        pattern=r"^[A-Za-z0-9/+]{40}$(?!\n)",
    ),
    SecretSpec(
        name="AWS_SESSION_TOKEN",
        description="Only with temporary keys (their id starts with ASIA)",
        documentation="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html",
        pattern=r"^[A-Za-z0-9/+=]{100,}$(?!\n)",
    ),
)

#: the parts of a key: its id, its secret, and a temporary one's token
KEY_PARTS = tuple(spec.name for spec in AWS_SECRETS)

#: what SDKs take for keys, or find them by, beside those of `AWS_SECRETS`. A profile that is not there is an
#: error even where keys are given, and the oldest name of a session token counts before AWS_SESSION_TOKEN.
AMBIENT = frozenset(
    {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DEFAULT_PROFILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECURITY_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    }
)

#: where an SDK finds none of the keys that lie around: it is told of files without any, and of no machine's
KEYLESS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

AWS_TOKENS = (
    TokenShape("the id of an AWS access key", r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}"),
    # Forty hexadecimal digits are a commit of git.
    TokenShape(
        "an AWS secret access key", r"(?![0-9a-f]{40})[A-Za-z0-9/+]{40}", ("aws", "secret_access_key")
    ),
    TokenShape("an AWS session token", r"[A-Za-z0-9/+=]{100,}", ("session_token", "security_token")),
)


def inspect(_project: Project, values: Values) -> Iterable[Remark]:
    """Say what kind of key it is, and whether its parts belong together."""
    from bootstrap.vendors.keys import aws  # noqa: PLC0415 - no other command needs it

    return aws.inspect(values)


def ask(project: Project, values: Values, environ: Mapping[str, str]) -> Iterable[Remark]:
    """Ask AWS whose key it is."""
    from bootstrap.vendors.keys import aws  # noqa: PLC0415 - no other command needs it

    return aws.ask(project.region, values, environ)


def credentials(origin: str, purpose: Purpose) -> tuple[Variable, ...]:
    """The keys as variables of the process that calls AWS itself, and for what."""
    return tuple(Variable(spec.name, FromSecret(spec.name, purpose=purpose), origin) for spec in AWS_SECRETS)


def stand_ins() -> tuple[Variable, ...]:
    """Keys for the collector, which an SDK asks for before it sends anything; nobody's own leave for it."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return tuple(Variable(name, Text("local"), "the local collector") for name in names)


def region(project: Project, *names: str) -> tuple[Variable, ...]:
    """The region under each of `names`: SDKs and the X-Ray daemon do not read the same one."""
    return tuple(Variable(name, Text(project.region), "project.region") for name in names)


def partition(region: str) -> str:
    """Name the part of AWS that a region belongs to, as ARNs begin with it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html; IAM takes no pattern there.
    """
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
