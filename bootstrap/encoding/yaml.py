"""YAML 1.1 and 1.2 block style from plain data, and the `$` of Compose's interpolation."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from bootstrap.model.errors import BootstrapError

# Plain only what every YAML version reads as the same text: no number, date, boolean or null looks like it.
_PLAIN = re.compile(r"(?:[A-Za-z_/]|\./)(?:[A-Za-z0-9_./@-]|:(?=[A-Za-z0-9_./@-]))*", re.ASCII)
# Several lines of visible ASCII, none empty, indented, or with blanks at its end: readable as they are.
_LITERAL = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?\n)+(?:[!-~](?:[ -~]*[!-~])?)?", re.ASCII)
#: characters of a key that no `?` stands before (YAML 1.2, 7.4.2)
_LONGEST_KEY = 1024
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
# JSON's double-quoted text is YAML's, but for these: control characters that JSON leaves as they are, the
# line ends that YAML 1.1 folds, and what is not a character in either.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Interpolated(str):
    """A text whose `$` Compose itself is to interpret."""

    __slots__ = ()


class Replaced(list[Any]):
    """A list that takes the place of the one below it, where Compose would join the two."""

    __slots__ = ()


class ReplacedTable(dict[str, Any]):
    """A table that takes the place of the one below it, as Replaced does."""

    __slots__ = ()


def scalar(value: object) -> str:
    """Encode one value on one line. Raises BootstrapError for what YAML cannot hold."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if not isinstance(value, str):
        raise BootstrapError(
            f"{value!r}: a {type(value).__name__} cannot be written as YAML", "Write it as text."
        )
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _number(value: float) -> str:
    """YAML 1.1 takes it for text without a point in it; both versions spell what is no number like this."""
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits, e, exponent = repr(value).partition("e")
    return f"{digits}{'' if '.' in digits else '.0'}{e}{exponent}"


def block(value: object, indent: int = 0) -> str:
    """Encode data as a block whose lines are indented by `indent` blanks; no line end at the end."""
    return "\n".join(_lines(value, " " * indent))


def _lines(value: object, margin: str) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [line for key, item in value.items() for line in _entry(f"{margin}{_key(key)}:", item, margin)]
    if isinstance(value, list | tuple) and value:
        return [line for item in value for line in _item(item, margin)]
    return [margin + _empty_or_scalar(value)]


def _key(value: object) -> str:
    text = scalar(value)
    if len(text) > _LONGEST_KEY:
        raise BootstrapError(f"{text[:20]}...: a key of YAML has at most 1024 characters", "Shorten it.")
    return text


def _entry(head: str, value: object, margin: str) -> list[str]:
    if value is None:
        return [head]
    if isinstance(value, str) and _LITERAL.fullmatch(value):
        keep = "|" if value.endswith("\n") else "|-"
        return [f"{head} {keep}", *(f"{margin}  {line}" for line in value.splitlines())]
    if isinstance(value, Replaced | ReplacedTable):
        head += " !override"
    if isinstance(value, Mapping | list | tuple) and value:
        return [head, *_lines(value, margin + "  ")]
    return [f"{head} {_empty_or_scalar(value)}"]


def _item(value: object, margin: str) -> list[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        first, *rest = _lines(value, margin + "  ")
        return [f"{margin}- {first[len(margin) + 2 :]}", *rest]
    return [f"{margin}- {_empty_or_scalar(value)}"]


def _empty_or_scalar(value: object) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return scalar(value)


def for_compose(value: Any) -> Any:
    """Double every `$` in the texts of `value`, except in Interpolated ones, so that Compose keeps it."""
    if isinstance(value, Interpolated):
        return str(value)
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        made = {key: for_compose(item) for key, item in value.items()}
        return ReplacedTable(made) if isinstance(value, ReplacedTable) else made
    if isinstance(value, Replaced):
        return Replaced(for_compose(item) for item in value)
    if isinstance(value, list | tuple):
        return [for_compose(item) for item in value]
    return value
