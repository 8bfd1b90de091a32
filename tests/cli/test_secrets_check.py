"""`secrets check`, `scan` and `hook`: one row for each thing that somebody may do."""

import pytest

from bootstrap.cli.commands import SECRETS
from tests.cli import test_secrets_get, test_secrets_import, test_secrets_set
from tests.secrets.outcomes import Row, check, error, failure
from tests.secrets.shop import Shop

#: what no vendor's key looks like, and is long enough to be looked for
KEPT = {"DATABASE_URL": "kept-away-in-the-store", "WORKER_KEY": "kept-away-as-well"}
HONEYCOMB = "https://docs.honeycomb.io/configure/environments/manage-api-keys/"
SET = "                                      bootstrap secrets set"
NOT_SENT = (
    "note     HONEYCOMB_API_KEY            is not set: nothing is sent to Honeycomb\n"
    f"{SET} HONEYCOMB_API_KEY  ({HONEYCOMB})\n"
    "note     HONEYCOMB_CONFIGURATION_KEY  "
    "is not set; it is for `bootstrap provision`, and no service sees it\n"
    f"{SET} HONEYCOMB_CONFIGURATION_KEY  ({HONEYCOMB})\n"
)
LEFT = "What was ever pushed is no secret: have it revoked where you got it, and get a new one.\n"

CHECK = [
    Row(
        "check",
        0,
        out=NOT_SENT + "ok       DATABASE_URL                 is set\n"
        "ok       WORKER_KEY                   is set\n",
        before=KEPT,
    ),
    Row(
        "check",
        5,
        error("1 problem found", "First: bootstrap secrets set WORKER_KEY"),
        out=NOT_SENT + "note     DATABASE_URL                 is not set, and optional\n"
        f"{SET} DATABASE_URL\n"
        "problem  WORKER_KEY                   is missing, and required\n"
        f"{SET} WORKER_KEY\n",
        what="check: nothing is set",
    ),
    Row(
        "check DATABASE_URL",
        2,
        error("Got unexpected extra argument (DATABASE_URL)", "See: bootstrap secrets check --help"),
    ),
]

SCAN = [
    Row("scan", 0, "No secrets in 1 file.\n", before=KEPT),
    Row(
        "scan",
        5,
        f"\n{LEFT}Keep the new one: bootstrap secrets set WORKER_KEY\n"
        "If it is no secret, say why in a comment on the same line: bootstrap:allow-secret REASON\n",
        out="notes.md:2:8: the value of WORKER_KEY\n",
        before=KEPT,
        files={"notes.md": f"# Week 2\nKEY = '{KEPT['WORKER_KEY']}'\n"},
        what="scan: a leak",
    ),
    Row(
        "scan --staged --json",
        0,
        json={
            "leaks": [],
            "allowed": [],
            "unread": [],
            "looked_at": 0,
            "messages": 0,
            "notes": [],
            "skipped": {},
        },
        before=KEPT,
    ),
    Row(
        "scan --tags week1..week2 --json",
        2,
        error("'week1' is not a tag of this repository", "See: git log --oneline --decorate"),
        json=failure("'week1' is not a tag of this repository", "See: git log --oneline --decorate", 2),
    ),
]

HOOK = [
    Row(
        "hook status",
        0,
        "{root}/.git/hooks/pre-commit: not installed\n  Run: bootstrap secrets hook install\n",
    ),
    Row("hook install", 0, "{root}/.git/hooks/pre-commit: installed\n"),
    Row("hook remove", 0, "{root}/.git/hooks/pre-commit: nothing of ours was there\n"),
    Row(
        "hook",
        2,
        error(
            "Missing argument '{install|remove|status}'. Choose from: install, remove, status",
            "See: bootstrap secrets hook --help",
        ),
    ),
]


@pytest.mark.parametrize("row", [*CHECK, *SCAN, *HOOK], ids=str)
def test_outcome(shop: Shop, row: Row) -> None:
    check(shop, row)


def test_every_verb_has_its_rows() -> None:
    tables = [
        *(CHECK, SCAN, HOOK),
        *(test_secrets_get.GET, test_secrets_get.EXPORT, test_secrets_get.LIST, test_secrets_get.USE),
        *(test_secrets_import.IMPORT, test_secrets_import.COPY),
        *(test_secrets_set.SET, test_secrets_set.UNSET),
    ]
    assert {row.command.split()[0] for rows in tables for row in rows} == set(SECRETS)
