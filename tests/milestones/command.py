"""Calls the command line thousands of times: each call is a process of its own, and imports nothing anew."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 60.0
KILLED = -9


@dataclass(frozen=True)
class Answer:
    """How a call ended, what it printed, and how many effects it had if they were counted."""

    code: int
    out: str
    err: str
    effects: int

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.out + self.err

    def check(self, code: int, *fragments: str) -> "Answer":
        """Compare the exit code, and look for each fragment in what was printed."""
        assert self.code == code, f"exit {self.code}, not {code}\n--- out\n{self.out}\n--- err\n{self.err}"
        for fragment in fragments:
            assert fragment in self.said, f"no {fragment!r} in\n{self.said}"
        return self


class Tool:
    """`bootstrap tag` in a folder: tool("rename", "week1", "week2", cwd=clone.root)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        data: str = "",
        effects: int | None = None,
    ) -> Answer:
        """Run it to its end; with `effects` until it kills itself before that one (0: only count them)."""
        asked = {
            "argv": ["tag", *arguments],
            "cwd": str(cwd),
            "environ": {**os.environ, **(env or {})},
            "data": data,
            "effects": effects,
        }
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_SECONDS)
            connection.connect(str(self._path))
            connection.sendall(json.dumps(asked).encode() + b"\n")
            with connection.makefile("rb") as answer:
                return Answer(**json.loads(answer.readline()))


@contextlib.contextmanager
def running_tool(folder: Path) -> Iterator[Tool]:
    """Start the process that becomes the tool; its socket is in `folder`, whose path must be short."""
    path = folder / "tool"
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.milestones.command_server", str(path)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not path.exists():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the tool does not start"
            time.sleep(0.02)
        yield Tool(path)
    finally:
        server.kill()
        server.wait()
