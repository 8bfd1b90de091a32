"""`secrets set` and `unset`: one row for each thing that somebody may do."""

import shlex
from pathlib import Path

import pytest

from bootstrap.secrets import STORES
from tests.secrets.outcomes import NAMES, NEXT, Row, check, error, failure, outcome
from tests.secrets.shop import Shop

CHOSEN = (
    "Secrets of github.com/acme/shop are kept in a file outside the repository from now on.\n"
    "  Another place: bootstrap secrets use STORE\n"
)

KNOWN = "Your shell's history has it now: make a new one, and type it at: bootstrap secrets set WORKER_KEY"
SET = [
    Row("set WORKER_KEY", 0, f"WORKER_KEY: stored\n{NEXT}", data="v\n", after={"WORKER_KEY": "v"}),
    Row(
        "set WORKER_KEY",
        0,
        f"WORKER_KEY: unchanged\n{NEXT}",
        data="v\n",
        before={"WORKER_KEY": "v"},
        what="set the same again",
    ),
    Row(
        "set WORKER_KEY --exact",
        0,
        f"WORKER_KEY: stored\n{NEXT}",
        data="v\r\n",
        after={"WORKER_KEY": "v\r\n"},
    ),
    Row(
        "set WORKER_KEY",
        0,
        f"WORKER_KEY: stored\n{NEXT}",
        data="v\n\r\n",
        after={"WORKER_KEY": "v\n"},
        what="set drops one final line end",
    ),
    Row(
        "set WORKER_KEY --json",
        0,
        json={"store": "file", "outcomes": [outcome("WORKER_KEY", "stored")], "next": NEXT.strip()},
        data="v",
        after={"WORKER_KEY": "v"},
    ),
    Row(
        "set WORKER_KEY",
        0,
        f"{CHOSEN}WORKER_KEY: stored\n{NEXT}",
        data="v",
        after={"WORKER_KEY": "v"},
        chosen=False,
        what="the first set chooses",
    ),
    Row(
        "set WORKER_KEY --store file",
        0,
        "This repository's secrets are read from no store yet."
        f" To change that: bootstrap secrets use file\nWORKER_KEY: stored\n{NEXT}",
        data="v",
        after={"WORKER_KEY": "v"},
        chosen=False,
        what="a store that is named for once",
    ),
    Row(
        "set WORKER_KEY",
        0,
        "WORKER_KEY: stored\n"
        "WORKER_KEY: this shell's own value counts before the store's. Remove it: unset WORKER_KEY\n" + NEXT,
        data="v",
        env={"WORKER_KEY": "stale"},
        after={"WORKER_KEY": "v"},
        what="set, and the shell has another value",
    ),
    Row(
        "set WORKER_KEY DATABASE_URL",
        2,
        error(
            "stdin holds one value, and 2 are wanted",
            "Name one; or give several as a file: bootstrap secrets import FILE",
        ),
        data="v",
        chosen=False,
    ),
    Row(
        "set WORKER_KEY",
        2,
        error("WORKER_KEY: stdin is empty", "To remove it: bootstrap secrets unset WORKER_KEY"),
        data="\n",
        before={"WORKER_KEY": "v"},
        what="set to nothing",
    ),
    Row(
        "set",
        0,
        "No secret is missing. To change one, name it: bootstrap secrets set NAME\n",
        env={"HONEYCOMB_API_KEY": "a", "HONEYCOMB_CONFIGURATION_KEY": "b"},
        before={"WORKER_KEY": "v", "DATABASE_URL": "v"},
    ),
    Row(
        "set WORKER_KAY",
        2,
        error(
            "nobody declares WORKER_KAY: did you mean WORKER_KEY?",
            "Declare it in bootstrap.toml: [secrets.WORKER_KAY]; or keep it all the same: --undeclared",
        ),
        data="v",
    ),
    Row("set EXTRA --undeclared", 0, "EXTRA: stored\n", data="v", after={"EXTRA": "v"}),
    Row(
        "set OTEL_EXPORTER_OTLP_HEADERS --undeclared",
        2,
        error(
            "OTEL_EXPORTER_OTLP_HEADERS follows from the manifest and the vendors' own keys,"
            " and is never stored",
            "Set the key itself: bootstrap secrets list",
        ),
        data="v",
    ),
    Row(
        "set LD_PRELOAD --undeclared",
        1,
        error(
            "LD_PRELOAD: changes how shells and programs behave, so it is not handed to them",
            "Give the variable a name of your own, and read that in the service.",
        ),
        data="v",
    ),
    Row(
        "set WORKER_KEY kept-away",
        2,
        error("name 2 of 2 is not the name of a secret", f"Was it the value of WORKER_KEY? {KNOWN}"),
        what="a value in the place of a name is not repeated",
    ),
    Row(
        "set WORKER_KEY=kept-away",
        2,
        error(
            "WORKER_KEY: a value is never an argument, where others could see it",
            KNOWN,
        ),
        what="a value behind a name is not repeated",
    ),
    Row(
        "set DATABASE_URL worker_key",
        2,
        error("name 2 of 2 is not the name of a secret: did you mean WORKER_KEY?", NAMES),
        data="v",
    ),
    Row(
        "set worker_key",
        2,
        error("what was named is not the name of a secret: did you mean WORKER_KEY?", NAMES),
        data="v",
    ),
    *(
        Row(
            f"set {shlex.quote(name)} --undeclared",
            2,
            error("what was named is not the name of a secret", NAMES),
            data="v",
            what=f"set {name!r}",
        )
        for name in ("$(touch executed)", "A B", "A\nB", "\x1b[31m", "../A", "Ä", "A-B", "1A", "")
    ),
    Row(
        "set WORKER_KEY --store nope",
        2,
        error(
            f"Invalid value for '--store': 'nope' is not one of {', '.join(map(repr, STORES))}",
            "See: bootstrap secrets set --help",
        ),
        data="v",
    ),
    Row(
        "set WORKER_KEY --store codespaces",
        3,
        error(
            "the store codespaces does not work here: there is no `gh` command on the PATH; see https://cli.github.com",
            "Mend that, or choose another one: bootstrap secrets use file",
        ),
        data="v",
        env={"PATH": "/nowhere"},
    ),
    Row(
        "set WORKER_KEY --store environment --json",
        3,
        error("the environment is only read", "Choose another store: --store"),
        json=failure("the environment is only read", "Choose another store: --store", 3),
        data="v",
    ),
]

