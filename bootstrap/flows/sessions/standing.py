"""What is remembered about the AWS keys of a run, for whoever asks how it stands; never a part of one."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from bootstrap.flows.sessions.times import when
from bootstrap.model.grant import Purpose
from bootstrap.system.state import State

_SUBJECT = "aws-keys"


class Standing(Struct, frozen=True):
    """The session for one purpose."""

    purpose: Purpose
    #: who has it
    consumers: tuple[str, ...]
    #: when it ends, in seconds since the epoch; None: what they have is the key itself
    until: float | None = None
    #: why it could not be renewed, where it could not
    problem: str = ""


def record(state: State, standings: Iterable[Standing]) -> None:
    """Remember how it stands in the run of this process."""
    state.write(_SUBJECT, {"standings": msgspec.to_builtins(list(standings))})


def recorded(state: State) -> list[Standing]:
    """How it stands, or stood, in the current or last run."""
    try:
        return msgspec.convert((state.read(_SUBJECT) or {}).get("standings", []), list[Standing])
    except msgspec.ValidationError:
        return []


def words(standing: Standing) -> str:
    """One line about it."""
    names = ", ".join(standing.consumers)
    if standing.until is None:
        return f"{names}: the key itself, which may do all that its owner may (--raw-aws-keys)"
    if standing.problem:
        return f"{names}: a session for {standing.purpose!r} until {when(standing.until)}; not renewed: " + (
            standing.problem
        )
    return f"{names}: a session for {standing.purpose!r} until {when(standing.until)}, renewed before"


def as_json(standing: Standing) -> dict[str, object]:
    """The same for programs; a moment is in seconds since the epoch."""
    return {
        "purpose": standing.purpose,
        "services": list(standing.consumers),
        "until": standing.until,
        "problem": standing.problem or None,
    }
