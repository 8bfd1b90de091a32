"""The installation script where folders have odd names, and where two of them start at once."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def clone(folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def install(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["sh", ".devcontainer/install.sh", "tool"],
        cwd=folder,
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_folder_s_name_is_only_a_name(tmp_path: Path) -> None:
    name = "$(touch pwned) a 'b' \"c\" ümlaut `touch pwned`"
    folder = clone(tmp_path / name)
    _, said = (run := install(folder)).communicate(timeout=300)
    assert run.returncode == 0, said
    done = subprocess.run(
        [folder / ".bootstrap/bin/bootstrap", "status"],
        cwd=tmp_path / name,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "Nothing has run here yet. Start it: bootstrap up\n")
    assert not list(tmp_path.rglob("pwned"))


def test_two_installations_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    runs = [install(folder) for _ in range(3)]
    said = [run.communicate(timeout=300)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert sum("installing the bootstrap command" in text for text in said) == 1
    assert sum("waiting for another installation" in text for text in said) == 2


def test_an_installation_that_fails_says_what_to_do(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    project = folder / "pyproject.toml"
    project.write_text(project.read_text().replace('"click>=', '"no-such-package-anywhere>='))
    run = install(folder)
    _, said = run.communicate(timeout=300)
    assert run.returncode != 0
    assert said.splitlines()[-1] == "bootstrap: Check the network, then run the same again."
    assert "no-such-package-anywhere" in (folder / ".bootstrap" / "install.log").read_text()
