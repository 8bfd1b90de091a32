"""`secrets import` and `copy`: one row for each thing that somebody may do."""

import pytest

from bootstrap.secrets import STORES
from tests.secrets.outcomes import NAMES, NEXT, TWO, Row, check, error, outcome
from tests.secrets.shop import Shop

ENV_FILE = """\
# comment
DATABASE_URL="postgres://u:p@h/db"
export WORKER_KEY='a b'
OTHER=1
HONEYCOMB_API_KEY=
"""
TORN = "WORKER_KEY=fine\nkept-away kept away\n"


IMPORT = [
    Row(
        "import .env",
        0,
        "Not declared, left out: OTHER (--undeclared keeps them)\nEmpty, left out: HONEYCOMB_API_KEY\n"
        f"DATABASE_URL: stored\nWORKER_KEY: stored\n{NEXT}",
        files={".env": ENV_FILE},
        after={"DATABASE_URL": "postgres://u:p@h/db", "WORKER_KEY": "a b"},
    ),
    Row(
        "import .env --dry-run",
        0,
        "Not declared, left out: OTHER (--undeclared keeps them)\nEmpty, left out: HONEYCOMB_API_KEY\n"
        "Would be kept: DATABASE_URL, WORKER_KEY\n",
        files={".env": ENV_FILE},
    ),
    Row(
        "import .env --dry-run --json",
        0,
        "Not declared, left out: OTHER (--undeclared keeps them)\nEmpty, left out: HONEYCOMB_API_KEY\n",
        json={"would_keep": ["DATABASE_URL", "WORKER_KEY"], "undeclared": ["OTHER"]},
        files={".env": ENV_FILE},
    ),
    Row(
        "import .env --undeclared --json",
        0,
        "Empty, left out: HONEYCOMB_API_KEY\n",
        json={
            "store": "file",
            "outcomes": [outcome(name, "stored") for name in ("DATABASE_URL", "WORKER_KEY", "OTHER")],
            "undeclared": [],
            "next": NEXT.strip(),
        },
        files={".env": ENV_FILE},
        after={"DATABASE_URL": "postgres://u:p@h/db", "WORKER_KEY": "a b", "OTHER": "1"},
    ),
    Row("import .env --name OTHER", 0, "OTHER: stored\n", files={".env": ENV_FILE}, after={"OTHER": "1"}),
    Row(
        "import .env --name NOPE",
        1,
        error(".env: has no NOPE", "Check the spelling."),
        files={".env": ENV_FILE},
    ),
    Row(
        "import keys.json",
        0,
        f"Not declared, left out: 1 with other names (--undeclared keeps them)\nWORKER_KEY: stored\n{NEXT}",
        files={"keys.json": '{"WORKER_KEY": "a\\nb", "kept-away": "c"}'},
        after={"WORKER_KEY": "a\nb"},
    ),
    Row(
        "import --environment",
        0,
        f"WORKER_KEY: stored\n{NEXT}",
        env={"WORKER_KEY": "e", "UNRELATED": "kept-away"},
        after={"WORKER_KEY": "e"},
    ),
    Row(
        "import -",
        0,
        f"WORKER_KEY: stored\n{NEXT}",
        data="WORKER_KEY=1\nWORKER_KEY=2\n",
        after={"WORKER_KEY": "2"},
        what="import: the last of two counts, as python-dotenv has it",
    ),
    Row(
        "import -",
        0,
        f"WORKER_KEY: stored\n{NEXT}",
        data="WORKER_KEY=$HOME/${DATABASE_URL}\n",
        after={"WORKER_KEY": "$HOME/${DATABASE_URL}"},
        what="import interpolates nothing",
    ),
    Row(
        "import -",
        1,
        error("stdin, line 2: is not NAME=VALUE", "Mend or remove the line."),
        data=TORN,
        what="import: a torn line",
    ),
    Row(
        "import -",
        1,
        error("stdin, line 2: is not NAME=VALUE", "Mend or remove the line."),
        data="WORKER_KEY=fine\nkept-away\n",
        what="import: a line without a value",
    ),
    Row(
        "import - --undeclared",
        2,
        error("name 2 of 2 is not the name of a secret", NAMES),
        data="WORKER_KEY=fine\nkept-away==\n",
        what="import: the last line of a torn key file",
    ),
    Row(
        "import - --format json",
        1,
        error("stdin: is not JSON (byte 25)", "Give one object of names and texts."),
        data='{"WORKER_KEY": "kept-away\n"}',
        what="import: torn JSON",
    ),
    Row(
        "import - --format json",
        1,
        error("stdin: is not an object", 'Give one object: {"NAME": "value"}'),
        data='["kept-away"]',
        what="import: a list",
    ),
    Row(
        "import - --format json",
        1,
        error("stdin: is nested too deeply", "Give one object of names and texts."),
        data="[" * 100_000,
        what="import: an abyss",
    ),
    Row(
        "import - --format json",
        1,
        error("stdin: WORKER_KEY is not a text", "Put its value in quotes."),
        data='{"WORKER_KEY": 12345678}',
        what="import: a number",
    ),
    Row(
        "import nope.env",
        1,
        error("there is no nope.env in {root}", "Check the path."),
    ),
    Row("import", 2, error("one source is needed", "Name a FILE, or - for stdin, or --environment.")),
    Row(
        "import --environment --undeclared",
        2,
        error(
            "a shell exports much that is no secret",
            "Name what you want instead: --environment --name NAME",
        ),
    ),
]

