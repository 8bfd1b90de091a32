"""Somebody's own repository, adopted and run by the real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.adoption.repositories import JOURNAL, LONG_FORMS
from tests.containers import IMAGE, docker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LISTENS = 'FROM {image}\nENTRYPOINT ["python3", "-m", "http.server", "{port}"]\n'
_NPM = """\
FROM {image}
RUN printf '#!/bin/sh\\n[ "$1" = install ] || exec python3 -m http.server "$PORT"\\n' >/usr/local/bin/npm \\
 && chmod 755 /usr/local/bin/npm
"""
_NODE = """\
FROM {image}
RUN printf '#!/bin/sh\\ntest -f "$1" && exec python3 -m http.server 3000\\n' >/usr/local/bin/node \\
 && chmod 755 /usr/local/bin/node
"""
# SIGINT is the only signal that Python ends by where it is the first process: others are waited for in vain.
_STOPS = "STOPSIGNAL SIGINT\n"
#: what stands under the name of an image that cannot be had here, and does nothing but be there
STAND_INS = {
    "python:3.10-slim-buster": "FROM {image}\n",
    "node:16.18": _NPM,
    "node:22": _NODE,
    "mongo:7": _LISTENS.replace("{port}", "27017"),
    "valkey/valkey:8": _LISTENS.replace("{port}", "6379"),
    "amazon/dynamodb-local:latest": 'FROM {image}\nENTRYPOINT ["sh", "-c", "python3 -m http.server 8000"]\n',
    "postgres:13-alpine": _LISTENS.replace("{port}", "5432"),
    "postgres:16-alpine": """\
FROM {image}
RUN printf '#!/bin/sh\\nexit 0\\n' >/usr/local/bin/pg_isready && chmod 755 /usr/local/bin/pg_isready
CMD ["python3", "-m", "http.server", "5432"]
""",
    "redis:7-alpine": """\
FROM {image}
RUN printf '#!/bin/sh\\nexec python3 -m http.server 6379\\n' >/usr/local/bin/redis-server \\
 && chmod 755 /usr/local/bin/redis-server
""",
}


def build_stand_ins(names: Iterable[str], folder: Path) -> list[str]:
    """Build those that are not there under their names; returns the names of what was built."""
    built = []
    for name in names:
        if docker("image", "ls", "--quiet", name).strip():
            continue
        (folder / "Dockerfile").write_text(
            STAND_INS[name].replace("{image}", IMAGE) + _STOPS, encoding="utf-8"
        )
        docker("build", "--quiet", "--tag", name, str(folder))
        built.append(name)
    return built


def mended_journal() -> dict[str, str]:
    """The journal's repository, unchanged but for the one line that keeps it from starting."""
    app = JOURNAL["backend-flask/app.py"]
    mended = app.replace("@app.before_first_request\n", "@app.before_request\n", 1)
    assert mended != app
    return {**JOURNAL, "backend-flask/app.py": mended}


def long_forms(metrics: int) -> dict[str, str]:
    """The repository of long forms, with another number for the port that the manifest does not name."""
    text = LONG_FORMS["compose.yml"]
    moved = text.replace('published: "9464"', f'published: "{metrics}"', 1)
    assert moved != text
    return {**LONG_FORMS, "compose.yml": moved}


def local_ports(ports: dict[str, int]) -> str:
    """A bootstrap.local.toml with other ports for this machine."""
    return "".join(f"[services.{json.dumps(name)}]\nport = {port}\n" for name, port in ports.items())
