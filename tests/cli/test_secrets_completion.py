"""Completion in real shells: the names of services, secrets and stores; a hostile manifest runs nothing."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pexpect
import pytest

from tests.secrets.shop import COMMAND, Shop

Complete = Callable[[str], str]
READY = "ready for more"
HOSTILE = """
[project]
name = "shop"
[services.api]
build = "api"
"""


@pytest.fixture
def installed(shop: Shop) -> Shop:
    """The command `bootstrap` on the PATH, and a home where shells remember nothing."""
    programs = shop.folder / "bin"
    programs.mkdir()
    command = programs / "bootstrap"
    command.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    shop.environ |= {"PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb"}
    return shop


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(request: pytest.FixtureRequest, installed: Shop) -> Iterator[Complete]:
    """Type a line and the Tab key; returns what the shell makes of it, or offers."""
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"not installed: {shell}")
    if shell == "fish":
        yield lambda line: in_fish(installed, line)
        return
    child = pexpect.spawn(
        shell,
        {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[shell],
        cwd=str(installed.root),
        env=installed.environ,
        encoding="utf-8",
        timeout=60,
        dimensions=(60, 200),
    )
    child.logfile_read = sys.stdout
    prepare = {
        "bash": "for it in 'bell-style none' 'enable-bracketed-paste off' 'show-all-if-ambiguous on';"
        ' do bind "set $it"; done',
        "zsh": f"autoload -U compinit; compinit -u -d {installed.home}/dump;"
        " unsetopt beep list_beep list_ambiguous",
    }[shell]
    ready = READY.replace(" ", "  ")  # what is typed is no answer yet
    child.sendline(f'{prepare}; eval "$(bootstrap completion {shell})"; echo {ready}')
    child.expect(f"\n{READY}\r")

    def type_tab(line: str) -> str:
        child.sendline("")
        child.send(f"{line}\t")
        # A shell completes before it reads on: this is printed after everything that it has offered.
        child.send("\x15echo  the  end\r")
        child.expect("\nthe end\r")
        assert child.before is not None
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.before)

    yield type_tab
    child.close(force=True)


def in_fish(shop: Shop, line: str) -> str:
    """What fish offers to complete the last word with."""
    script = f"bootstrap completion fish | source; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=shop.root,
        env=shop.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_names_are_completed(complete: Complete) -> None:
    for line, offered, others in (
        ("bootstrap run ", ["api", "worker"], ["init"]),
        ("bootstrap env wor", ["worker"], ["api"]),
        ("bootstrap secrets set HON", ["HONEYCOMB_API_KEY", "HONEYCOMB_CONFIGURATION_KEY"], ["WORKER_KEY"]),
        ("bootstrap secrets get DATA", ["DATABASE_URL"], ["WORKER_KEY"]),
        ("bootstrap secrets set --store k", ["keyring"], ["gitpod"]),
        ("bootstrap secrets copy --from ", ["gitpod", "codespaces", "file", "ssm"], ["DATABASE_URL"]),
        ("bootstrap secrets un", ["unset"], ["import"]),
    ):
        shown = complete(line)
        assert [name for name in offered if name not in shown] == [], line
        assert [name for name in others if name in shown] == [], line


def test_a_hostile_manifest_completes_nothing_and_runs_nothing(complete: Complete, installed: Shop) -> None:
    for table in (
        '[services."api$(touch executed)"]\nbuild = "api"\n',
        '[services."api; touch executed #"]\nbuild = "api"\n',
        '[services."api\\n`touch executed`"]\nbuild = "api"\n',
        "[services\n$(touch executed)",
    ):
        installed.write("bootstrap.toml", HOSTILE + table)
        shown = complete("bootstrap run a")
        assert not {"touch", "Traceback", "api"} & set(re.findall(r"\w+", shown)), table
    for table in ('[secrets."A$(touch executed)"]\n', '[secrets."A;touch executed"]\n'):
        installed.write("bootstrap.toml", HOSTILE + table)
        shown = complete("bootstrap secrets set A")
        assert not {"touch", "Traceback"} & set(re.findall(r"\w+", shown)), table
    assert not (installed.root / "executed").exists()
