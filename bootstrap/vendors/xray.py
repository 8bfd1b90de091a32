"""AWS X-Ray: segments through its daemon, and the group and sampling rules that match them."""

import os
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from bootstrap.model.environment import CollectorAddress, Text, Variable, View
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
    region,
    stand_ins,
)
from bootstrap.vendors.interface import Daemon, Sidecar, Values, Vendor
from bootstrap.verification.interface import Asking, Look, Reading

_DAEMON = "xray-daemon"
_PORT = 2000
_IMAGE = "public.ecr.aws/xray/aws-xray-daemon:3.x"
#: of the daemon that reports to the local collector
_CONFIGURATION = "/etc/bootstrap/xray-daemon.yaml"
#: without keys its SDK would take those of the machine that it runs on, which nobody has chosen
_NO_ROLE = Variable("AWS_EC2_METADATA_DISABLED", Text("true"), "vendor xray")
#: for a daemon that takes exactly the keys that it is given. Its SDK takes an empty variable for none.
_CLOSED = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "",
    "AWS_DEFAULT_PROFILE": "",
    "AWS_ENDPOINT_URL": "",
    "AWS_ENDPOINT_URL_STS": "",
    "AWS_ENDPOINT_URL_XRAY": "",
    "AWS_PROFILE": "",
    "AWS_ROLE_ARN": "",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "",
}
#: CreateSamplingRule and CreateGroup allow no longer names
_NAME_LIMIT = 32


class Sampling(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry.xray.sampling]`: how many requests X-Ray keeps."""

    fixed_rate: Annotated[float, Meta(ge=0, le=1, description="The share of the rest that is kept.")] = 0.1
    reservoir: Annotated[int, Meta(ge=0, description="Requests a second that are kept first.")] = 5
    priority: Annotated[int, Meta(ge=1, le=9999, description="Lower goes first.")] = 9000


class XRayOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry.xray]`."""

    group: (
        Annotated[
            str,
            Meta(
                description="The name of the X-Ray group; the default is the project's name.",
                pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}$(?!\n)",
            ),
        ]
        | None
    ) = None
    sampling: Sampling = field(default_factory=Sampling)


def group(project: Project) -> dict[str, Any]:
    """The arguments of CreateGroup: its filter names every service that reports to X-Ray."""
    names = (f'service("{service.otel_service_name}")' for service in project.reporting_to("xray"))
    return {
        "GroupName": _short(project.telemetry["xray"].group or project.name),
        "FilterExpression": " OR ".join(names),
    }


def sampling_rule(project: Project, service: Service) -> dict[str, Any]:
    """The SamplingRule of one service: `ServiceName` is what its segments are called."""
    options: Sampling = project.telemetry["xray"].sampling
    return {
        "RuleName": _short(service.otel_service_name),
        "ResourceARN": "*",
        "Priority": options.priority,
        "FixedRate": options.fixed_rate,
        "ReservoirSize": options.reservoir,
        "ServiceName": service.otel_service_name,
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
    }


def _grants(_project: Project) -> tuple[Grant, ...]:
    """X-Ray's actions know no narrower resource than all of them (but for groups and sampling rules).

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html; the daemon's are
    those of AWS's own policy AWSXRayDaemonWriteAccess.
    """
    return (
        Grant(
            "daemon",
            (
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:GetSamplingStatisticSummaries",
            ),
        ),
        Grant(
            "verify",
            (
                "xray:BatchGetTraces",
                "xray:GetTraceSegmentDestination",
                "xray:StartTraceRetrieval",
                "xray:ListRetrievedTraces",
            ),
        ),
    )


def _check(project: Project) -> None:
    from bootstrap.vendors import limits  # noqa: PLC0415 - no other command needs it

    limits.check_xray(project, group(project)["GroupName"])


def _resources(project: Project, provider: Any) -> Iterable[Resource]:
    from bootstrap.provisioning.aws import xray  # noqa: PLC0415 - no other command needs it

    yield xray.Group(provider, group(project))
    for service in project.reporting_to("xray"):
        yield xray.SamplingRule(provider, sampling_rule(project, service))


def _remarks(project: Project, provider: Any) -> Iterable[Remark]:
    from bootstrap.vendors.naming import account  # noqa: PLC0415 - no other command needs it

    wanted = [(service, sampling_rule(project, service)) for service in project.reporting_to("xray")]
    return account.remarks(group(project)["GroupName"], wanted, provider)


def _short(name: str) -> str:
    """A name within X-Ray's limit that stays different where long names differ late."""
    if len(name) <= _NAME_LIMIT:
        return name
    import hashlib  # noqa: PLC0415 - names this long are rare, and every command imports this module

    return f"{name[: _NAME_LIMIT - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _cloud(project: Project, _service: Service, view: View) -> tuple[Variable, ...]:
    if view == "host":
        return ()  # the daemon signs whatever reaches it, so it is never published to the host
    address = Variable("AWS_XRAY_DAEMON_ADDRESS", Text(f"{_DAEMON}:{_PORT}"), "vendor xray")
    return (address, *region(project, "AWS_REGION"))


