"""Hidden prompts: what is typed is kept and not shown, and nothing is kept where somebody gives up."""

import os
import sys
from collections.abc import Callable, Iterator

import pexpect
import pytest

from tests.secrets.shop import COMMAND, Shop

Ask = Callable[..., "pexpect.spawn[str]"]
TYPED = "typed away"


@pytest.fixture
def ask(shop: Shop) -> Iterator[Ask]:
    """Run a command in a terminal of its own."""
    opened: list[pexpect.spawn[str]] = []

    def start(*arguments: str) -> "pexpect.spawn[str]":
        child = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *arguments],
            cwd=str(shop.root),
            env=shop.environ,
            encoding="utf-8",
            timeout=60,
        )
        child.logfile_read = sys.stdout
        opened.append(child)
        return child

    yield start
    for child in opened:
        child.close(force=True)


def ended(child: "pexpect.spawn[str]") -> int | None:
    """Read to the end and return the exit code."""
    child.expect(pexpect.EOF)
    child.close()
    code: int | None = child.exitstatus
    return code


def test_what_is_typed_is_kept_and_not_shown(shop: Shop, ask: Ask, capfd: pytest.CaptureFixture[str]) -> None:
    shop.choose("file")
    child = ask("secrets", "set", "WORKER_KEY")
    child.expect_exact("What you type is not shown. Enter alone skips one.")
    child.expect("WORKER_KEY: ?$")
    child.waitnoecho()
    child.sendline(f" {TYPED} $x ")
    child.expect_exact("WORKER_KEY: stored")
    assert ended(child) == 0
    assert shop.kept() == {"WORKER_KEY": f" {TYPED} $x "}
    assert TYPED not in capfd.readouterr().out


def test_every_missing_one_is_asked_for_and_may_be_skipped(shop: Shop, ask: Ask) -> None:
    shop.choose("file", WORKER_KEY="there already")
    child = ask("secrets", "set")
    child.expect_exact("HONEYCOMB_API_KEY: An ingest key")
    for name, typed in (
        ("HONEYCOMB_API_KEY", ""),
        ("HONEYCOMB_CONFIGURATION_KEY", ""),
        ("DATABASE_URL", TYPED),
    ):
        child.expect(f"{name}: ?$")
        child.waitnoecho()
        child.sendline(typed)
    child.expect_exact("DATABASE_URL: stored")
    assert ended(child) == 0
    assert shop.kept() == {"WORKER_KEY": "there already", "DATABASE_URL": TYPED}


def test_skipping_all_of_them_changes_nothing(shop: Shop, ask: Ask) -> None:
    child = ask("secrets", "set", "WORKER_KEY", "DATABASE_URL")
    for name in ("WORKER_KEY", "DATABASE_URL"):
        child.expect(f"{name}: ?$")
        child.waitnoecho()
        child.sendline("")
    child.expect_exact("Nothing was given, nothing was changed.")
    assert ended(child) == 0
    assert list(shop.home.iterdir()) == []


@pytest.mark.parametrize("way", ["intr", "eof"])
def test_giving_up_at_the_second_prompt_keeps_nothing(shop: Shop, ask: Ask, way: str) -> None:
    child = ask("secrets", "set", "WORKER_KEY", "DATABASE_URL")
    child.expect("WORKER_KEY: ?$")
    child.waitnoecho()
    child.sendline(TYPED)
    child.expect("DATABASE_URL: ?$")
    child.waitnoecho()
    child.sendintr() if way == "intr" else child.sendeof()
    assert ended(child) == 130
    assert shop.kept() == {}
    assert list(shop.home.iterdir()) == []  # no store was chosen, either


@pytest.mark.skipif(sys.platform != "linux", reason="other terminals keep less of a line")
@pytest.mark.parametrize(("size", "code"), [(4094, 0), (4095, 1), (5000, 1)])
def test_a_line_that_the_terminal_cuts_off_is_not_kept(shop: Shop, ask: Ask, size: int, code: int) -> None:
    shop.choose("file")
    child = ask("secrets", "set", "WORKER_KEY")
    child.expect("WORKER_KEY: ?$")
    child.waitnoecho()
    child.sendline("k" * size)
    child.expect_exact("stored" if code == 0 else "WORKER_KEY: a terminal drops what is beyond 4095 bytes")
    assert ended(child) == code
    assert shop.kept() == ({"WORKER_KEY": "k" * size} if code == 0 else {})


def test_what_is_typed_has_to_be_text(shop: Shop, ask: Ask) -> None:
    shop.choose("file")
    child = ask("secrets", "set", "WORKER_KEY")
    child.expect("WORKER_KEY: ?$")
    child.waitnoecho()
    os.write(child.child_fd, b"typed \xff away\n")
    child.expect_exact("WORKER_KEY: what was typed is not UTF-8")
    assert ended(child) == 1
    assert shop.kept() == {}


def test_a_store_that_is_only_read_asks_for_nothing(ask: Ask) -> None:
    child = ask("secrets", "set", "WORKER_KEY", "--store", "environment")
    child.expect_exact("the environment is only read")
    assert ended(child) == 3
