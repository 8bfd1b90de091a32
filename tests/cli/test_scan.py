"""`bootstrap secrets scan` as people see it: where, what, what next - and never the secret."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Repository, Result

MANIFEST = """\
[project]
name = "shop"

[services.web]
image = "web"
telemetry = ["honeycomb", "rollbar"]

[secrets.SHOP_KEY]
[secrets.DATABASE_URL]
"""

Scan = Any


@pytest.fixture
def value(chance: random.Random) -> str:
    """A secret that exists nowhere."""
    return "".join(chance.choices(string.ascii_letters + string.digits, k=30))


@pytest.fixture
def scan(bootstrap: Callable[..., Result], repository: Repository, value: str) -> Scan:
    """Scan with SHOP_KEY set, and hold every answer to showing nothing of it: scan(*arguments)."""

    def run(*arguments: str, cwd: Path | None = None, **environ: str) -> Result:
        result = bootstrap(
            "secrets", "scan", *arguments, cwd=cwd or repository.root, env={"SHOP_KEY": value, **environ}
        )
        for text in (value, value[:12], value[-12:], base64.b64encode(value.encode()).decode()[4:-4]):
            assert text not in result.out + result.err
        return result

    return run


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository with a manifest."""
    repository.write("bootstrap.toml", MANIFEST)
    repository.commit()
    return repository


def test_a_clean_tree_is_said_to_be_clean(scan: Scan, shop: Repository) -> None:
    result = scan().check(0)
    assert result.out == ""
    assert result.err == "No secrets in 1 file.\n"
    assert shop.git("status", "--porcelain") == ""


def test_every_leak_is_a_line_and_says_what_to_do(scan: Scan, shop: Repository, value: str) -> None:
    shop.write("journal/week1.md", f"# One\n\n    export SHOP_KEY={value}\n")
    encoded = base64.b64encode(f"user:{value}!".encode()).decode()
    shop.write("notes.txt", f"Authorization: Basic {encoded}\n")
    result = scan().check(5)
    assert result.out.splitlines() == [
        "journal/week1.md:3:21: the value of SHOP_KEY",
        "notes.txt:1:29: the value of SHOP_KEY",
    ]
    assert "bootstrap secrets set SHOP_KEY" in result.err
    assert "bootstrap:allow-secret REASON" in result.err


def test_json_is_one_document(scan: Scan, shop: Repository, value: str) -> None:
    shop.write("a", f"{value}\n{value} # bootstrap:allow-secret a test of ours\n")
    result = scan("--json", DATABASE_URL="postgres://postgres:password@db/shop").check(5)
    assert result.err == ""
    found = json.loads(result.out)
    assert found["leaks"] == [
        {
            "path": "a",
            "line": 1,
            "column": 1,
            "what": "SHOP_KEY",
            "own": True,
            "allowed": "",
            "note": "",
        }
    ]
    assert found["allowed"][0]["allowed"] == "a test of ours"
    assert found["skipped"] == {"DATABASE_URL": "has a well-known password"}
    assert (found["looked_at"], found["unread"], found["notes"]) == (2, [], [])
    assert found["messages"] == 0


def test_what_is_skipped_and_allowed_is_named(scan: Scan, shop: Repository, value: str) -> None:
    shop.write("a", f"postgres {value} # bootstrap:allow-secret revoked\n")
    result = scan(DATABASE_URL="postgres").check(0)
    assert "DATABASE_URL was not looked for: its value is a well-known default" in result.err
    assert "Allowed, with a reason: a:1" in result.err
    shop.write("a", f"{value} # bootstrap:allow-secret\n")
    assert "(the allowance on this line has no reason, so it does not count)" in scan().check(5).out


def test_staged_is_what_the_next_commit_takes(scan: Scan, shop: Repository, value: str) -> None:
    shop.write("a", value)
    scan("--staged").check(0, "No secrets in 0 files.")
    shop.git("add", "a")
    result = scan("--staged").check(5, "a:1:1: the value of SHOP_KEY", "Nothing is committed yet")
    assert "revoked" not in result.err


def test_ranges_and_tags(scan: Scan, shop: Repository, value: str) -> None:
    shop.git("tag", "week1")
    shop.write("a", value)
    shop.commit()
    name = shop.git("rev-parse", "HEAD").strip()[:12]
    shop.git("rm", "--quiet", "a")
    shop.commit()
    shop.git("tag", "-a", "week2", "-m", "Week 2")
    for arguments in (("--range", "HEAD~2..HEAD"), ("--tags", "week1..week2")):
        assert scan(*arguments).check(5).out == f"{name}:a:1:1: the value of SHOP_KEY\n"
    scan().check(0)
    scan("--range", "HEAD~1..HEAD").check(0, "No secrets in 0 files and 1 message.")
    scan("--range", "nothing..HEAD").check(2, "'nothing' is not a commit")
    scan("--tags", "week1..main").check(2, "'main' is not a tag")
    scan("--staged", "--tags", "week1").check(2, "exclude each other")