def _local(project: Project, _service: Service, collector: CollectorAddress) -> tuple[Variable, ...]:
    address = Variable("AWS_XRAY_DAEMON_ADDRESS", Text(collector.daemon), "the local collector")
    return (address, *region(project, "AWS_REGION"))


def _sidecar(project: Project) -> Sidecar:
    return Sidecar(
        name=_DAEMON,
        image=_IMAGE,
        # One flag an element: the image's entry point already binds 0.0.0.0:2000, and a whole command line in
        # one element would be taken for a single positional argument and ignored. -o: ask no EC2 metadata.
        command=("-o",),
        variables=(*region(project, "AWS_REGION"), _NO_ROLE, *credentials("vendor xray", "daemon")),
    )


def _local_sidecar(project: Project, endpoint: str) -> Sidecar:
    """The same daemon, sending to the collector: only its configuration file can say so (`-n` is the region).

    Its SDK wants keys, and signs with whatever it is given.
    """
    return Sidecar(
        name=_DAEMON,
        image=_IMAGE,
        command=("-o", "-c", _CONFIGURATION),
        variables=(*region(project, "AWS_REGION"), _NO_ROLE, *stand_ins()),
        files={_CONFIGURATION: f'Endpoint: "{endpoint}"\nVersion: 2\n'},
    )


def _arguments(project: Project, address: str, configuration: str) -> tuple[str, ...]:
    """As in a container, with everything that its configuration could say otherwise."""
    return ("-o", "-c", configuration, "-n", project.region, "-b", address, "-t", address)


def _reporting(project: Project, address: str) -> tuple[Variable, ...]:
    there = Variable("AWS_XRAY_DAEMON_ADDRESS", Text(address), "the X-Ray daemon on this machine")
    return (there, *region(project, "AWS_REGION"))


def _own(project: Project) -> tuple[Variable, ...]:
    return (*region(project, "AWS_REGION"), *credentials("vendor xray", "daemon"))


def _project_document(project: Project) -> Mapping[str, Any]:
    return {"group": group(project)}


def _document(project: Project, service: Service) -> Mapping[str, Any]:
    return {"sampling_rule": sampling_rule(project, service)}


def _ready(project: Project, values: Values, environ: Mapping[str, str]) -> Remark:
    from bootstrap.vendors.keys import aws  # noqa: PLC0415 - no other command needs it

    return aws.ready_for_xray(project.region, values, environ)


def _read(asking: Asking) -> Look:
    from bootstrap.vendors.evidence import xray  # noqa: PLC0415 - no other command needs it

    return xray.read(asking)


def _found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    from bootstrap.vendors.evidence import xray  # noqa: PLC0415 - no other command needs it

    return xray.found(asking, trace)


XRAY = Vendor(
    name="xray",
    title="X-Ray",
    receives="traces",
    purpose="daemon",
    options=XRayOptions,
    signs=Signs(variables=r"AWS_XRAY_.*", images=r"(aws-)?xray-daemon", packages=r"aws-xray-sdk(-.*)?"),
    secrets=AWS_SECRETS,
    displaced=AMBIENT,
    tokens=AWS_TOKENS,
    inspect=inspect,
    ask=ask,
    ready=_ready,
    cloud=_cloud,
    local=_local,
    sidecar=_sidecar,
    local_sidecar=_local_sidecar,
    daemon=Daemon(
        name=_DAEMON,
        title="the X-Ray daemon",
        program="xray",
        documentation="https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html",
        arguments=_arguments,
        configuration="Version: 2\n",
        variables=_own,
        settings=_CLOSED,
        reporting=_reporting,
    ),
    grants=_grants,
    provider="aws",
    check=_check,
    resources=_resources,
    remarks=_remarks,
    project_document=_project_document,
    document=_document,
    read=_read,
    found=_found,
)
