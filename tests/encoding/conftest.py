"""Texts that break encoders, and real readers to give them to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

# What some reader expands, ends a value at, strips, folds or takes for a comment, a number or a key.
_TRAPS = (
    *"'\"`$\\#!&|;<>()[]{}*?~=%^:,-@ \t\n\r\v\f\x01\x1b\x7f\x85\xa0\u2028\u2029\ufeff\ufffe\U0001f600",
    *(
        "$$",
        "${X}",
        "${X:-y}",
        "$X",
        "$(id)",
        "`id`",
        "\\n",
        "\\$",
        "\\'",
        "'\\''",
        '\\"',
        "$'",
        '$"',
        "\r\n",
    ),
    *(
        "${",
        "}",
        " #",
        "# ",
        ": ",
        "- ",
        "? ",
        "|\n",
        ">-",
        "---\n",
        "...",
        "%YAML",
        "!!str ",
        "&a ",
        "*a",
        "<<",
    ),
    *("null", "~", "yes", "No", "on", "true", "1", "0x1", "0o7", "1e3", "1_0", "12:30", ".inf", "2020-01-01"),
    *("A=b", "export A=b", "{{ x }}", "{% x %}", "C:\\", "https://example.com/a?b=c#d", "x" * 200),
)


@pytest.fixture(scope="session")
def hostile() -> st.SearchStrategy[str]:
    """Every text that an environment variable can hold: no NUL, and nothing that UTF-8 cannot encode."""
    anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    traps = st.lists(st.sampled_from(_TRAPS), max_size=6).map("".join)
    mixed = st.tuples(traps, anything, traps).map("".join)
    return st.one_of(traps, mixed, anything)


class ForAll(Protocol):
    """Check a property: for_all(strategy, check, examples=...)."""

    def __call__(
        self, strategy: st.SearchStrategy[Any], check: Callable[[Any], None], *, examples: int
    ) -> None: ...


@pytest.fixture
def for_all(soak: int) -> ForAll:
    """Run a property, `soak` times as long as usual, with the run's seed."""

    def run(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], *, examples: int) -> None:
        @seed(int(os.environ["BOOTSTRAP_SEED"]))
        @settings(
            max_examples=examples * soak,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def holds(example: Any) -> None:
            check(example)

        holds()

    return run


class Compose:
    """The real Docker Compose, asked what it has read; that needs no engine."""

    def __init__(self, folder: Path, plugins: Path) -> None:
        self.folder = folder
        self._plugins = plugins

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run Docker Compose in the folder, without an engine: a busy one would only keep it waiting."""
        nowhere = {"DOCKER_HOST": f"unix://{self.folder}/no.sock", "DOCKER_CONFIG": str(self._plugins)}
        return subprocess.run(
            ["docker", "compose", *arguments],
            cwd=self.folder,
            env={**os.environ, **nowhere},
            capture_output=True,
            check=False,
            timeout=120,
        )

    def environment(self, compose: str, **files: str) -> dict[str, str]:
        """Write compose.yml and `files`, and return what the service `s` would see."""
        for name, text in {"compose.yml": compose, **files}.items():
            (self.folder / name).write_bytes(text.encode())
        done = self.run("--project-name", "p", "config", "--format", "json")
        assert done.returncode == 0, done.stderr.decode()
        # What it prints is a Compose file again, so every dollar sign is doubled.
        found: dict[str, str] = json.loads(done.stdout.replace(b"$$", b"$"))["services"]["s"]["environment"]
        return found


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    """Docker Compose v2, or a skip that says why."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command to read Compose files with")
    # The plugin may live in somebody's home; nothing else of theirs is used.
    plugins = tmp_path_factory.mktemp("docker")
    (plugins / "cli-plugins").symlink_to(Path.home() / ".docker" / "cli-plugins")
    made = Compose(tmp_path_factory.mktemp("compose"), plugins)
    if made.run("version").returncode:
        pytest.skip("docker has no compose plugin")
    return made
