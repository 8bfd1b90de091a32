"""`make dev` and `make test` without a Python that will do: two lines that say what to install."""

import os
import pwd
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.machine import Machine

pytestmark = pytest.mark.slow

NEEDED = "bootstrap: Install it, for example: sudo apt-get install python3 python3-venv"

#: runs `python3 -I -c CODE` after a line that makes it look like another one
DISGUISED = """
[ "$1 $2" = "-I -c" ] || exit 99
exec {real} -I -c "{disguise}
$3"
"""
OLD = "import platform, sys; sys.version_info = (3, 9, 2); platform.python_version = lambda: '3.9.2'"
BARE = "import sys; sys.modules['ensurepip'] = None"

Script = Callable[[Path, str], Path]


def _old_pythons() -> list[Path]:
    versions = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv" / "versions"
    return [path for minor in range(6, 11) for path in sorted(versions.glob(f"3.{minor}.*/bin/python3"))]


@pytest.fixture
def refused(machine: "Machine", tools: Path, script: Script) -> Callable[[str, str], list[str]]:
    """Run a target of make where `python3` is this program; returns what it said, which is all it did."""
    machine.clone()

    def run(target: str, program: str) -> list[str]:
        folder = machine.folder / "programs"
        if program:
            script(folder / "python3", program)
        machine.path = f"{folder}:{tools}"
        result = machine.run(f"make --no-print-directory {target}")
        assert result.code != 0
        assert not (machine.root / ".bootstrap" / "venv").exists()
        assert not (machine.root / ".venv").exists()
        *said, made = result.text.splitlines()
        assert made.startswith("make: *** ")
        return said

    return run


@pytest.mark.parametrize("target", ["dev", "test"])
def test_no_python(refused: Callable[[str, str], list[str]], target: str) -> None:
    assert refused(target, "") == ["bootstrap: Python 3.11 or later is needed.", NEEDED]


@pytest.mark.parametrize("target", ["dev", "test"])
def test_a_python_that_is_too_old(refused: Callable[[str, str], list[str]], target: str) -> None:
    said = refused(target, DISGUISED.format(real=shlex.quote(sys.executable), disguise=OLD))
    assert said == ["bootstrap: Python 3.11 or later is needed, and python3 is 3.9.2.", NEEDED]


@pytest.mark.parametrize("real", _old_pythons(), ids=lambda path: path.parents[1].name)
def test_a_real_python_that_is_too_old(refused: Callable[[str, str], list[str]], real: Path) -> None:
    said = refused("dev", f'exec {shlex.quote(str(real))} "$@"\n')
    version = real.parents[1].name
    assert said == [f"bootstrap: Python 3.11 or later is needed, and python3 is {version}.", NEEDED]


@pytest.mark.parametrize("target", ["dev", "test"])
def test_a_python_without_venv(refused: Callable[[str, str], list[str]], target: str) -> None:
    said = refused(target, DISGUISED.format(real=shlex.quote(sys.executable), disguise=BARE))
    assert said == [
        "bootstrap: python3 has no venv.",
        "bootstrap: Install it, for example: sudo apt-get install python3-venv",
    ]
