"""Prepares a service before it starts: its own virtual environment, and its `setup` when that is due.

Everything lies in `<root>/.bootstrap/services/<service>/`: `venv`, and `setup.json`, which is written only
after all of it worked. Without that file an environment counts as half made, and is made again.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import Launch
from bootstrap.system import venv
from bootstrap.system.files import ProjectFiles, file_error

#: files that decide what a setup installs, whatever its text says
_INPUTS = (
    *("requirements*.txt", "requirements*.in", "constraints*.txt", "pyproject.toml", "setup.py", "setup.cfg"),
    *("Pipfile", "*.lock", "package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml"),
    *("Gemfile", "go.mod", "go.sum", "Cargo.toml"),
)
_PYTHON = re.compile(r"\b(?:pip|python)[\d.]*\b")
_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)", re.MULTILINE)

#: runs a command to its end and raises BootstrapError unless it succeeds
Execute = Callable[[Sequence[str]], None]


class Preparation:
    """What `launch` needs before its command can run."""

    def __init__(self, root: Path, launch: Launch) -> None:
        self._launch = launch
        self._files = ProjectFiles(root)
        self._folder = f".bootstrap/services/{launch.name}"
        self._venv = venv.folder(root, launch.name)
        self._needs_venv = launch.setup is not None and self._is_python(launch.setup)

    def _is_python(self, setup: str) -> bool:
        directory = self._launch.directory
        named = any((directory / name).is_file() for name in ("requirements.txt", "pyproject.toml"))
        return named or _PYTHON.search(setup) is not None

    def environment(self, base: Mapping[str, str], *, secrets: bool) -> dict[str, str]:
        """What setup and command see: `base`, the service's own, its virtual environment first on PATH.

        A setup runs without `secrets`: it executes what others published, and a prebuild has none either.
        """
        own = self._launch.environment
        hidden = set(self._launch.hidden) if not secrets else set()
        gone = self._launch.without if secrets else ()
        environment = {name: value for name, value in base.items() if name not in gone}
        environment.update((name, value) for name, value in own.items() if value not in hidden)
        return venv.activated(environment, self._venv) if self._needs_venv else environment

    def due(self) -> bool:
        """Whether there is a setup that was not done, or whose inputs have changed since."""
        return self._launch.setup is not None and self._done() != self._wanted()

    def perform(self, execute: Execute) -> None:
        """Make the virtual environment where it is missing, run the setup, and record that both worked."""
        wanted, done = self._wanted(), self._done()
        self._files.write(".bootstrap/services/.gitignore", b"*\n")
        self._files.remove(self._record)
        if self._needs_venv and done.get("venv") != wanted["venv"]:
            self._make_venv(execute)
        execute(("/bin/sh", "-c", self._launch.setup or ""))
        self._files.write(self._record, json.dumps(wanted).encode() + b"\n")

    @property
    def _record(self) -> str:
        return f"{self._folder}/setup.json"

    def _make_venv(self, execute: Execute) -> None:
        shutil.rmtree(self._venv, ignore_errors=True)
        try:
            execute((sys.executable, "-I", "-m", "venv", str(self._venv)))
        except BootstrapError as error:
            raise BootstrapError(
                f"{error.message} while making the virtual environment",
                "Python's venv module must work: on Debian and Ubuntu `apt install python3-venv`.",
            ) from error

    def _done(self) -> dict[str, str]:
        try:
            data = json.loads(self._files.read(self._record) or b"{}")
        except ValueError:
            return {}
        if self._needs_venv and not (self._venv / "bin" / "python").exists():
            return {}
        return data if isinstance(data, dict) else {}

    def _wanted(self) -> dict[str, str]:
        python = f"{sys.implementation.name} {sys.version} {sys.base_prefix} {self._venv}"
        digest = hashlib.sha256(f"{python}\0{self._launch.setup}\0".encode())
        for path in sorted(self._inputs()):
            try:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise file_error("read", path, error) from error
            digest.update(f"{os.path.relpath(path, self._launch.directory)} {content}\n".encode())
        return {"venv": python if self._needs_venv else "", "setup": digest.hexdigest()}

    def _inputs(self) -> Iterator[Path]:
        """The files that the setup reads, as far as one can know: by their names, and by its text."""
        directory = self._launch.directory
        waiting = [path for pattern in _INPUTS for path in directory.glob(pattern)]
        waiting += [directory / word.rpartition("=")[2] for word in _words(self._launch.setup or "")]
        seen = set()
        while waiting:
            path = waiting.pop()
            if path in seen or not os.path.isfile(path):  # noqa: PTH113  is_file raises for a very long word
                continue
            seen.add(path)
            yield path
            if path.suffix == ".txt":
                included = _INCLUDE.findall(path.read_text(encoding="utf-8", errors="replace"))
                waiting += [path.parent / name for name in included]


def _words(setup: str) -> list[str]:
    try:
        return shlex.split(setup)
    except ValueError:
        return setup.split()
