"""One field that differs, in lines for people: down to the part of a document that is another one."""

import json
from collections.abc import Iterator
from typing import Any

#: characters of a value that are shown, and of a policy's statement: whoever agrees has read all of it, and
#: IAM takes no longer policy
_LONGEST, _LONGEST_STATEMENT = 300, 6_144


def lines(name: str, before: Any, after: Any) -> Iterator[str]:
    """Yield `name: before -> after`, for a table or a list its parts; what is not there is left out."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield from lines(f"{name}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list(name, before, after)
    elif before is None and isinstance(after, dict) and isinstance(after.get("Statement"), list):
        yield from _list(f"{name}.Statement", [], after["Statement"])
    elif before is None:
        yield f"{name}: {_short(after)}"
    else:
        yield f"{name}: {_short(before)} -> {_short(after)}"


def _list(name: str, before: list[Any], after: list[Any]) -> Iterator[str]:
    gone = [one for one in before if one not in after]
    new = [one for one in after if one not in before]
    if len(gone) == len(new) == 1 and isinstance(gone[0], dict) and isinstance(new[0], dict):
        yield from lines(f"{name}[{after.index(new[0])}]", gone[0], new[0])
        return
    yield from (f"{name}: - {_short(one)}" for one in gone)
    yield from (f"{name}: + {_short(one)}" for one in new)
    if not gone and not new:
        yield f"{name}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    longest = _LONGEST_STATEMENT if isinstance(value, dict) and "Effect" in value else _LONGEST
    return text if len(text) <= longest else f"{text[:longest]}..."
