"""Which port of a service the manifest names, of all those that its Compose file publishes."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bootstrap.adoption import normal
from bootstrap.adoption.found import Left
from bootstrap.adoption.references import with_defaults

#: addresses under which a published port is there for this machine alone
LOOPBACK = ("127.0.0.1", "::1")
#: what Compose takes where no address stands
EVERYWHERE = (None, "", "0.0.0.0", "::")  # noqa: S104 - only compared with


class Port(Struct, frozen=True):
    """Where this machine reaches a service, where that listens in its container, and its entry in `ports`."""

    published: int
    target: int
    entry: Any
    host_ip: str | None = None


def main_port(name: str, definition: Mapping[str, Any], taken: set[int]) -> tuple[Port | None, list[Left]]:
    """The first TCP port that is published under a number of its own, and what has to be said about it."""
    left = []
    for entry in definition.get("ports") or ():
        for each in _spelt_out(entry):
            published = str(each.get("published") or "")
            if (
                each.get("protocol", "tcp") != "tcp"
                or not published.isdecimal()
                or not isinstance(each.get("target"), int)
            ):
                continue
            number = int(published)
            if number in taken or not 0 < number <= 65535:  # noqa: PLR2004 - what a port can be
                left.append(Left(f"services.{name}.ports", f"{number} is another service's port, too"))
                continue
            if not isinstance(entry, Mapping):
                left.append(Left(f"services.{name}.ports", f"{entry} is taken as {number}, its default"))
            return Port(number, each["target"], entry, each.get("host_ip")), left
    return None, left


def _spelt_out(entry: Any) -> list[Mapping[str, Any]]:
    """An entry with the defaults of its variables in their place; none where that gives no port."""
    if isinstance(entry, Mapping):
        shown = {key: with_defaults(item) if isinstance(item, str) else item for key, item in entry.items()}
        return [each for each in normal.service({"ports": [shown]})["ports"] if isinstance(each, Mapping)]
    made = normal.service({"ports": [with_defaults(str(entry))]})["ports"]
    return [each for each in made if isinstance(each, Mapping)]
