"""What Docker says becomes of a project's containers."""

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a container."""

    #: Docker's word: start, die, ...
    action: str
    service: str
    container: str
    exit_code: int
    #: seconds since the epoch, by Docker's clock
    when: float


def parse(line: bytes) -> Happened | None:
    """Read a line of `docker events --format '{{json .}}'`; None for one that is about no Compose service."""
    try:
        document: dict[str, Any] = msgspec.json.decode(line)
        actor = document["Actor"]
        attributes = actor["Attributes"]
        return Happened(
            action=str(document["Action"]),
            service=str(attributes["com.docker.compose.service"]),
            container=str(actor["ID"]),
            exit_code=int(attributes.get("exitCode") or 0),
            when=int(document.get("timeNano") or 0) / 1e9,
        )
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None
