"""What the manifest may say and AWS would refuse, so that nothing is half made before it does."""

from bootstrap.config.errors import ManifestError
from bootstrap.model.project import Project
from bootstrap.vendors.aws import partition

#: X-Ray's own group and sampling rule, which nobody else's may be called like (CreateGroup: "Default is a
#: reserved name"). Compared without case, which X-Ray makes a difference of and people do not.
_RESERVED = "default"
#: what an integer of AWS's APIs holds
_LARGEST = 2**31 - 1
_LONGEST_NAME = 64


def check_xray(project: Project, group: str) -> None:
    """Refuse names that X-Ray keeps for itself, and a reservoir that no request of its API can say."""
    if group.lower() == _RESERVED:
        key = "telemetry.xray.group" if project.telemetry["xray"].group else "project.name"
        hint = 'Call the group otherwise: group = "..." in [telemetry.xray].'
        raise ManifestError(key, f"{group!r} is the name of X-Ray's own group", hint)
    for service in project.reporting_to("xray"):
        if service.otel_service_name.lower() == _RESERVED:
            raise ManifestError(
                f"services.{service.name}.otel_service_name",
                f"{service.otel_service_name!r} is the name of X-Ray's own sampling rule",
                "Give the service another name.",
            )
    if project.telemetry["xray"].sampling.reservoir > _LARGEST:
        raise ManifestError(
            "telemetry.xray.sampling.reservoir", f"X-Ray takes {_LARGEST} at most", "Take a smaller number."
        )
    check_principal(project)


def check_cloudwatch(project: Project, log_group: str) -> None:
    """Refuse a log group that only AWS itself can make, and one whose tags cannot be asked for.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html, and
    API_ListTagsForResource.html there: no ARN with a # in it is taken, though a name is.
    """
    if log_group.startswith("aws/"):
        raise ManifestError(
            "telemetry.cloudwatch.log_group",
            f"{log_group!r} starts with aws/, which CloudWatch keeps for AWS",
            "Give it another name.",
        )
    if "#" in log_group:
        raise ManifestError(
            "telemetry.cloudwatch.log_group",
            f"{log_group!r} has a # in it, and CloudWatch takes no tag for such a log group",
            "Give it another name, or make it yourself and leave it out: bootstrap provision plan xray",
        )
    check_principal(project)


def check_principal(project: Project) -> None:
    """Refuse a principal of another part of AWS, and one whose name is none."""
    principal = project.provision.principal
    if principal is None:
        return
    part, name = principal.split(":")[1], principal.rpartition("/")[2]
    if part != partition(project.region):
        raise ManifestError(
            "provision.principal",
            f"{principal} is not in the part of AWS that {project.region} belongs to",
            f"There, an ARN starts with arn:{partition(project.region)}:",
        )
    if not 1 <= len(name) <= _LONGEST_NAME or "//" in principal:
        raise ManifestError(
            "provision.principal",
            f"{name!r} can be no name in IAM, which has 1 to {_LONGEST_NAME} characters",
            "Copy the ARN from: aws iam get-user, or aws iam get-role --role-name NAME",
        )