UNSET = [
    Row("unset WORKER_KEY", 0, f"WORKER_KEY: removed\n{NEXT}", before={"WORKER_KEY": "v"}, after={}),
    Row("unset WORKER_KEY", 0, f"WORKER_KEY: was not set\n{NEXT}"),
    Row(
        "unset WORKER_KEY EXTRA --json",
        0,
        json={
            "store": "file",
            "outcomes": [outcome("WORKER_KEY", "absent"), outcome("EXTRA", "removed")],
            "next": NEXT.strip(),
        },
        before={"EXTRA": "v", "DATABASE_URL": "stays"},
        after={"DATABASE_URL": "stays"},
    ),
    Row(
        "unset WORKER_KEY",
        0,
        "WORKER_KEY: removed\n"
        "WORKER_KEY: this shell's own value counts before the store's. Remove it: unset WORKER_KEY\n" + NEXT,
        before={"WORKER_KEY": "v"},
        env={"WORKER_KEY": "e"},
        after={},
        what="unset, and the shell has a value",
    ),
    Row(
        "unset WORKR_KEY",
        0,
        "WORKR_KEY: was not set\nnobody declares WORKR_KEY: did you mean WORKER_KEY?\n",
        before={"WORKER_KEY": "v"},
    ),
    Row("unset -- --force", 2, error("what was named is not the name of a secret", NAMES)),
    Row("unset", 2, error("Missing argument 'NAME...'", "See: bootstrap secrets unset --help")),
]


@pytest.mark.parametrize("row", [*SET, *UNSET], ids=str)
def test_outcome(shop: Shop, row: Row) -> None:
    check(shop, row)


@pytest.mark.parametrize("command", ["set WORKER_KEY", "import - --format json", "import -"])
def test_a_closed_stdin_is_an_empty_one(shop: Shop, command: str) -> None:
    shop.choose("file")
    words = ["secrets", *command.split()]
    closed = shop(*words, shell='exec "$@" <&-')
    empty = shop(*words)
    assert (closed.code, closed.out, closed.err) == (empty.code, empty.out, empty.err)
    assert "Traceback" not in closed.err


def test_without_a_manifest_it_says_which_command_makes_one(shop: Shop) -> None:
    (shop.root / "bootstrap.toml").unlink()
    for verb in (
        ["list"],
        ["set", "A"],
        ["get", "A"],
        ["unset", "A"],
        ["import", "--environment"],
        ["export"],
    ):
        shop("secrets", *verb, data="kept-away").check(3, "there is no bootstrap.toml", "bootstrap init")


def test_a_file_of_somebody_else_is_left_alone(shop: Shop) -> None:
    shop.choose("file", WORKER_KEY="v")
    (file,) = Path(shop.home).rglob("secrets.json")
    file.chmod(0o644)
    shop("secrets", "set", "WORKER_KEY", data="w").check(1, "others may read it (mode 0644)", "chmod 600")
    file.chmod(0o600)
    file.write_text('{"repository": "kept-away', encoding="utf-8")
    shop("secrets", "set", "WORKER_KEY", data="w").check(1, "is not whole, and is left as it is")
    assert file.read_text(encoding="utf-8") == '{"repository": "kept-away'
