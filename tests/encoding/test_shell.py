"""What `eval` of the shell format does, in whatever state a shell is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest
from hypothesis import strategies as st

from bootstrap.encoding import shell
from bootstrap.encoding.formats import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.encoding.conftest import ForAll

# What an option, an interactive shell or a mode could change.
_VALUES = [
    *(
        "it's",
        "''",
        "'",
        "a''b",
        "!!",
        "!nothing",
        "^a^b",
        "$HOME ${HOME} $(id) `id`",
        "$'x' $\"x\"",
        "~",
        "=ls",
    ),
    *(
        "a:~:=ls",
        "* ? [a-z] {a,b} **/*(.) ^x",
        "#x",
        "a #b",
        "a\\",
        "\\'",
        "\\n",
        "a;b",
        "a&b|c",
        "-n",
        "",
        " ",
    ),
    *("\t", "%1", "\r", "\xe9\U0001f600"),
]
ONE_LINE = {f"V_{number}": value for number, value in enumerate(_VALUES)}
LINES = ONE_LINE | {"V_A": "a\nb", "V_B": "\n", "V_C": "a\\\nb", "V_D": "'\n'", "V_E": "a\n#b\n"}

# Each prints the commands that turn every option on and off.
BASH = """
    compgen -A setopt | sed 's/.*/set -o &/; p; s/-o/+o/'
    compgen -A shopt | sed 's/.*/shopt -s &/; p; s/-s/-u/'
"""
DASH = "set -o | sed '1d; s/ .*//; s/.*/set -o &/; p; s/-o/+o/'"
ZSH = "print -l ${(k)options} | sed 's/.*/setopt &/; p; s/^/un/'; print -l 'emulate '{sh,ksh}"
#: they run nothing at all
NOTHING = {"set -o noexec", "unsetopt exec"}
#: they take no line end in quotes
JUNK = {"setopt cshjunkiequotes", "emulate csh"}


def ours(records: list[str]) -> dict[str, str]:
    """What `env -0` has printed of ours."""
    pairs = (record.partition("=") for record in records)
    return {name: value for name, _, value in pairs if name.startswith("V_")}


def states(
    program: list[str], commands: set[str], values: dict[str, str], folder: Path
) -> dict[str, dict[str, str]]:
    """What a shell exports after each command and the `eval`; empty where the `eval` has failed."""
    (folder / "values").write_bytes(FORMATS["shell"](list(values.items())).encode())
    ordered = sorted(commands)
    script = "".join(
        f"(V_OLD=; export V_OLD; {command}; eval \"$text\" && env -0); printf '@{number}\\0'\n"
        for number, command in enumerate(ordered)
    )
    (folder / "script").write_text("text=$(cat values)\n" + script)
    done = subprocess.run([*program, "script"], cwd=folder, capture_output=True, check=False, timeout=120)
    found: dict[str, dict[str, str]] = {}
    records: list[str] = []
    for record in done.stdout.decode().split("\0"):
        if record.startswith("@"):
            found[ordered[int(record[1:])]] = ours(records)
            records = []
        else:
            records.append(record)
    return found


@pytest.mark.parametrize(
    ("program", "options"),
    [(["bash"], BASH), (["bash", "--posix"], BASH), (["dash"], DASH), (["zsh", "-f"], ZSH)],
    ids=["bash", "bash-posix", "dash", "zsh"],
)
def test_no_option_changes_what_is_set(program: list[str], options: str, tmp_path: Path) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"there is no {program[0]} here")
    listed = subprocess.run([*program, "-c", options], capture_output=True, check=True, text=True).stdout
    commands = {"set -eu", 'IFS="aVx\'="', "LC_ALL=C", *listed.splitlines()} - NOTHING - JUNK
    assert len(commands) > 30
    expected = {"V_OLD": ""} | LINES
    found = states(program, commands, LINES, tmp_path)
    assert found.keys() == commands
    assert {command: found[command] for command in commands if found[command] != expected} == {}


def test_zsh_with_the_quotes_of_csh_sets_everything_or_nothing(tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh here")
    assert set(map(len, states(["zsh", "-f"], JUNK, LINES, tmp_path).values())) == {0}
    found = states(["zsh", "-f"], JUNK, ONE_LINE, tmp_path)
    assert found == dict.fromkeys(JUNK, {"V_OLD": ""} | ONE_LINE)


@pytest.mark.parametrize("program", [["bash", "--norc", "-i"], ["zsh", "-f", "-i"]], ids=["bash", "zsh"])
def test_an_interactive_shell_takes_nothing_from_its_history(program: list[str], tmp_path: Path) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"there is no {program[0]} here")
    (tmp_path / "values").write_bytes(FORMATS["shell"](list(LINES.items())).encode())
    terminal = pexpect.spawn(program[0], program[1:], cwd=tmp_path, encoding="utf-8", timeout=60)
    # That history is expanded here is what makes the rest worth something.
    terminal.sendline('echo "!nothing"')
    terminal.expect("event not found")
    terminal.sendline('eval "$(cat values)" && env -0 >found; exit')
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert ours((tmp_path / "found").read_bytes().decode().split("\0")) == LINES


@pytest.mark.parametrize("program", [["bash"], ["dash"], ["zsh", "-f"]], ids=["bash", "dash", "zsh"])
def test_a_function_sets_just_these_and_says_nothing(program: list[str], tmp_path: Path) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"there is no {program[0]} here")
    (tmp_path / "values").write_bytes(FORMATS["shell"](list(LINES.items())).encode())
    script = """
        [ -z "$ZSH_VERSION" ] || setopt warn_create_global
        load() { eval "$(cat values)"; }
        env -0 >before; load; env -0 >after; :
    """
    done = subprocess.run(
        [*program, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    before, after = (set((tmp_path / name).read_bytes().split(b"\0")) for name in ("before", "after"))
    assert after - before == {f"{name}={value}".encode() for name, value in LINES.items()}
    assert before <= after


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_programs_start_with_the_longest_value_that_is_written(tmp_path: Path) -> None:
    longest = "x" * (128 * 1024 - len("V_A=\0"))
    (tmp_path / "values").write_text(FORMATS["shell"]([("V_A", longest)]))
    script = 'eval "$(cat values)" && env -0; V_A=${V_A}x; env -0'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert ours(done.stdout.decode().split("\0")) == {"V_A": longest}
    assert b"Argument list too long" in done.stderr
    assert not FORMATS["shell"].holds("V_A", longest + "x")


@pytest.mark.soak
def test_a_quoted_word_is_one_word(hostile: st.SearchStrategy[str], for_all: ForAll) -> None:
    def check(values: list[str]) -> None:
        words = " ".join(map(shell.quote, values))
        done = subprocess.run(["sh", "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True)
        assert done.stdout.decode().split("\0")[:-1] == values

    for_all(st.lists(hostile, min_size=50, max_size=60), check, examples=20)


def test_a_line_is_readable() -> None:
    assert shell.export("DATABASE_URL", "it's") == "export DATABASE_URL; DATABASE_URL='it'\\''s'"
