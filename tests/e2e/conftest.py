"""A machine with Python, git and make: no account, no home, no container engine."""

import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import Bootstrap
from tests.containers import need_daemon, remains
from tests.e2e.checkout import Checkout, remove_images
from tests.e2e.checkout import free_port as any_port
from tests.e2e.evidence import Running, where_it_runs
from tests.e2e.machine import ROOT, Machine

#: what every Linux and macOS has, and what somebody installs to develop: git and make
_TOOLS = """
    awk basename bash cat chmod cksum cp curl cut date dirname env expr find git grep head id install ln
    ls make mkdir mktemp mv ps pwd readlink rm rmdir sed sh sleep sort stat tail tee touch tr true uname
    uniq wc xargs
"""
#: how pip finds the registry that this machine uses
_KEPT = ("PIP_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "LANG")


def write_script(path: Path, text: str) -> Path:
    """Write a program for /bin/sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path


@pytest.fixture
def script() -> Callable[[Path, str], Path]:
    """Write a program for /bin/sh: script(path, text)."""
    return write_script


@pytest.fixture
def running() -> Callable[[str], Running]:
    """Read what `up` prints once everything is healthy: running(text)."""
    return where_it_runs


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the usual tools, and nothing that belongs to a language or a vendor."""
    folder = tmp_path_factory.mktemp("tools")
    for name in _TOOLS.split():
        if program := shutil.which(name):
            (folder / name).symlink_to(program)
    return folder


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but `python3`: the one that these tests run on, outside its environment."""
    folder = tmp_path_factory.mktemp("python")
    real = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    write_script(folder / "python3", f'exec {shlex.quote(str(real))} "$@"\n')
    return folder


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pip's cache, so that only the first clone downloads."""
    return tmp_path_factory.mktemp("pip-cache")


@pytest.fixture
def machine(tmp_path: Path, tools: Path, python: Path, downloads: Path) -> Iterator[Machine]:
    """A machine without a clone yet."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    environ = {**kept, "PIP_CACHE_DIR": str(downloads), "TERM": "dumb", "USER": "tester"}
    made = Machine(tmp_path / "machine", os.pathsep.join(map(str, (python, tools))), environ)
    yield made
    for terminal in made.terminals:
        terminal.close()
    made.power_off()


@pytest.fixture
def stopwatch(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Record the seconds since the last call (or the start) under a name."""
    last = time.monotonic()

    def split(name: str) -> None:
        nonlocal last
        now = time.monotonic()
        record_property(name, round(now - last, 1))
        print(f"{name}: {now - last:.1f} s")  # noqa: T201 - `pytest -s` and a failure show it
        last = now

    return split


@pytest.fixture
def made_up() -> Callable[[str], str]:
    """Make the value of a secret that exists nowhere: made_up(name)."""
    return lambda name: f"not-a-{name.lower().replace('_', '-')}-{secrets.token_hex(12)}"


@pytest.fixture
def schema() -> Callable[[str], Any]:
    """Read one of the official schemas, which are not ours to keep here: schema(name)."""
    return partial(_schema, ROOT.parent / "shared" / "schemas")


def _schema(folder: Path, name: str) -> Any:
    if not (folder / name).is_file():
        pytest.skip(f"no official schema in {folder / name}")
    return msgspec.json.decode((folder / name).read_bytes())


@pytest.fixture
def free_port() -> int:
    """A port that nobody uses."""
    return any_port()


@pytest.fixture
def checkout(tmp_path: Path, bootstrap: Bootstrap, free_port: int) -> Iterator[Checkout]:
    """A fresh copy of this repository, to be run in containers; its backend gets a port of its own."""
    need_daemon()
    made = Checkout(tmp_path / "cruddur", bootstrap)
    made.write("bootstrap.local.toml", f"[services.backend-flask]\nport = {free_port}\n")
    yield made
    project = made.project
    made.run("down", "--volumes")
    remove_images(project, "backend-flask", "gateway", "telemetry")
    assert remains(project) == {"containers": [], "networks": [], "volumes": []}


@pytest.fixture
def processes(tmp_path: Path, bootstrap: Bootstrap, free_port: int) -> Iterator[Checkout]:
    """A fresh copy of this repository, to be run as processes with what is installed here."""
    made = Checkout(tmp_path / "cruddur", bootstrap)
    made.as_processes(free_port)
    yield made
    made.run("down").check(0)
