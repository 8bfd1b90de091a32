"""A service of a Compose file in the manifest's own words, for a project whose Compose file becomes ours."""

import re
from collections.abc import Mapping
from typing import Any

from bootstrap.adoption import references
from bootstrap.adoption.found import Left
from bootstrap.adoption.ports import EVERYWHERE, LOOPBACK, Port
from bootstrap.adoption.secret_names import is_secret
from bootstrap.model.signs import Signs

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
#: what the manifest would fill in
_OURS = re.compile(r"\$\{(?:url|address|port):")
_OVERRIDE = "Keep it in docker-compose.override.yml, which is passed on."
#: keys that have a place of their own in the manifest, or none at all
_NOT_KEPT = {
    "env_file": ("a file of variables is not handed to a whole service", "bootstrap secrets import FILE"),
    "label_file": ("reads a file that may hold secrets", "Write the labels out."),
    "secrets": ("the manifest has no word for Compose's secrets", _OVERRIDE),
    "configs": ("the manifest has no word for Compose's configs", _OVERRIDE),
}
_STATED = frozenset({"image", "build", "environment", "ports", "depends_on", "extends"})
#: what telemetry itself decides about
_TELEMETRY = r"OTEL_.*|AWS_XRAY_.*|AWS_(DEFAULT_)?REGION|PORT|TRACE_\w+"


class Carrying:
    """Carries one service over; `table` is what the manifest says of it already."""

    def __init__(
        self,
        name: str,
        definition: Mapping[str, Any],
        table: dict[str, Any],
        port: Port | None,
        signs: Mapping[str, Signs],
    ) -> None:
        self._name = name
        self._definition = definition
        self._table = table
        self._port = port
        telemetry = [signs[vendor].variables for vendor in table.get("telemetry", ())]
        self._telemetry = re.compile("|".join([_TELEMETRY, *telemetry]) if telemetry else r"(?!)|PORT")
        self.environment: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.compose: dict[str, Any] = {}
        self.carried: list[str] = []
        self.left: list[Left] = []

    def carry(self) -> None:
        """Go through every key."""
        for variable, value in (self._definition.get("environment") or {}).items():
            self._variable(variable, value)
        self._build()
        self._ports()
        self._depends_on()
        for key, value in self._definition.items():
            if key not in _STATED:
                self._as_it_stands(key, value)

    def _leave(self, key: str, why: str, hint: str = "") -> None:
        self.left.append(Left(f"services.{self._name}.{key}", why, hint))

    def _keep(self, key: str) -> None:
        self.carried.append(f"services.{self._name}.{key}")

    def _variable(self, variable: str, value: str | None) -> None:
        key = f"environment.{variable}"
        asked = variable if value is None else references.whole(value)
        plain = None if value is None else references.literal(value)
        if not _VARIABLE.fullmatch(variable):
            self._leave(key, "is no name of a variable")
        elif self._telemetry.fullmatch(variable):
            self._leave(key, "is what telemetry and the port decide about")
        elif asked is not None and is_secret(asked):
            self.secrets[variable] = asked
            self._keep(key)
        elif plain is None:
            self._leave(
                key, "asks for variables of the shell, which the manifest does not fill in", _OVERRIDE
            )
        elif is_secret(variable):
            self.secrets[variable] = variable
            self._leave(
                key, "looks like a secret: its value is not copied", f"bootstrap secrets set {variable}"
            )
        elif _OURS.search(plain) or "\0" in plain:
            self._leave(key, "holds what the manifest would take for a reference of its own", _OVERRIDE)
        else:
            self.environment[variable] = plain
            self._keep(key)

    def _build(self) -> None:
        build = self._definition.get("build")
        if not isinstance(build, Mapping):
            return
        if self._definition.get("image"):
            self._leave("image", "is what the built image is called: Compose finds a name by itself")
        if "build" not in self._table:
            return
        more = {key: value for key, value in build.items() if key != "context"}
        if any(is_secret(name) for name, _ in references.asked_for(more)) or any(
            value is None and is_secret(name) for name, value in (more.get("args") or {}).items()
        ):
            self._leave("build", "a secret in it would stay in the image", "Use build.secrets.")
            return
        made = _written(more)
        if made is None:
            self._leave("build", "holds what TOML cannot say", _OVERRIDE)
            return
        if more:
            self.compose["build"] = {"context": f"./{self._table['build'].removeprefix('./')}", **made}
        self._keep("build")

    def _ports(self) -> None:
        entries = self._definition.get("ports")
        if not entries:
            return
        others = [each for each in entries if self._port is None or each is not self._port.entry]
        made = [_written(each) for each in others]
        if others and None not in made:
            self.compose["ports"] = made
        if (self._port is not None and self._is_rendered_alike(self._port)) or self._port is None:
            self._keep("ports")
        else:
            self._leave(
                "ports",
                f"{self._port.published} is published to this machine alone from now on",
                f"For everybody: public = true in [services.{self._name}].",
            )

    def _is_rendered_alike(self, port: Port) -> bool:
        if not isinstance(port.entry, Mapping) or port.entry.keys() - _KNOWN_OF_A_PORT:
            return False
        if self._table.get("public"):
            return port.host_ip in EVERYWHERE
        return port.host_ip == LOOPBACK[0]

    def _depends_on(self) -> None:
        uses = self._definition.get("depends_on")
        if not uses:
            return
        usual = {"condition": "service_started", "required": True}
        if any(each != usual for each in uses.values()):
            made = _written(uses)
            if made is None:
                self._leave("depends_on", "holds what TOML cannot say", _OVERRIDE)
                return
            self.compose["depends_on"] = made
        self._keep("depends_on")

    def _as_it_stands(self, key: str, value: Any) -> None:
        if key in _NOT_KEPT:
            self._leave(key, *_NOT_KEPT[key])
            return
        if key.startswith("x-"):
            self._leave(key, "only means something within your own file")
            return
        made = _written(value)
        if made is None:
            self._leave(key, "holds what TOML cannot say", _OVERRIDE)
            return
        self.compose[key] = made
        if key == "networks" and "xray" in self._table.get("telemetry", ()) and "default" not in made:
            self._leave(key, "it is on the default network from now on, too, for its daemon")
            return
        self._keep(key)


_KNOWN_OF_A_PORT = frozenset({"target", "published", "protocol", "host_ip"})


def _written(value: Any) -> Any:
    """The same in TOML, which has no null; None where there is no way to say it."""
    if isinstance(value, Mapping):
        if value and all(each is None or isinstance(each, str) for each in value.values()):
            if None in value.values():
                return [name if each is None else f"{name}={each}" for name, each in value.items()]
            return dict(value)
        made = {name: {} if each is None else _written(each) for name, each in value.items()}
        return None if None in made.values() else made
    if isinstance(value, list):
        items = [_written(each) for each in value]
        return None if None in items else items
    return value
