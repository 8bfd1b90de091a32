"""`secrets get`, `list`, `export` and `use`: one row for each thing that somebody may do."""

import json

import pytest

from bootstrap.encoding.formats import FORMATS
from tests.secrets.outcomes import NAMES, PLAIN, TWO, Row, check, error, failure
from tests.secrets.shop import Shop

GET = [
    Row("get WORKER_KEY", 0, out="v\n", before={"WORKER_KEY": "v"}),
    Row("get WORKER_KEY --exact", 0, out="v\r\n$x", before={"WORKER_KEY": "v\r\n$x"}),
    Row(
        "get WORKER_KEY --json",
        0,
        json={"name": "WORKER_KEY", "value": "e", "store": "environment"},
        before={"WORKER_KEY": "v"},
        env={"WORKER_KEY": "e"},
    ),
    Row("get WORKER_KEY --store file", 0, out="v\n", before={"WORKER_KEY": "v"}, env={"WORKER_KEY": "e"}),
    Row("get WORKER_KEY", 3, error("WORKER_KEY is not set", "Set it: bootstrap secrets set WORKER_KEY")),
    Row(
        "get WORKER_KEY --store file",
        3,
        error("WORKER_KEY is not set in file", "Set it: bootstrap secrets set WORKER_KEY"),
        env={"WORKER_KEY": "e"},
    ),
    Row(
        "get WORKR_KEY",
        3,
        error(
            "WORKR_KEY is not set, and nobody declares WORKR_KEY: did you mean WORKER_KEY?",
            "See which there are: bootstrap secrets list",
        ),
    ),
    Row("get EXTRA", 0, out="v\n", before={"EXTRA": "v"}, what="get what nobody declares"),
    Row("get kept-away", 2, error("what was named is not the name of a secret", NAMES)),
    Row("get", 2, error("Missing argument 'NAME'", "See: bootstrap secrets get --help")),
]

EXPORT = [
    *(
        Row(f"export --format {form}", 0, out=encode(list(PLAIN.items())), before=PLAIN)
        for form, encode in FORMATS.items()
    ),
    Row("export", 0, out=FORMATS["shell"](list(TWO.items())), before=TWO),
    Row("export WORKER_KEY", 0, out=FORMATS["shell"]([("WORKER_KEY", "c")]), before=TWO),
    Row("export --service worker", 0, out=FORMATS["shell"]([("WORKER_KEY", "c")]), before=TWO),
    Row("export --service worker DATABASE_URL", 0, before=TWO),
    Row("export", 0, what="export nothing"),
    Row("export --json", 0, json=TWO, before=TWO),
    Row(
        "export --json --format fish",
        2,
        error("--format fish is no JSON", "Leave out --json, or choose --format json."),
        json=failure("--format fish is no JSON", "Leave out --json, or choose --format json.", 2),
        before=TWO,
    ),
    Row("export --service nope", 2, error("there is no service 'nope'", "Services: api, worker"), before=TWO),
    Row("export WORKER_KEY", 3, error("WORKER_KEY is not set", "Set it: bootstrap secrets set WORKER_KEY")),
    Row(
        "export NOPE",
        3,
        error("NOPE is not set, and nobody declares NOPE", "See which there are: bootstrap secrets list"),
        before=TWO,
    ),
]

LIST = [
    Row(
        "list --missing",
        0,
        "\nKept in file. To set one: bootstrap secrets set NAME\n",
        out="NAME        VALUE              SEEN BY  WHERE\nWORKER_KEY  missing, required  worker\n",
        env={"HONEYCOMB_API_KEY": "a", "HONEYCOMB_CONFIGURATION_KEY": "b"},
        before={"DATABASE_URL": "kept-away"},
    ),
    Row(
        "list --missing",
        0,
        "No secret is missing.\n",
        env={"HONEYCOMB_API_KEY": "a", "HONEYCOMB_CONFIGURATION_KEY": "b"},
        before=TWO,
        what="list --missing: nothing",
    ),
    Row(
        "list",
        0,
        "\nKept in file. To set one: bootstrap secrets set NAME\n",
        out=(
            "NAME                         VALUE     SEEN BY              WHERE\n"
            "HONEYCOMB_API_KEY            ********  api                  environment\n"
            "HONEYCOMB_CONFIGURATION_KEY  ********  bootstrap provision  environment\n"
            "DATABASE_URL                 ********  api                  environment, file (another value)\n"
            "WORKER_KEY                   ********  worker               environment, file\n"
        ),
        env={
            "HONEYCOMB_API_KEY": "a",
            "HONEYCOMB_CONFIGURATION_KEY": "b",
            "DATABASE_URL": "kept-away",
            "WORKER_KEY": "c",
        },
        before={"DATABASE_URL": "stale", "WORKER_KEY": "c"},
    ),
]

