"""What the shell encoder writes, read back by the real shells."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from bootstrap.encoding import shell
from bootstrap.encoding.formats import FORMATS
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.encoding.conftest import ForAll

SHELLS = ("sh", "bash", "dash", "zsh")


def evaluate(program: str, script: Path) -> dict[str, str]:
    """What a child of `program` sees after `eval "$(...)"`."""
    done = subprocess.run(
        [program, "-c", 'eval "$(cat "$1")" && exec env -0', program, script],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    pairs = (line.partition("=") for line in done.stdout.decode().split("\0"))
    return {name: value for name, _, value in pairs if name.startswith("V_")}


@pytest.mark.soak
@pytest.mark.parametrize("program", SHELLS)
def test_every_shell_reads_back_every_value(
    program: str, hostile: st.SearchStrategy[str], for_all: ForAll, tmp_path: Path
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    script = tmp_path / "script"

    def check(values: list[str]) -> None:
        pairs = [(f"V_{number}", value) for number, value in enumerate(values)]
        script.write_bytes(FORMATS["shell"](pairs).encode())
        assert evaluate(program, script) == dict(pairs)

    for_all(st.lists(hostile, min_size=50, max_size=60), check, examples=20)


@pytest.mark.soak
def test_a_quoted_word_is_one_word(hostile: st.SearchStrategy[str], for_all: ForAll) -> None:
    def check(values: list[str]) -> None:
        words = " ".join(map(shell.quote, values))
        done = subprocess.run(["sh", "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True)
        assert done.stdout.decode().split("\0")[:-1] == values

    for_all(st.lists(hostile, min_size=50, max_size=60), check, examples=20)


@pytest.mark.parametrize(("value", "what"), [("a\0b", "NUL"), ("a\udcff", "UTF-8")])
def test_what_no_shell_can_hold_is_refused_by_name(value: str, what: str) -> None:
    # execve() ends a value at NUL; a lone surrogate is a byte of the environment that was never UTF-8.
    with pytest.raises(BootstrapError, match=f"^DATABASE_URL: .*{what}") as caught:
        shell.export("DATABASE_URL", value)
    assert caught.value.hint
    assert "a" not in caught.value.message.partition("holds")[0].removeprefix("DATABASE_URL")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "PATH",
            "IFS",
            "ENV",
            "BASH_ENV",
            "BASH_FUNC_ls",
            "SHELLOPTS",
            "PS1",
            "PS4",
            "PROMPT_COMMAND",
            "CDPATH",
        ),
        *(
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "NODE_OPTIONS",
        ),
        *("GIT_SSH_COMMAND", "GIT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HOME", "SHELL", "EDITOR"),
        *("path", "ld_preload", "ZDOTDIR", "PERL5LIB", "RUBYOPT"),
    ],
)
def test_a_name_that_changes_how_programs_behave_is_refused(name: str) -> None:
    with pytest.raises(BootstrapError, match=rf"^{name}: changes how") as caught:
        shell.export(name, "x")
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["", "1A", "A B", "A-B", "A=B", "A\n", "A;id", "$(id)", "Ä", "A\0", "BASH_FUNC_x%%"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BootstrapError, match="is not the name of a variable"):
        shell.export(name, "x")


@pytest.mark.parametrize(
    "name", ["PATHS", "MY_PATH", "DATABASE_URL", "PORT", "_X", "x1", "GITHUB_TOKEN", "PSQL"]
)
def test_an_ordinary_name_is_accepted(name: str) -> None:
    assert shell.export(name, "it's") == f"export {name}='it'\\''s'"
