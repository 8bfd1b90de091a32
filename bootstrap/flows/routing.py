"""Where each vendor's telemetry goes in this run, who decided so, and what the next command is told of it."""

from typing import Literal

import msgspec
from msgspec import Struct

from bootstrap.system.state import State

#: the vendor itself, the collector on this machine, or nowhere
Where = Literal["cloud", "local", "off"]

_ROUTING = "routing"


class Decision(Struct, frozen=True):
    """Where one vendor's telemetry goes, and why, in words that end with what to type."""

    vendor: str
    title: str
    where: Where
    reason: str


def record(state: State, decisions: list[Decision]) -> None:
    """Remember what the run that is about to start does."""
    state.write(_ROUTING, {"decisions": msgspec.to_builtins(decisions)})


def recorded(state: State) -> list[Decision]:
    """Read what the current or last run does; empty where there was none."""
    try:
        return msgspec.convert((state.read(_ROUTING) or {}).get("decisions", []), list[Decision])
    except msgspec.ValidationError:
        return []
