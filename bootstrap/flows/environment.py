"""The environment of one service: resolved from the manifest, filled in from the stores."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bootstrap.config.errors import ManifestError
from bootstrap.config.interpolation import interpolate, references, refers_to_url
from bootstrap.encoding.names import check_variable
from bootstrap.model.environment import Claim, FromSecret, Local, Route, Text, Variable, View, WhenSecret
from bootstrap.model.errors import NotConfiguredError, UsageError
from bootstrap.model.project import Project, SecretSpec, Service
from bootstrap.model.secret import Secret
from bootstrap.vendors import VENDORS

#: what a shell may have inherited from another service, and what would then be reported under its name
_FOREIGN = re.compile(
    r"OTEL_.*|AWS_XRAY_.*|AWS_\w+__[A-Z]+|TRACE_HEADERS|TRACE_PEERS|TRACE_PROOF_KEY|PORT|BOOTSTRAP_RUN_ID",
    re.ASCII,
)

#: where keys and telemetry go, which the vendors decide: a cloned manifest must not
_DESTINATION = re.compile(
    r"OTEL_EXPORTER_.*|AWS_ENDPOINT_URL.*|AWS_XRAY_.*|ROLLBAR_ENDPOINT|.*_PROXY", re.ASCII | re.IGNORECASE
)

#: what `up` makes anew for every run: who knows it may hand a public service the trace to join
PROOF_KEY = "TRACE_PROOF_KEY"
#: needed only together with temporary keys
OPTIONAL = frozenset({"AWS_SESSION_TOKEN"})
#: the siblings that a service calls, host:port with commas between: its trace headers go to nobody else
PEERS = "TRACE_PEERS"

#: reads a stored secret by its name
Lookup = Callable[[str], Secret | None]
#: says what somebody in a run is given; None: nothing
Give = Callable[[Claim], Secret | None]


def as_stored(lookup: Lookup) -> Give:
    """Give everybody the stored secrets themselves, for whatever purpose."""
    return lambda claim: lookup(claim.secret)


class Resolved(Struct, frozen=True):
    """One variable with its value; a Secret is one that nobody should see."""

    name: str
    value: Secret | str
    origin: str

    @property
    def text(self) -> str:
        """The value, whatever it is."""
        return self.value.reveal() if isinstance(self.value, Secret) else self.value


def secret_specs(project: Project) -> dict[str, SecretSpec]:
    """Every secret that the project uses: those of the vendors that its services report to, and its own.

    Who a vendor's secret is for stays the vendor's to say, also where the project describes it anew.
    """
    audiences = {spec.name: spec.audience for vendor in VENDORS.values() for spec in vendor.secrets}
    specs: dict[str, SecretSpec] = {}
    for vendor in VENDORS.values():
        if project.reporting_to(vendor.name):
            specs.update({spec.name: spec for spec in vendor.secrets})
    for name, spec in project.secrets.items():
        specs[name] = replace(spec, audience=audiences.get(name, spec.audience))
    return specs


def vendors_secrets() -> set[str]:
    """Every vendor's secrets, also of those that no service reports to."""
    return {spec.name for vendor in VENDORS.values() for spec in vendor.secrets}


def service_named(project: Project, name: str) -> Service:
    """Find a service, or say which there are."""
    try:
        return project.services[name]
    except KeyError:
        names = ", ".join(project.services) or "none yet; add one to bootstrap.toml"
        raise UsageError(f"there is no service {name!r}", f"Services: {names}") from None


def with_dependencies(project: Project, only: Sequence[str]) -> list[Service]:
    """Find the services `only` and what they need, in an order in which they can start; else all."""
    if not only:
        return list(project.services.values())
    wanted: dict[str, Service] = {}

    def add(name: str) -> None:
        if name not in wanted:
            service = service_named(project, name)
            for other in service.depends_on:
                add(other)
            wanted[name] = service

    for name in only:
        add(name)
    return list(wanted.values())


def check_required(project: Project, service: Service, give: Give) -> None:
    """Raise NotConfiguredError where the service is not given a secret that it cannot do without."""
    for stored in service.secrets.values():
        spec = project.secrets.get(stored)
        if spec is not None and spec.required and give(Claim(stored)) is None:
            about = f" ({spec.description})" if spec.description else ""
            raise NotConfiguredError(
                f"services.{service.name} needs {stored}{about}", f"Set it: bootstrap secrets set {stored}"
            )


