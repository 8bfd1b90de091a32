"""Whether arguments are what AWS's own model of an API allows: names, types, lengths, ranges and so on.

botocore checks names, types and the least of a range before it sends anything; AWS checks all of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.stand_ins.aws.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.core.model import OperationModel

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}
#: Unicode's classes that Java's expressions know and Python's do not
_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


def check(operation: OperationModel, arguments: dict[str, Any]) -> None:
    """Refuse arguments that the model does not allow, with all that is wrong in one message as AWS does."""
    shape = operation.input_shape
    problems = list(_problems(shape, arguments, "")) if shape else []
    if problems:
        count = f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: "
        invalid(operation.service_model.service_name, count + "; ".join(problems))


def _problems(shape: Any, value: Any, where: str) -> Iterator[str]:
    kinds = _TYPES.get(shape.type_name)
    if kinds is not None and (
        not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
    ):
        yield f"Value at '{where}' must be a {shape.type_name}"
        return
    yield from _constraints(shape, value, where)
    if shape.type_name == "structure":
        yield from _members(shape, value, where)
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{where}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{where}.key")
            yield from _problems(shape.value, item, f"{where}.{key}.value")


def _members(shape: Any, value: dict[str, Any], where: str) -> Iterator[str]:
    prefix = f"{where}." if where else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{prefix}{name}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name not in shape.members:
            yield f"there is no member '{prefix}{name}'"
        elif item is not None:
            yield from _problems(shape.members[name], item, f"{prefix}{name}")


def _constraints(shape: Any, value: Any, where: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    number = isinstance(value, int | float)
    size, word = (value, "value") if number else (len(value), "length")
    failed = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must"
    if least is not None and size < least:
        yield f"{failed} have {word} greater than or equal to {least}"
    if most is not None and size > most:
        yield f"{failed} have {word} less than or equal to {most}"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not _compiled(pattern).fullmatch(value):
        yield f"{failed} satisfy regular expression pattern: {pattern}"
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield f"{failed} satisfy enum value set: [{', '.join(shape.metadata['enum'])}]"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    unicode = "\\p{" in pattern
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    # In Java \w is ASCII, whatever letters a pattern otherwise names.
    return re.compile(pattern, 0 if unicode else re.ASCII)
