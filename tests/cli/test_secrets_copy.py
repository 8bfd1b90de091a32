"""`secrets copy` between stores that fail, that cannot be read back, and that people interrupt."""

import json
import signal
import subprocess
import time

import pytest

from tests.secrets.shop import COMMAND, Result, Shop
from tests.secrets.stand_ins.machine import StandIns

FIVE = {name: f"value of {name}" for name in ("A1", "B2", "C3", "D4", "E5")}
TO_GITPOD = ("secrets", "copy", "--from", "file", "--to", "gitpod")
TO_CODESPACES = ("secrets", "copy", "--from", "file", "--to", "codespaces")


@pytest.fixture
def gitpod(shop: Shop, programs: StandIns) -> Shop:
    """A Gitpod workspace, with five secrets in the file store."""
    shop.enter_gitpod(programs)
    shop.choose("file", **FIVE)
    return shop


@pytest.fixture
def codespace(shop: Shop, programs: StandIns) -> Shop:
    """A codespace, with five secrets in the file store."""
    shop.enter(programs, {"CODESPACES": "true", "CODESPACE_NAME": "acme-shop"})
    with programs.change("gh") as state:
        state["repositories"] = {"acme/shop": 101}
    shop.choose("file", **FIVE)
    return shop


def fates(shop: Shop, *command: str, code: int) -> dict[str, str]:
    """Run a command with --json; what became of each name."""
    printed = json.loads(shop(*command, "--json").check(code).out)
    return {entry["name"]: entry["fate"] for entry in printed["outcomes"]}


def writes(programs: StandIns, program: str) -> list[str]:
    """The names that a program was told to write since the beginning."""
    calls = programs.calls(program)
    if program == "gh":
        return [call[3] for call in calls if call[1:3] == ["secret", "set"]]
    return [argument.partition("=")[0] for call in calls for argument in call if "=" in argument]


def test_a_dry_run_says_everything_and_changes_nothing(gitpod: Shop, programs: StandIns) -> None:
    gitpod.keep("gitpod", A1=FIVE["A1"], B2="another")
    before = writes(programs, "gp")
    planned = gitpod(*TO_GITPOD, "--dry-run", "--json").check(0)
    assert json.loads(planned.out) == {"A1": "same", "B2": "replace", "C3": "add", "D4": "add", "E5": "add"}
    assert writes(programs, "gp") == before


def test_after_a_failure_the_same_command_finishes_and_writes_nothing_twice(
    gitpod: Shop, programs: StandIns
) -> None:
    with programs.trouble("gp", writes=2):
        assert fates(gitpod, *TO_GITPOD, code=1) == {
            "A1": "stored",
            "B2": "stored",
            "C3": "failed",
            "D4": "failed",
            "E5": "failed",
        }
    assert list(fates(gitpod, *TO_GITPOD, code=0).values()) == ["unchanged", "unchanged", *["stored"] * 3]
    assert writes(programs, "gp") == ["A1", "B2", "C3", "D4", "E5", "C3", "D4", "E5"]
    assert gitpod.kept("gitpod") == FIVE


def test_the_other_way_and_without_what_no_secret_may_be_called(gitpod: Shop, programs: StandIns) -> None:
    entries = {"LEFT": "a", "OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team=stale", "PATH": "/evil", "x": "y"}
    with programs.change("gp") as state:
        state["variables"] = [
            {"pattern": "acme/shop", "name": name, "value": value} for name, value in entries.items()
        ]
    copied = gitpod("secrets", "copy", "--from", "gitpod", "--to", "file").check(0)
    assert copied.lines == [
        "No secrets, left out: OTEL_EXPORTER_OTLP_HEADERS, PATH, x",
        "LEFT: stored",
        "1 of 1 are in file now.",
    ]
    assert gitpod.kept() == {**FIVE, "LEFT": "a"}


def test_a_store_that_cannot_be_read_back_is_sent_each_value_once(
    codespace: Shop, programs: StandIns
) -> None:
    with programs.trouble("gh", writes=2):
        assert list(fates(codespace, *TO_CODESPACES, code=4).values()) == ["accepted"] * 2 + ["failed"] * 3
    planned = json.loads(codespace(*TO_CODESPACES, "--dry-run", "--json").check(0).out)
    assert list(planned.values()) == ["sent", "sent", "send", "send", "send"]
    assert list(fates(codespace, *TO_CODESPACES, code=0).values()) == ["sent"] * 2 + ["accepted"] * 3
    assert writes(programs, "gh") == ["A1", "B2", "C3", "D4", "E5", "C3", "D4", "E5"]

    codespace.keep("file", A1="changed")
    assert fates(codespace, *TO_CODESPACES, code=0)["A1"] == "accepted"
    with programs.change("gh") as state:
        del state["secrets"]["B2"]  # somebody removes it on the page
    assert fates(codespace, *TO_CODESPACES, code=0)["B2"] == "accepted"
    assert writes(programs, "gh")[-2:] == ["A1", "B2"]
    assert set(fates(codespace, *TO_CODESPACES, "--again", code=0).values()) == {"accepted"}
    assert {name: entry["value"] for name, entry in programs.state("gh")["secrets"].items()} == {
        **FIVE,
        "A1": "changed",
    }


def test_what_cannot_be_read_back_is_no_source(codespace: Shop) -> None:
    codespace("secrets", "copy", "--from", "codespaces", "--to", "file").check(
        2, "your Codespaces secrets cannot be read back", "Copy from where the values were set"
    )


def test_many_are_told_in_one_line_and_failures_by_name(shop: Shop) -> None:
    many = {f"NUMBER_{number}": "v" for number in range(30)}
    shop.environ |= many
    manifest = shop.root / "bootstrap.toml"
    manifest.write_text(
        manifest.read_text("utf-8") + "".join(f"[secrets.{name}]\n" for name in many), "utf-8"
    )
    shop.choose("file")
    copied = shop("secrets", "copy", "--from", "environment", "--to", "file").check(0)
    assert copied.err == "30 of 30 are in file now.\n"
    assert shop.kept() == many


def test_ctrl_c_in_the_middle_says_what_is_known_of_each_name(gitpod: Shop, programs: StandIns) -> None:
    gp = programs.programs / "gp"
    gp.rename(programs.programs / "gp-itself")
    hangs = gitpod.folder / "hangs"
    gp.write_text(
        f'#!/bin/sh\ncase "$*" in *C3*) touch {hangs}; exec sleep 600 ;; esac\nexec {gp}-itself "$@"\n',
        "utf-8",
    )
    gp.chmod(0o755)
    child = subprocess.Popen(
        [*COMMAND, *TO_GITPOD],
        cwd=gitpod.root,
        env=gitpod.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not hangs.exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    unknown = "failed: interrupted before the store said what became of it"
    assert Result(child.returncode, out, err).lines[1:] == [
        "A1: stored",
        "B2: stored",
        *(f"{name}: {unknown}" for name in ("C3", "D4", "E5")),
    ]