def resolve(
    project: Project,
    service: Service,
    *,
    view: View,
    routing: Mapping[str, Route],
    url: Callable[[int], str],
) -> tuple[Variable, ...]:
    """Make one service's variables as `view` sees them.

    `routing` gives each vendor's route; a vendor without one is off. `url` gives the URL of a port. Raises
    ManifestError where two parts of the manifest claim one name, and whatever `url` raises.
    """
    told = (*_identity(service, view), *_trust(project, service, view))
    variables = {variable.name: variable for variable in told}
    for vendor in service.telemetry:
        for variable in _reporting(project, service, vendor, routing.get(vendor), view):
            variables.setdefault(variable.name, variable)
    specs = secret_specs(project)
    for name, stored in service.secrets.items():
        if stored not in specs:
            key = f"services.{service.name}.secrets"
            raise ManifestError(key, f"nobody declares {stored}", f"Declare it: [secrets.{stored}]")
        if stored in specs and specs[stored].audience != "service":
            key = f"services.{service.name}.secrets"
            raise ManifestError(
                key,
                f"{stored} is for `bootstrap {specs[stored].audience}` alone: no service sees it",
                "Remove it here.",
            )
        declared = Variable(name, FromSecret(stored), f"secret {stored}")
        stand_in = _stand_in(variables.get(name))
        if _is_of_vendor(variables.get(name), stored):
            continue
        if stand_in is None:
            _add(variables, declared, f"services.{service.name}.secrets")
        else:
            variables[name] = replace(declared, value=FromSecret(stored, otherwise=stand_in))
    for variable in _configured(project, service, view, url):
        _add(variables, variable, f"services.{service.name}.environment.{variable.name}")
    return tuple(variables.values())


def _stand_in(variable: Variable | None) -> str | None:
    """What a vendor gives instead of a key of its own while the collector receives."""
    if variable is None or variable.name not in vendors_secrets() or not isinstance(variable.value, Text):
        return None
    return variable.value.text


def _is_of_vendor(variable: Variable | None, stored: str) -> bool:
    """Whether a service has what it declares from a vendor, for that vendor's purpose."""
    value = None if variable is None else variable.value
    return isinstance(value, FromSecret) and value.secret == stored and value.purpose is not None


def _add(variables: dict[str, Variable], variable: Variable, key: str) -> None:
    """Take what the manifest asks for, unless somebody else already decides about it."""
    same = variable.value == variables[variable.name].value if variable.name in variables else True
    if not same:
        raise ManifestError(
            key,
            f"{variable.name} is already set by {variables[variable.name].origin}",
            "Remove it here, or change it there.",
        )
    if variable.name in _TRUST:
        raise ManifestError(key, f"{variable.name} {_TRUST[variable.name][0]}", _TRUST[variable.name][1])
    if isinstance(variable.value, Text) and _DESTINATION.fullmatch(variable.name):
        raise ManifestError(
            key,
            f"{variable.name} decides where telemetry and keys are sent, which a manifest cannot",
            "Set it in your own shell or in docker-compose.override.yml if you need it.",
        )
    variables.setdefault(variable.name, variable)


_PUBLIC = ("follows from whether a service is public", "Set public = true or false for the service.")
#: what nobody sets, with why and what to do instead
_TRUST = {
    "TRACE_HEADERS": _PUBLIC,
    PROOF_KEY: _PUBLIC,
    PEERS: (
        "follows from which services it calls",
        "Give it their ${address:SERVICE} in another variable, as part of a URL for example.",
    ),
}


def _identity(service: Service, view: View) -> Iterable[Variable]:
    """Say who a service of ours is and where it listens; a ready-made image knows that by itself."""
    if service.build is None:
        return
    origin = f"services.{service.name}"
    named = origin if service.otel_service_name == service.name else f"{origin}.otel_service_name"
    yield Variable("OTEL_SERVICE_NAME", Text(service.otel_service_name), named)
    port = service.port if view == "host" else service.container_port
    if port is not None:
        yield Variable("PORT", Text(str(port)), f"{origin}.port")


def _trust(project: Project, service: Service, view: View) -> Iterable[Variable]:
    """Say whose trace headers count: a stranger's would decide what is sampled, and so what it costs.

    Who calls siblings knows them, and can prove itself to those that are public.
    """
    if service.build is None or not service.telemetry:
        return
    origin = f"services.{service.name}.public"
    peers = _peers(project, service, view)
    if service.public or peers:
        yield Variable(PROOF_KEY, FromSecret(PROOF_KEY), f"{origin}, bootstrap up")
    if not service.public:
        yield Variable("TRACE_HEADERS", Text("trusted"), origin)
    if peers:
        yield Variable(PEERS, Text(",".join(peers)), f"services.{service.name}.environment")


