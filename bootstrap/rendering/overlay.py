"""What one run lays over the project's own Compose file: the collector, and who reports to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from bootstrap.encoding.yaml import Replaced, ReplacedTable, for_compose
from bootstrap.model.environment import Text, Variable
from bootstrap.model.project import Service
from bootstrap.rendering import compose

#: the collector among the services, and what keeps its data
COLLECTOR = "telemetry"
#: what the collector is given: its token, and the values that it masks before it stores anything
TOKEN, MASK = "BOOTSTRAP_COLLECTOR_TOKEN", "BOOTSTRAP_COLLECTOR_MASK"
#: what Compose calls the file with those values
MASK_FILE = "bootstrap-collector-mask"
_HTTP = 4318


class Reporter(Struct, frozen=True):
    """One service in this run: what the committed file gives it, and what it gets now."""

    service: Service
    committed: Sequence[Variable]
    now: Sequence[Variable]
    #: the port of this machine that the committed file publishes
    committed_port: int | None
    #: what the project's files publish of it, as Compose spells it out
    published: Sequence[Mapping[str, Any]] = ()


class Helper(Struct, frozen=True):
    """A vendor's own container beside the services, as it reports to the collector."""

    name: str
    command: Sequence[str]
    committed: Sequence[Variable]
    now: Sequence[Variable]
    files: Mapping[str, str]


class Collector(Struct, frozen=True):
    """The collector's container."""

    #: the folder that its image is built from
    context: str
    #: the port of this machine's loopback that leads to its page
    port: int
    #: names under which it is asked for, each host:port
    hosts: Sequence[str]
    log_groups: Sequence[str]
    networks: Sequence[str]
    #: changes whenever the values to mask do, and tells nothing about them
    mask_version: str
    #: what this run sends where, as JSON
    expected: str = "[]"


def overlay(
    reporters: Iterable[Reporter], helpers: Iterable[Helper], collector: Collector | None
) -> dict[str, Any]:
    """Make the overlay, ready to be written as YAML; it holds no value of a secret."""
    services = {each.service.name: made for each in reporters if (made := _service(each))}
    configs: dict[str, Any] = {}
    for helper in helpers:
        if made := _helper(helper, configs):
            services[helper.name] = made
    document: dict[str, Any] = {"services": services}
    if configs:
        document["configs"] = configs
    if collector is not None:
        # Each takes the place of what the project's files may say under its name.
        services[COLLECTOR] = ReplacedTable(_collector(collector))
        document["secrets"] = {MASK_FILE: ReplacedTable(environment=MASK)}
        document["volumes"] = {COLLECTOR: ReplacedTable()}
    written: dict[str, Any] = for_compose(document)
    return written


def _service(reporter: Reporter) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if environment := _changed(reporter.committed, reporter.now):
        made["environment"] = environment
    service = reporter.service
    if service.port != reporter.committed_port:
        made["ports"] = Replaced([*compose.ports(service), *_others(reporter)])
    return made


def _others(reporter: Reporter) -> list[Mapping[str, Any]]:
    """What else its files publish: a list can only be replaced whole, and only the one port moves.

    Where a variable has another number than its default, the port is known by where it leads.
    """
    numbers = {str(reporter.committed_port), str(reporter.service.port)}
    leads = (reporter.service.container_port, "tcp")
    same = [each for each in reporter.published if (each.get("target"), each.get("protocol", "tcp")) == leads]
    moved = [each for each in same if str(each.get("published")) in numbers] or same
    return [each for each in reporter.published if each not in moved]


def _changed(committed: Sequence[Variable], now: Sequence[Variable]) -> dict[str, Any]:
    """The variables that differ; one that is not wanted any more is emptied, which counts as not set."""
    before = {variable.name: variable.value for variable in committed}
    now = [_in_run(variable) for variable in now]
    # What depends on the workspace stands in an env file, which may not be there, or be of another one.
    changed = [each for each in now if _per_workspace(each) or before.get(each.name) != each.value]
    gone = dict.fromkeys(sorted(before.keys() - {variable.name for variable in now}), "")
    literal = [
        Variable(each.name, Text(each.value.text), each.origin) if isinstance(each.value, Text) else each
        for each in changed
    ]
    return {**gone, **compose.environment_of(literal)}


def _in_run(variable: Variable) -> Variable:
    """Refer to a value by its name in a run's environment, where the committed file has the secret's."""
    value = variable.value
    if isinstance(value, Text) or value.purpose is None:
        return variable
    return structs.replace(variable, value=structs.replace(value, secret=value.claim.variable, purpose=None))


def _per_workspace(variable: Variable) -> bool:
    return isinstance(variable.value, Text) and variable.value.per_workspace


def _helper(helper: Helper, configs: dict[str, Any]) -> dict[str, Any]:
    # One that does what the project's files say keeps a command that somebody has laid over them.
    container: dict[str, Any] = {"command": list(helper.command)} if helper.files else {}
    if environment := _changed(helper.committed, helper.now):
        container["environment"] = environment
    mounted = []
    for number, (path, text) in enumerate(helper.files.items()):
        name = f"{helper.name}-{number}"
        configs[name] = {"content": text}
        mounted.append({"source": name, "target": path})
    if mounted:
        container["configs"] = mounted
    return container


def _collector(collector: Collector) -> dict[str, Any]:
    return {
        "build": collector.context,
        "environment": {
            TOKEN: None,
            "BOOTSTRAP_COLLECTOR_HTTP": f"0.0.0.0:{_HTTP}",
            "BOOTSTRAP_COLLECTOR_HOSTS": ",".join(collector.hosts),
            "BOOTSTRAP_COLLECTOR_LOG_GROUPS": ",".join(collector.log_groups),
            "BOOTSTRAP_COLLECTOR_EXPECTED": collector.expected,
        },
        # A file, so that no value is in what `docker inspect` shows.
        "secrets": [{"source": MASK_FILE, "target": "mask"}],
        "labels": {"bootstrap.mask": collector.mask_version},
        "ports": [f"127.0.0.1:{collector.port}:{_HTTP}"],
        "volumes": [f"{COLLECTOR}:/data"],
        "networks": list(collector.networks),
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": "5s",
    }
