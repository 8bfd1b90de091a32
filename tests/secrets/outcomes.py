"""One row of a table: a command about secrets, and exactly what comes of it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.secrets.shop import Shop

NAMES = "Capital letters, digits and _, starting with a letter. A value comes by prompt or on stdin."
NEXT = "Next: bootstrap up\n"
TWO = {"DATABASE_URL": "a$b", "WORKER_KEY": "c"}
PLAIN = {"DATABASE_URL": "postgres://u:p@h/db", "WORKER_KEY": "c"}


def error(what: str, hint: str) -> str:
    """The two lines of an error."""
    return f"bootstrap: {what}\n  {hint}\n"


@dataclass(frozen=True)
class Row:
    """One command, where the file store is chosen and has `before`."""

    command: str
    code: int
    #: {root} in it is the project's folder
    err: str = ""
    out: str = ""
    #: instead of `out`: what the JSON document says
    json: Any = None
    data: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    #: what the store has afterwards; as before where nothing is said
    after: Mapping[str, str] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    #: whether there was a choice of a store before
    chosen: bool = True
    what: str = ""

    def __str__(self) -> str:
        """As pytest names it."""
        return self.what or self.command


def outcome(name: str, fate: str, detail: str = "", hint: str = "") -> dict[str, str]:
    """One entry of what became of each name."""
    return {"name": name, "fate": fate, "detail": detail, "hint": hint}


def failure(message: str, hint: str, code: int) -> dict[str, Any]:
    """An error as --json prints it."""
    return {"error": {"message": message, "hint": hint, "exit_code": code}}


def check(shop: Shop, row: Row) -> None:
    """Run the row's command, and compare everything."""
    if row.chosen:
        shop.choose("file", **row.before)
    for path, text in row.files.items():
        shop.write(path, text)
    result = shop("secrets", *shlex.split(row.command), data=row.data, env=row.env)
    assert (result.code, result.said) == (row.code, row.err.replace("{root}", str(shop.root)))
    if row.json is None:
        assert result.out == row.out
    else:
        assert json.loads(result.out) == row.json
    assert shop.kept("file") == (row.before if row.after is None else row.after)
    assert not (shop.root / "executed").exists()
    if not row.chosen and row.code:
        assert list(shop.home.iterdir()) == []  # nothing was chosen for good, either
