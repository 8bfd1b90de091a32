"""The files of a new service: whole, under its own name, and as well kept as the example's."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bootstrap.rendering.skeletons import SKELETONS, files_of

ROOT = Path(__file__).parents[2]
PACKAGED = "bootstrap/skeletons"


@pytest.fixture(params=SKELETONS)
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(template: str, tmp_path: Path) -> Path:
    """Such a service called `gateway` at port 4999."""
    for path, text in files_of(template, name="gateway", port=4999).items():
        (tmp_path / "gateway" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "gateway" / path).write_text(text, encoding="utf-8")
    return tmp_path / "gateway"


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_has_what_a_checkout_shares(template: str) -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    skeleton = SKELETONS[template]
    shared = {f"{skeleton.name}/{path}": f"{PACKAGED}/{template}/{path}" for path in skeleton.shared}
    assert wheel["force-include"] == {
        "templates": "bootstrap/templates",
        "skeletons": PACKAGED,
        **shared,
    }


def test_nothing_is_there_twice(template: str) -> None:
    skeleton = SKELETONS[template]
    own = [
        path.relative_to(ROOT / "skeletons" / template)
        for path in (ROOT / "skeletons" / template).rglob("*.py")
    ]
    assert own
    for path in own:
        assert str(path) not in skeleton.shared
        example = ROOT / skeleton.name / path
        same = (
            example.is_file() and example.read_bytes() == (ROOT / "skeletons" / template / path).read_bytes()
        )
        assert not same or path.name == "__init__.py"


def test_the_examples_name_and_port_are_gone(folder: Path, template: str) -> None:
    skeleton = SKELETONS[template]
    for path in folder.rglob("*"):
        text = path.read_text("utf-8") if path.is_file() else ""
        assert not re.search(rf"{skeleton.name}|\b{skeleton.port}\b", text), path
    assert "WORKDIR /gateway\n" in (folder / "Dockerfile").read_text("utf-8")
    assert "EXPOSE 4999\n" in (folder / "Dockerfile").read_text("utf-8")
    shared = (ROOT / skeleton.name / "observability" / "edge.py").read_bytes()
    assert (folder / "observability" / "edge.py").read_bytes() == shared


def test_its_own_tests_pass(folder: Path) -> None:
    run("pytest", "-q", "-p", "no:cacheprovider", cwd=folder)


def test_it_keeps_to_our_style(folder: Path) -> None:
    config = f"--config={ROOT / 'pyproject.toml'}"
    root = f'--config=src=["{folder}"]'  # as ours knows where the example is
    run("ruff", "check", "--no-cache", config, root, ".", cwd=folder)
    run("ruff", "format", "--no-cache", "--check", config, ".", cwd=folder)


@pytest.mark.slow
def test_its_types_are_right(folder: Path) -> None:
    config = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "mypy.toml").write_text(
        re.sub(r"(?s)^files = .*?\n", 'files = ["."]\n', config, flags=re.MULTILINE)
    )
    run("mypy", f"--config-file={folder / 'mypy.toml'}", cwd=folder)
