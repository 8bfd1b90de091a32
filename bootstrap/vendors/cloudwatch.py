"""AWS CloudWatch Logs: structured log lines in one log group."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from bootstrap.model.environment import CollectorAddress, Text, Variable, View, WhenSecret
from bootstrap.model.grant import Grant
from bootstrap.model.project import Project, Service
from bootstrap.model.remark import Remark
from bootstrap.model.signs import Signs
from bootstrap.provisioning.interface import Resource
from bootstrap.vendors.aws import (
    AMBIENT,
    AWS_SECRETS,
    AWS_TOKENS,
    ask,
    credentials,
    inspect,
    partition,
    region,
    stand_ins,
)
from bootstrap.vendors.interface import Values, Vendor
from bootstrap.verification.interface import Asking, Look, Reading

_ORIGIN = "telemetry.cloudwatch.log_group"
#: the only values that PutRetentionPolicy takes
_RETENTION = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


class CloudWatchOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry.cloudwatch]`."""

    log_group: (
        Annotated[
            str,
            Meta(
                description="The log group; the default is the project's name in lower case.",
                pattern=r"^[.\-_/#A-Za-z0-9]{1,512}$(?!\n)",
            ),
        ]
        | None
    ) = None
    retention_days: Annotated[_RETENTION, Meta(description="How long CloudWatch keeps the lines.")] = 7


def log_group(project: Project) -> str:
    """The name of the project's log group."""
    return project.telemetry["cloudwatch"].log_group or project.name.lower().replace(" ", "-")


def _project_document(project: Project) -> Mapping[str, Any]:
    """The arguments of CreateLogGroup and PutRetentionPolicy."""
    name = log_group(project)
    days = project.telemetry["cloudwatch"].retention_days
    return {
        "log_group": {"logGroupName": name},
        "retention": {"logGroupName": name, "retentionInDays": days},
    }


def _cloud(project: Project, _service: Service, _view: View) -> tuple[Variable, ...]:
    return (
        Variable(
            "CLOUDWATCH_LOG_GROUP", WhenSecret("AWS_ACCESS_KEY_ID", log_group(project), "logs"), _ORIGIN
        ),
        *region(project, "AWS_REGION", "AWS_DEFAULT_REGION"),
        *credentials("vendor cloudwatch", "logs"),
    )


def _ready(project: Project, values: Values, environ: Mapping[str, str]) -> Remark:
    from bootstrap.vendors.keys import aws  # noqa: PLC0415 - no other command needs it

    return aws.ready_for_logs(log_group(project), f"{_arn(project)}:*", project.region, values, environ)


def _local(project: Project, _service: Service, collector: CollectorAddress) -> tuple[Variable, ...]:
    """For this one service of AWS: what else a service asks AWS for goes where it always does.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    origin = "the local collector"
    return (
        Variable("CLOUDWATCH_LOG_GROUP", Text(log_group(project)), _ORIGIN),
        *region(project, "AWS_REGION", "AWS_DEFAULT_REGION"),
        Variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", Text(collector.otlp), origin),
        # Somebody's own "true" would send the lines to AWS.
        Variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", Text("false"), origin),
        *stand_ins(),
    )


def _grants(project: Project) -> tuple[Grant, ...]:
    """Allow this project's log group alone, in whichever account the policy is attached.

    An identity's policy reaches no other account by itself, so that the account need not be named.
    """
    group = _arn(project)
    return (
        Grant("logs", ("logs:CreateLogStream", "logs:PutLogEvents"), (f"{group}:*",)),
        Grant("verify", ("logs:FilterLogEvents",), (group, f"{group}:*")),
    )


def _check(project: Project) -> None:
    from bootstrap.vendors import limits  # noqa: PLC0415 - no other command needs it

    limits.check_cloudwatch(project, log_group(project))


def _resources(project: Project, provider: Any) -> Iterable[Resource]:
    from bootstrap.provisioning.aws import logs  # noqa: PLC0415 - no other command needs it

    yield logs.LogGroup(provider, log_group(project), project.telemetry["cloudwatch"].retention_days)


def _arn(project: Project) -> str:
    return f"arn:{partition(project.region)}:logs:{project.region}:*:log-group:{log_group(project)}"


def _read(asking: Asking) -> Look:
    from bootstrap.vendors.evidence import cloudwatch  # noqa: PLC0415 - no other command needs it

    return cloudwatch.read(asking, log_group(asking.project))


def _found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    from bootstrap.vendors.evidence import cloudwatch  # noqa: PLC0415 - no other command needs it

    return cloudwatch.found(asking, trace)


CLOUDWATCH = Vendor(
    name="cloudwatch",
    title="CloudWatch Logs",
    receives="log lines",
    purpose="logs",
    options=CloudWatchOptions,
    signs=Signs(
        variables=r"CLOUDWATCH_.*",
        packages=r"watchtower|(winston|pino)-(aws-)?cloudwatch|@aws-sdk/client-cloudwatch-logs",
    ),
    secrets=AWS_SECRETS,
    displaced=AMBIENT,
    tokens=AWS_TOKENS,
    inspect=inspect,
    ask=ask,
    ready=_ready,
    cloud=_cloud,
    local=_local,
    grants=_grants,
    provider="aws",
    check=_check,
    resources=_resources,
    project_document=_project_document,
    read=_read,
    found=_found,
)
