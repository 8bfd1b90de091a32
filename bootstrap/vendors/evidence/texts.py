"""What the vendors' readings have in common: short texts out of anything."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.verification.interface import Evidence

_LONGEST = 120
_MOST = 12


def short(value: object) -> str:
    """Any JSON value as one line that is not too long."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def evidence(pairs: Iterable[tuple[str, object]]) -> Evidence:
    """The first pairs, each once, as texts."""
    return tuple(dict.fromkeys((short(name), short(value)) for name, value in pairs))[:_MOST]


def table(value: object) -> Mapping[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[Mapping[str, Any]]:
    """The objects in a JSON list, whatever it is."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(names: Iterable[str], most: int = 4) -> str:
    """The first few names, each once."""
    unique = list(dict.fromkeys(map(short, names)))
    return ", ".join(unique[:most]) + (", ..." if len(unique) > most else "")
