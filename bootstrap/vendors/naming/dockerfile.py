"""Reads which variables a Dockerfile sets, as far as it says them outright."""

import re
import shlex

_CONTINUED = re.compile(r"\\[ \t]*\r?\n")
_INSTRUCTION = re.compile(r"^[ \t]*ENV[ \t]+(.+)$", re.IGNORECASE | re.MULTILINE)


def environment(text: str) -> dict[str, str]:
    """The variables of its ENV instructions; what refers to another variable is left out.

    https://docs.docker.com/reference/dockerfile/#env: `ENV NAME=value ...` and `ENV NAME value`.
    """
    found: dict[str, str] = {}
    for instruction in _INSTRUCTION.findall(_CONTINUED.sub(" ", text)):
        for name, value in _pairs(instruction.strip()):
            if "$" not in value:
                found[name] = value
            else:
                found.pop(name, None)
    return found


def _pairs(instruction: str) -> list[tuple[str, str]]:
    first = instruction.split(maxsplit=1)
    if "=" not in first[0]:
        return [(first[0], first[1])] if len(first) > 1 else []
    try:
        words = shlex.split(instruction)
    except ValueError:  # a quotation mark without its other one
        return []
    return [(name, value) for name, sign, value in (word.partition("=") for word in words) if sign]