def test_a_value_in_a_file_s_name_is_masked(scan: Scan, shop: Repository, value: str) -> None:
    shop.write(f"{value}.txt", f"{value}\n{value} # bootstrap:allow-secret for once\n")
    shop.write(f"{value}.zip", "PK\x03\x04")
    result = scan().check(5, "Not looked into (a zip archive): [masked].zip", "with a reason: [masked].txt:2")
    assert result.out.splitlines()[:2] == [
        "[masked].txt: the value of SHOP_KEY (in the file's name)",
        "[masked].txt:1:1: the value of SHOP_KEY",
    ]
    shop.commit()
    shop.git("tag", "--annotate", f"v-{value}", "--message", f"one\n\n{value}")
    scan("--range", "HEAD", "--json").check(5, ":[masked].txt")
    scan("--tags", f"v-{value}").check(5, "tag v-[masked] (message):3:1")


def test_a_name_cannot_steer_the_terminal_or_forge_a_line(scan: Scan, shop: Repository, value: str) -> None:
    shop.write("a\n\x1b[2Jb:1:1: the value of NOTHING", value)
    assert scan().check(5).out == "a\\n\\x1b[2Jb:1:1: the value of NOTHING:1:1: the value of SHOP_KEY\n"


@pytest.mark.parametrize("kind", ["not looked into", "allowed", "too many"])
def test_no_name_makes_a_line_of_its_own(scan: Scan, shop: Repository, value: str, kind: str) -> None:
    forged = "No secrets in 99 files."
    name = f"a\n{forged}\n"
    if kind == "not looked into":
        shop.write(name, "PK\x03\x04")
    elif kind == "allowed":
        shop.write(name, f"{value} # bootstrap:allow-secret for once\n")
    else:
        shop.write(name, f"{value}\n" * 101)
    lines = scan().err.splitlines()
    assert forged not in lines
    assert any(f"a\\n{forged}\\n" in line for line in lines)


def test_every_layer_s_value_is_looked_for(
    scan: Scan, shop: Repository, bootstrap: Callable[..., Result], value: str, chance: random.Random
) -> None:
    """An older value that only the store has is as secret as the one in force."""
    older = "".join(chance.choices(string.ascii_letters, k=30))
    bootstrap("secrets", "set", "SHOP_KEY", "--store", "file", cwd=shop.root, data=older).check(0)
    bootstrap("secrets", "use", "file", cwd=shop.root).check(0)
    shop.write("a", f"{value}\n{older}\n")
    shop.git("add", "a")
    for arguments in ((), ("--staged",)):
        result = scan(*arguments).check(5)
        assert result.out.count("the value of SHOP_KEY") == 2
        assert older not in result.out + result.err


def test_a_hook_asks_nobody_who_prompts(
    scan: Scan, shop: Repository, bootstrap: Callable[..., Result], value: str
) -> None:
    shop.git("remote", "add", "origin", "https://github.com/somebody/shop.git")
    keys = {"AWS_ACCESS_KEY_ID": "AKIA" + "FAKE" * 4, "AWS_SECRET_ACCESS_KEY": "fake/" * 8}
    bootstrap("secrets", "use", "ssm", cwd=shop.root, env=keys).check(0)
    shop.write("a", value)
    shop.git("add", "a")
    result = scan("--staged").check(5)
    assert "AWS SSM Parameter Store were not looked for: it may prompt, or need the network" in result.err


def test_without_a_manifest_the_vendors_tokens_are_found(
    scan: Scan, repository: Repository, chance: random.Random
) -> None:
    token = "".join(random.Random(chance.random()).sample("0123456789abcdef", 16)) + "0a1b9c8d7e6f5a4b"
    repository.write("a", f"ROLLBAR_ACCESS_TOKEN={token}\n")
    for arguments in ((), ("--json",)):
        result = scan(*arguments).check(5, "Rollbar access token", "no bootstrap.toml")
        assert token not in result.out + result.err
    in_force = scan(ROLLBAR_ACCESS_TOKEN=token).check(5)
    assert in_force.out == "a:1:22: the value of ROLLBAR_ACCESS_TOKEN\n"


def test_a_manifest_that_cannot_be_read_stops_no_scan(scan: Scan, repository: Repository) -> None:
    repository.write("bootstrap.toml", "not a manifest")
    scan().check(0, "only the vendors' secrets and tokens were looked for")


def test_outside_of_a_repository_it_says_so(scan: Scan, tmp_path: Path, repository: Repository) -> None:
    scan(cwd=tmp_path).check(1, "is not in a git repository", "git init")
    repository.commit()
    below = repository.root / "below"
    below.mkdir()
    scan(cwd=below).check(0)
    scan("-C", str(below), cwd=tmp_path).check(0)
