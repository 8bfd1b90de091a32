"""What every stand-in does: record the call, take its turn with its service, fail or hang on demand.

It imports little, because a test may start hundreds of these programs.
"""

import fcntl
import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any


class ProgramError(Exception):
    """The program ends with these words on its standard error, and exit code 1 unless said otherwise."""

    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


class Service:
    """What is behind a program, while one call has it for itself."""

    def __init__(self, state: dict[str, Any], environ: Mapping[str, str]) -> None:
        self.state = state
        self.environ = environ

    def write(self) -> None:
        """Count one write; raises ProgramError when it has to fail."""
        left = self.state.get("writes_left")
        if left == 0:
            raise ProgramError("the service is not available (stand-in)")
        if left is not None:
            self.state["writes_left"] = left - 1


class Locked:
    """The state of one service, for one process at a time; what a block changes is kept even if it fails."""

    def __init__(self, folder: str, name: str) -> None:
        self._path = f"{folder}/{name}.json"
        self._state: dict[str, Any] = {}

    def __enter__(self) -> dict[str, Any]:
        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._before = self._file.read()
        self._state = json.loads(self._before or "{}")
        return self._state

    def __exit__(self, *_: object) -> None:
        if (after := json.dumps(self._state)) != self._before:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(after)
        self._file.close()


def act(folder: str, name: str, arguments: list[str]) -> int:
    """Be one of the programs; returns its exit code."""
    handle = os.open(f"{folder}/{name}.calls", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(handle, json.dumps([name, *arguments]).encode() + b"\n")
    os.close(handle)
    program = importlib.import_module(f"tests.secrets.stand_ins.{name}")
    try:
        with Locked(folder, name) as state:
            hang = state.get("hang", False)
            if not hang:
                program.main(arguments, Service(state, os.environ))
    except ProgramError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program that prints
        return error.code
    if hang:
        signal.pause()
    return 0