USE = [
    Row(
        "use file",
        0,
        "Secrets of github.com/acme/shop are kept in a file outside the repository from now on.\n",
        chosen=False,
    ),
    Row("use file --json", 0, json={"store": "file", "before": "file"}),
    Row(
        "use environment",
        0,
        "Secrets of github.com/acme/shop are kept in the environment from now on.\n"
        "What is in file stays there, and the environment is only read.\n",
    ),
    Row(
        "use gitpod",
        3,
        error(
            "the store gitpod does not work here:"
            " this is no Gitpod workspace, and `gp env` works in one only",
            "Mend that, or choose another one: bootstrap secrets use file",
        ),
    ),
]


@pytest.mark.parametrize("row", [*GET, *EXPORT, *LIST, *USE], ids=str)
def test_outcome(shop: Shop, row: Row) -> None:
    check(shop, row)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_value_is_the_same_bytes_in_every_locale(shop: Shop, encoding: str) -> None:
    value = "gr\u00fc\u00dfe \U0001f600"
    shop.choose("file", WORKER_KEY=value)
    env = {"PYTHONIOENCODING": encoding}
    assert shop("secrets", "get", "WORKER_KEY", "--exact", env=env).check(0).out == value
    assert json.loads(shop("secrets", "get", "WORKER_KEY", "--json", env=env).check(0).out)["value"] == value
    assert json.loads(shop("secrets", "export", "--format", "json", env=env).check(0).out) == {
        "WORKER_KEY": value
    }
    assert value in shop("env", "worker", "--format", "shell", "--reveal", env=env).check(0).out


def test_what_is_no_text_in_the_environment_is_given_as_it_is(shop: Shop) -> None:
    assign = "WORKER_KEY=$(printf 'a\\377b'); export WORKER_KEY; "
    shown = shop("secrets", "get", "WORKER_KEY", shell=assign + 'exec "$@" | od -An -tx1').check(0)
    assert shown.out.split() == ["61", "ff", "62", "0a"]


def test_who_leaves_a_store_is_told_what_can_be_taken_along(shop: Shop) -> None:
    for before, says in (
        ("environment", ": bootstrap secrets copy --from environment --to file"),
        ("codespaces", " and cannot be read back. To set it again: bootstrap secrets set"),
    ):
        shop.choose(before)
        assert shop("secrets", "use", "file").check(0).lines[1] == f"What is in {before} stays there{says}"


def test_list_says_everything_but_the_values(shop: Shop) -> None:
    shop.choose("file", DATABASE_URL="kept-away", WORKER_KEY="kept-away")
    listed = json.loads(shop("secrets", "list", "--json", env={"DATABASE_URL": "other"}).check(0).out)
    assert listed["store"] == "file"
    by_name = {entry["name"]: entry for entry in listed["secrets"]}
    assert list(by_name) == [
        "HONEYCOMB_API_KEY",
        "HONEYCOMB_CONFIGURATION_KEY",
        "DATABASE_URL",
        "WORKER_KEY",
    ]
    assert by_name["DATABASE_URL"] == {
        "name": "DATABASE_URL",
        "description": "Where the orders are",
        "documentation": None,
        "audience": "service",
        "required": False,
        "services": ["api"],
        "set": True,
        "counts": "environment",
        "layers": ["environment", "file"],
        "disagreeing": ["file"],
    }
    assert by_name["HONEYCOMB_CONFIGURATION_KEY"]["services"] == []
    assert by_name["WORKER_KEY"]["required"] is True
    assert by_name["HONEYCOMB_API_KEY"]["counts"] is None


def test_a_value_that_a_reader_cannot_hold_is_refused_by_name(shop: Shop) -> None:
    shop.choose("file", WORKER_KEY="kept\naway")
    refused = shop("secrets", "export", "--format", "docker-env").check(1, "WORKER_KEY: ", "Use --format")
    assert refused.out == ""
    assert "away" not in refused.err
