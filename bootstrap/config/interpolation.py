"""`${url:SERVICE}`, `${address:SERVICE}` and `${port:SERVICE}`: all the interpolation there is."""

import re
from collections.abc import Callable, Mapping

_REFERENCE = re.compile(r"\$\{(url|address|port):([^}]*)\}")


def references(value: str) -> list[tuple[str, str]]:
    """Every reference in `value`: its kind and the service it names."""
    return _REFERENCE.findall(value)


def interpolate(value: str, fill: Mapping[str, Callable[[str], object]]) -> str:
    """Fill in the references; `fill` maps "url", "address" and "port" to functions of a service's name."""
    return _REFERENCE.sub(lambda match: str(fill[match[1]](match[2])), value)


def refers_to_url(value: str) -> bool:
    """Whether filling in `value` gives something that depends on the workspace."""
    return any(kind == "url" for kind, _ in references(value))
