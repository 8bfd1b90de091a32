"""What a telemetry vendor is to this house."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from bootstrap.model.environment import CollectorAddress, Variable, View
from bootstrap.model.grant import Grant, Purpose
from bootstrap.model.project import Project, SecretSpec, Service
from bootstrap.model.remark import Remark
from bootstrap.model.signs import Signs
from bootstrap.model.tokens import TokenShape
from bootstrap.provisioning.interface import Resource
from bootstrap.verification.interface import Asking, Look, Reading

#: name -> value of the secrets that are set; who is given them never quotes one
Values = Mapping[str, str]


class Sidecar(Struct, frozen=True):
    """A container beside the services that report to a vendor, reached by nobody else."""

    name: str
    image: str
    command: tuple[str, ...]
    variables: tuple[Variable, ...]
    #: absolute path inside the container -> what the file says; no secret
    files: Mapping[str, str] = field(default_factory=dict)


class Daemon(Struct, frozen=True):
    """The vendor's own program, through which services report to its cloud where no containers run."""

    name: str
    title: str
    #: what it is called on PATH
    program: str
    #: where it is to be had
    documentation: str
    #: what it is told, given the host:port to listen at (UDP and TCP) and the path of its configuration file
    arguments: Callable[[Project, str, str], tuple[str, ...]]
    #: its configuration file, so that it looks for no other
    configuration: str
    #: its own variables, with its keys
    variables: Callable[[Project], tuple[Variable, ...]]
    #: what its environment says beside that, so that it takes keys and addresses from nowhere else
    settings: Mapping[str, str]
    #: the variables of a service that reports to it at host:port
    reporting: Callable[[Project, str], tuple[Variable, ...]]


class Vendor(Struct, frozen=True, kw_only=True):
    """One vendor: which options and secrets it has, and what reporting to it takes."""

    name: str
    title: str
    #: what it receives, in the plural
    receives: str = "telemetry"
    #: the type of its table in the manifest; every key has a default
    options: type[Struct]
    #: the secrets without which nothing arrives, and those that only some accounts need
    secrets: tuple[SecretSpec, ...]
    #: for what a run uses the AWS key with which things are reported to it; None: it takes none
    purpose: Purpose | None = None
    #: variables that lead its SDK to other keys: a service that is given the vendor's inherits none of them
    displaced: frozenset[str] = frozenset()
    #: the variables of a service that reports to the vendor itself
    cloud: Callable[[Project, Service, View], tuple[Variable, ...]]
    #: the same for the embedded collector; None while that does not speak the vendor's protocol
    local: Callable[[Project, Service, CollectorAddress], tuple[Variable, ...]] | None = None
    #: the container that has to run beside the services
    sidecar: Callable[[Project], Sidecar] | None = None
    #: the program that has to run beside them where no containers do
    daemon: Daemon | None = None
    #: the same container as it reports to the collector at a base URL instead, with no key of anybody's
    local_sidecar: Callable[[Project, str], Sidecar] | None = None
    #: whether a run could report to the vendor itself right now, as far as one cheap call can tell: its keys
    #: are taken, and what has to exist there exists. Mark.OK says yes; else the text says why not, the hint
    #: what to type. Of what is not OK, a NOTE says that something has to be set up first, a PROBLEM that the
    #: vendor refuses, UNKNOWN that nobody gave an answer. Never raises; the values are those of this
    #: project's own stores.
    ready: Callable[[Project, Values, Mapping[str, str]], Remark] | None = None
    #: what each purpose has to be allowed in AWS for this vendor
    grants: Callable[[Project], Iterable[Grant]] = field(default=lambda _project: ())
    #: the name of the API at which its resources are made; empty where it has none
    provider: str = ""
    #: raises ManifestError for what that API would refuse, before anybody is asked anything
    check: Callable[[Project], None] = field(default=lambda _project: None)
    #: what has to exist at the vendor, given the provider of that name; called once its account is known
    resources: Callable[[Project, Any], Iterable[Resource]] = field(default=lambda _project, _provider: ())
    #: what somebody who plans should know beside that, given the same; asked in the same moment
    remarks: Callable[[Project, Any], Iterable[Remark]] = field(default=lambda _project, _provider: ())
    #: what templates see as `vendors.NAME` while any service reports to it
    project_document: Callable[[Project], Mapping[str, Any]] = field(default=lambda _project: {})
    #: what templates see as `service.vendors.NAME`
    document: Callable[[Project, Service], Mapping[str, Any]] = field(default=lambda _project, _service: {})
    #: how to tell that somebody's service reports to it
    signs: Signs = Signs()
    #: what its tokens look like in somebody's files
    tokens: tuple[TokenShape, ...] = ()
    #: says what kind of key each one is, by its looks alone; never raises
    inspect: Callable[[Project, Values], Iterable[Remark]] = field(default=lambda _project, _values: ())
    #: asks the vendor whether its keys work and what they may do, in a call or two that change nothing. The
    #: environment may name a loopback address to ask instead. Says itself where the vendor gives no answer.
    ask: Callable[[Project, Values, Mapping[str, str]], Iterable[Remark]] = field(
        default=lambda _project, _values, _environ: ()
    )
    #: makes what looks, again and again, for one probe at the vendor itself, with the keys that there are
    read: Callable[[Asking], Look] | None = None
    #: finds what a service has reported to the vendor in a trace as the collector's API has it
    found: Callable[[Asking, Mapping[str, Any]], Reading] | None = None
