"""The table of formats that an environment can be printed in."""

import json
from collections.abc import Callable, Sequence

from bootstrap.encoding import compose_env, shell
from bootstrap.encoding.names import check_value

Pairs = Sequence[tuple[str, str]]


def _shell(pairs: Pairs) -> str:
    return "".join(shell.export(name, value) + "\n" for name, value in pairs)


def _compose_env(pairs: Pairs) -> str:
    return "".join(compose_env.assignment(name, value) + "\n" for name, value in pairs)


def _json(pairs: Pairs) -> str:
    for name, value in pairs:
        check_value(name, value)
    return json.dumps(dict(pairs), indent=2, ensure_ascii=False) + "\n"


#: what --format offers: each encodes all pairs for one reader, or refuses by name
FORMATS: dict[str, Callable[[Pairs], str]] = {"shell": _shell, "compose-env": _compose_env, "json": _json}
