"""What `init` proposes for somebody's repository, as data: the manifest's tables, and what stays behind."""

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from bootstrap.adoption import beside, commands, packages, recognise, references
from bootstrap.adoption.documents import UnreadableFileError
from bootstrap.adoption.files import inside
from bootstrap.adoption.found import Known, Left, Mode, Model, Proposal, Surroundings
from bootstrap.adoption.ports import Port, main_port
from bootstrap.adoption.seen import Seen
from bootstrap.adoption.tables import Carrying
from bootstrap.adoption.workspace_urls import port_and_path
from bootstrap.system.files import ProjectFiles

_SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_OTEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
#: the order in which people write a service's keys
_ORDER = (
    *("build", "image", "setup", "command", "port", "container_port", "public", "health", "telemetry"),
    *("environment", "secrets", "depends_on", "otel_service_name", "compose"),
)


def propose(files: ProjectFiles, model: Model, known: Known, around: Surroundings, mode: Mode) -> Proposal:
    """Make the proposal. Reads a few more files of the repository by name; no value of a secret is in it."""
    return _Proposing(files, model, known, around, mode).made()


class _Proposing:
    def __init__(
        self, files: ProjectFiles, model: Model, known: Known, around: Surroundings, mode: Mode
    ) -> None:
        self._files = files
        self._model = model
        self._known = known
        self._around = around
        self._mode = mode
        self._left: list[Left] = []
        self._carried: list[str] = []
        self._not_carried: set[str] = set()
        self._ports: dict[str, Port] = {}
        self._seen = Seen(model, known, around, self._leave)
        #: vendors' own daemons: name -> vendor
        self._daemons: dict[str, str] = {}

    def made(self) -> Proposal:
        taken = {name: each for name, each in self._model.services.items() if self._takes(name, each)}
        wanted = {name: self._among(taken, name, each) for name, each in taken.items()}
        self._find_ports(wanted)
        services = {name: self._service(name, each) for name, each in wanted.items()}
        self._say_of_daemons(services)
        if self._mode == "own":
            carried, left = beside.of_the_rest(self._model, services)
            self._carried += carried
            self._left += left
        ordered = {
            name: {key: table[key] for key in _ORDER if key in table} for name, table in services.items()
        }
        return Proposal(ordered, self._seen.tables(), self._region(), self._claims(), tuple(self._left))

    def _say_of_daemons(self, services: Mapping[str, Mapping[str, Any]]) -> None:
        """Ours comes with the services that report through it; theirs stays, or goes, and that is said."""
        for name, vendor in self._daemons.items():
            where = f"services.{name}"
            if not any(vendor in table.get("telemetry", ()) for table in services.values()):
                self._leave(where, f"is {vendor}'s own daemon, and no service was seen to report to {vendor}")
            elif name != self._known.daemons.get(vendor):
                hint = f"Remove {name} from your file." if self._mode == "overlay" else ""
                self._leave(
                    where, f"is {vendor}'s own daemon, and nothing reports to it: ours comes by itself", hint
                )
            else:
                self._leave(where, f"is {vendor}'s own daemon: ours takes its place, and is never published")

    def _claims(self) -> tuple[str, ...]:
        return tuple(path for path in self._carried if path not in self._not_carried)

    def _among(self, taken: Mapping[str, Any], name: str, definition: dict[str, Any]) -> dict[str, Any]:
        """A service that only depends on others that are carried over."""
        uses = definition.get("depends_on") or {}
        kept = {other: use for other, use in uses.items() if other in taken}
        if len(kept) == len(uses):
            return definition
        if self._mode == "own":
            self._leave(f"services.{name}.depends_on", "not on all of them: some are not carried over")
            self._not_carried.add(f"services.{name}.depends_on")
        return {**{key: value for key, value in definition.items() if key != "depends_on"}, **_table(kept)}

    def _leave(self, where: str, why: str, hint: str = "") -> None:
        left = Left(where, why, hint)
        if left not in self._left:
            self._left.append(left)

    def _takes(self, name: str, definition: Mapping[str, Any]) -> bool:
        where = f"services.{name}"
        vendor = recognise.daemon_of(definition, self._known.signs)
        if vendor is not None:
            self._daemons[name] = vendor
            return False
        if not _SERVICE_NAME.fullmatch(name) or name in self._known.reserved:
            why = (
                "is a name that the manifest keeps for others"
                if name in self._known.reserved
                else ("is no name for the manifest, which takes lower case letters, digits, - and _")
            )
            self._leave(where, why, "Rename it in your file if it is to report telemetry.")
            return False
        return bool(self._folder(name, definition) or definition.get("image"))

    def _folder(self, name: str, definition: Mapping[str, Any]) -> str | None:
        """The folder that it is built from; None where it is not built, or from elsewhere."""
        build = definition.get("build")
        if not isinstance(build, Mapping):
            if not definition.get("image"):
                self._leave(f"services.{name}", "has neither build nor image")
            return None
        context = str(build.get("context") or ".")
        if posixpath.normpath(context) == ".":
            return "."
        try:
            return inside(context)
        except UnreadableFileError as error:
            self._leave(f"services.{name}.build", error.message.partition(": ")[2], error.hint)
            return None

    def _find_ports(self, services: Mapping[str, Mapping[str, Any]]) -> None:
        taken: set[int] = set()
        for name, definition in services.items():
            port, left = main_port(name, definition, taken)
            for each in left:
                self._leave(each.where, each.why)
            if port is not None:
                taken.add(port.published)
                self._ports[name] = port

    def _service(self, name: str, definition: dict[str, Any]) -> dict[str, Any]:
        table: dict[str, Any] = {}
        folder = self._folder(name, definition)
        self._say_what_it_is(table, name, definition, folder)
        self._say_where_it_is(table, name, definition)
        table |= self._telemetry(name, definition, folder)
        if definition.get("depends_on"):
            table["depends_on"] = list(definition["depends_on"])
        environment = self._urls(name, definition)
        # What a variable is made of is looked at one by one where the whole service is carried over.
        alone = {"environment", "env_file", "secrets"} if self._mode == "own" else set()
        rest = {key: value for key, value in definition.items() if key not in alone}
        secrets = self._seen.of(name, rest, table.get("telemetry", ()))
        if self._mode == "own":
            carrying = Carrying(name, definition, table, self._ports.get(name), self._known.signs)
            carrying.carry()
            environment = {**carrying.environment, **environment}
            secrets = {**secrets, **carrying.secrets}
            if carrying.compose:
                table["compose"] = carrying.compose
            self._carried += carrying.carried
            for each in carrying.left:
                if each.where.rpartition(".")[2] not in environment:
                    self._leave(each.where, each.why, each.hint)
        if environment:
            table["environment"] = environment
        if secrets:
            same = all(variable == stored for variable, stored in secrets.items())
            table["secrets"] = list(secrets) if same else secrets
            self._seen.read_by(name, secrets.values())
        return table

    def _say_what_it_is(
        self, table: dict[str, Any], name: str, definition: Mapping[str, Any], folder: str | None
    ) -> None:
        if folder is not None:
            table["build"] = folder
            self._say_how_it_runs(table, name, definition, folder)
        else:
            table["image"] = definition["image"]
            self._carried.append(f"services.{name}.image")
            if references.literal(str(definition["image"])) is None and self._mode == "own":
                self._carried.pop()
                self._leave(
                    f"services.{name}.image",
                    "asks for a variable, which the manifest does not fill in",
                    f"Write it out in [services.{name}].",
                )
                table["image"] = references.with_defaults(str(definition["image"]))

    def _say_how_it_runs(
        self, table: dict[str, Any], name: str, definition: Mapping[str, Any], folder: str
    ) -> None:
        command = commands.command_of(definition, self._files, folder)
        if command is None:
            self._leave(
                f"services.{name}",
                "what it runs is the image's to know: without a container engine it does not run",
                f'To change that: command = "..." in [services.{name}]',
            )
            return
        setup = commands.setup_of(self._files, folder)
        if setup is not None:
            table["setup"] = setup
        table["command"] = command

    def _say_where_it_is(self, table: dict[str, Any], name: str, definition: Mapping[str, Any]) -> None:
        port = self._ports.get(name)
        if port is None:
            return
        table["port"] = port.published
        if port.target != port.published:
            table["container_port"] = port.target
        if port.published in self._around.public_ports:
            table["public"] = True
        health = commands.health_of(definition)
        if health is not None:
            table["health"] = health

    def _telemetry(self, name: str, definition: Mapping[str, Any], folder: str | None) -> dict[str, Any]:
        asked_for = packages.asked_for(self._files, folder) if folder is not None else frozenset()
        vendors = recognise.vendors(definition, asked_for, self._known.signs)
        if vendors and definition.get("network_mode"):
            self._leave(
                f"services.{name}.network_mode",
                f"{', '.join(vendors)}: neither the collector nor a daemon is reached from there",
                "Use networks instead, then add telemetry = [...].",
            )
            return {}
        if not vendors:
            return {}
        made: dict[str, Any] = {"telemetry": vendors}
        called = references.literal(
            str((definition.get("environment") or {}).get("OTEL_SERVICE_NAME") or "$x")
        )
        if called and called != name and _OTEL_NAME.fullmatch(called) and self._is_only(called):
            made["otel_service_name"] = called
        self._seen.bring(vendors)
        return made

    def _is_only(self, called: str) -> bool:
        """Two services never share what vendors call them."""
        names = [
            (each.get("environment") or {}).get("OTEL_SERVICE_NAME") for each in self._model.services.values()
        ]
        return names.count(called) == 1 and called not in self._model.services

    def _urls(self, name: str, definition: Mapping[str, Any]) -> dict[str, str]:
        """What names one cloud's URL of a service follows the workspace from now on."""
        owners = {port.published: service for service, port in self._ports.items()}
        made = {}
        for variable, value in (definition.get("environment") or {}).items():
            found = port_and_path(value) if isinstance(value, str) else None
            if found is not None and found[0] in owners and _VARIABLE.fullmatch(variable):
                made[variable] = f"${{url:{owners[found[0]]}}}{found[1]}"
                self._leave(
                    f"services.{name}.environment.{variable}",
                    "names a URL of one cloud alone: it is this workspace's URL from now on",
                )
        return made

    def _region(self) -> str | None:
        for definition in self._model.services.values():
            for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
                value = (definition.get("environment") or {}).get(variable)
                if isinstance(value, str) and _REGION.fullmatch(value):
                    return value
        return None


def _table(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {"depends_on": dict(kept)} if kept else {}