COPY = [
    Row(
        "copy --from environment --to file --dry-run",
        0,
        out="NAME          WOULD BE\nDATABASE_URL  same already\nWORKER_KEY    replace\n",
        before={"DATABASE_URL": "a", "WORKER_KEY": "b"},
        env={"DATABASE_URL": "a", "WORKER_KEY": "other", "UNRELATED": "kept-away"},
    ),
    Row(
        "copy --from environment --to file --dry-run --json",
        0,
        json={"WORKER_KEY": "add"},
        env={"WORKER_KEY": "e"},
    ),
    Row(
        "copy --from environment --to file",
        0,
        "DATABASE_URL: unchanged\nWORKER_KEY: stored\n2 of 2 are in file now.\n",
        before={"DATABASE_URL": "a", "WORKER_KEY": "b"},
        env={"DATABASE_URL": "a", "WORKER_KEY": "other"},
        after={"DATABASE_URL": "a", "WORKER_KEY": "other"},
    ),
    Row(
        "copy --from environment --to file WORKER_KEY DATABASE_URL",
        0,
        "Not in environment: DATABASE_URL\nWORKER_KEY: stored\n1 of 1 are in file now.\n",
        env={"WORKER_KEY": "e"},
        after={"WORKER_KEY": "e"},
    ),
    Row("copy --from environment --to file", 0, "environment has nothing to copy.\n"),
    Row(
        "copy --from environment --to file WORKER_KEY",
        1,
        "Not in environment: WORKER_KEY\nenvironment has nothing to copy.\n",
    ),
    Row("copy --from file --to file", 2, error("file is both source and target", "Name two stores.")),
    Row(
        "copy --to file",
        2,
        error(
            f"Missing option '--from'. Choose from: {', '.join(STORES)}", "See: bootstrap secrets copy --help"
        ),
    ),
    Row(
        "copy --from file --to environment",
        3,
        error("the environment is only read", "Choose another store: --store"),
        before=TWO,
    ),
    Row(
        "copy --from environment --to file OTEL_EXPORTER_OTLP_HEADERS",
        2,
        error(
            "OTEL_EXPORTER_OTLP_HEADERS follows from the manifest and the vendors' own keys,"
            " and is never stored",
            "Set the key itself: bootstrap secrets list",
        ),
        env={"OTEL_EXPORTER_OTLP_HEADERS": "kept-away"},
    ),
]


@pytest.mark.parametrize("row", [*IMPORT, *COPY], ids=str)
def test_outcome(shop: Shop, row: Row) -> None:
    check(shop, row)