def _peers(project: Project, service: Service, view: View) -> list[str]:
    """Where it reaches the services of ours whose ${address:...} it is given; an image is not ours."""
    named = [
        project.services[name]
        for value in service.environment.values()
        for kind, name in references(value)
        if kind == "address"
    ]
    return list(
        dict.fromkeys(
            f"{_address(peer.name, view)}:{_port(peer, view)}"
            for peer in named
            if peer.build is not None and peer.telemetry and peer.port is not None
        )
    )


def _reporting(
    project: Project, service: Service, name: str, route: Route | None, view: View
) -> tuple[Variable, ...]:
    vendor = VENDORS[name]
    if route is None:
        return ()
    if isinstance(route, Local):
        return () if vendor.local is None else vendor.local(project, service, route.collector)
    if view == "host" and vendor.daemon is not None and route.daemon is not None:
        return vendor.daemon.reporting(project, route.daemon)
    return vendor.cloud(project, service, view)


def _configured(
    project: Project, service: Service, view: View, url: Callable[[int], str]
) -> Iterable[Variable]:
    """Fill in the manifest's own `environment`."""
    fill: dict[str, Callable[[str], object]] = {
        "url": lambda name: url(project.services[name].port or 0),
        "address": lambda name: _address(name, view),
        "port": lambda name: _port(project.services[name], view),
    }
    for name, value in service.environment.items():
        text = Text(interpolate(value, fill), per_workspace=refers_to_url(value))
        yield Variable(name, text, f"services.{service.name}.environment")


def _address(name: str, view: View) -> str:
    return name if view == "container" else "127.0.0.1"


def _port(service: Service, view: View) -> int:
    """A browser and a host process use the published port, a container its neighbour's own."""
    return (service.port if view == "host" else service.container_port) or 0


def fill_in(variables: Sequence[Variable], give: Give) -> list[Resolved]:
    """Give every variable its value; those of secrets that are not set are left out.

    Raises BootstrapError for names that change how programs behave, and what `give` raises.
    """
    resolved = [item for variable in variables if (item := _fill_in(variable, give)) is not None]
    for item in resolved:
        check_variable(item.name)
    return resolved


def _fill_in(variable: Variable, give: Give) -> Resolved | None:
    value = variable.value
    if isinstance(value, Text):
        return Resolved(variable.name, value.text, variable.origin)
    secret = give(value.claim)
    if secret is None:
        spare = value.otherwise if isinstance(value, FromSecret) else None
        return None if spare is None else Resolved(variable.name, spare, variable.origin)
    origin = f"{variable.origin} ({secret.store})"
    if isinstance(value, WhenSecret):
        return Resolved(variable.name, value.text, origin)
    return Resolved(variable.name, Secret(value.prefix + secret.reveal(), secret.store), origin)


def scrubbed(environ: Mapping[str, str], project: Project) -> dict[str, str]:
    """Copy `environ` without what belongs to one service alone: any secret of the project, any identity.

    Every vendor's secrets go, also of those that no service reports to: nobody here has asked for them.
    """
    secret_names = vendors_secrets()
    secret_names.update(project.secrets)
    for service in project.services.values():
        secret_names.update(service.secrets)
    return {
        name: value
        for name, value in environ.items()
        if name not in secret_names and not _FOREIGN.fullmatch(name)
    }


def displaced(variables: Iterable[Resolved]) -> frozenset[str]:
    """What a service that is given these must not inherit: an SDK would find other keys by it."""
    given = {variable.name for variable in variables}
    keyed = (
        vendor.displaced
        for vendor in VENDORS.values()
        if vendor.displaced and not given.isdisjoint(spec.name for spec in vendor.secrets)
    )
    return frozenset().union(*keyed)


def readers(project: Project) -> dict[str, tuple[str, ...]]:
    """Say for each secret of the project which services see it."""
    found: dict[str, list[str]] = {name: [] for name in secret_specs(project)}
    for service in project.services.values():
        for stored in _seen_by(project, service):
            found.setdefault(stored, []).append(service.name)
    return {name: tuple(services) for name, services in found.items()}


def _seen_by(project: Project, service: Service) -> set[str]:
    specs = secret_specs(project)
    vendors = (VENDORS[name] for name in service.telemetry)
    seen = {spec.name for vendor in vendors for spec in vendor.secrets if spec.audience == "service"}
    return seen | {stored for stored in service.secrets.values() if stored in specs}
