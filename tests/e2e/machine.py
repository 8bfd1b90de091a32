"""A machine with a clone of this repository, and the processes that run on it."""

import contextlib
import random
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pexpect
import psutil
import pytest

from bootstrap.system.identity import wait_until
from tests.e2e.evidence import Running, where_it_runs

ROOT = Path(__file__).parents[2]
NOTHING: Mapping[str, str] = MappingProxyType({})

#: seconds; a loaded machine that downloads everything
PATIENCE = 200.0


class Terminal:
    """A process that is alone in a terminal of its own."""

    def __init__(self, argv: list[str], directory: Path, environ: Mapping[str, str]) -> None:
        self._child: pexpect.spawn[str] = pexpect.spawn(
            argv[0],
            argv[1:],
            cwd=str(directory),
            env=environ,
            encoding="utf-8",
            codec_errors="replace",
            dimensions=(40, 240),
            timeout=PATIENCE,
        )
        self.text = ""

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until it has written what matches, and return the match."""
        self._expect(pattern)
        found = self._child.match
        assert isinstance(found, re.Match)
        self.text += found.group()
        return found

    def _expect(self, what: Any) -> None:
        try:
            self._child.expect(what)
        except pexpect.ExceptionPexpect:
            pytest.fail(f"waited in vain for {what}:\n{self.text}{self._child.before}")
        self.text += self._child.before or ""

    def healthy(self) -> Running:
        """Wait until everything runs; returns where."""
        return where_it_runs(self.until(r"Everything is healthy\.[^$]*?dashboard +http\S+\r").group())

    def interrupt(self) -> int:
        """Type Ctrl-C, and wait for the end; returns the exit code."""
        self._child.sendintr()
        return self.end()

    def end(self) -> int:
        """Wait for the end; returns the exit code, or the signal as a negative number."""
        self._expect(pexpect.EOF)
        self._child.close()
        code = self._child.exitstatus
        return -(self._child.signalstatus or 0) if code is None else code

    def close(self) -> None:
        """Let go of it, however it is."""
        self._child.close(force=True)


@dataclass(frozen=True)
class Result:
    """How a command ended, and everything it printed."""

    code: int
    text: str

    def ok(self) -> str:
        """What it printed, if it succeeded."""
        assert self.code == 0, f"exit {self.code}\n{self.text}"
        return self.text


@dataclass
class Machine:
    """One such machine; `path` is what a new terminal starts with, before it reads ~/.bashrc."""

    folder: Path
    path: str
    environ: dict[str, str]
    terminals: list[Terminal] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The clone."""
        return self.folder / "workspace" / "cruddur"

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.folder / "home"

    def clone(self) -> int:
        """Clone the repository, and choose a free port for its backend; returns the port."""
        self.root.mkdir(parents=True)
        self.forget_home()
        self.run(f"git clone --quiet {shlex.quote(str(ROOT))} .").ok()
        port = free_port()
        local = self.root / "bootstrap.local.toml"
        local.write_text(f"[services.backend-flask]\nport = {port}\n")
        return port

    def forget_home(self) -> None:
        """Make the home an empty one."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()

    def variables(self, extra: Mapping[str, str]) -> dict[str, str]:
        """What a process sees."""
        return {**self.environ, "PATH": self.path, "HOME": str(self.home), **extra}

    def run(self, script: str, extra: Mapping[str, str] = NOTHING, *, below: str = "") -> Result:
        """Run a shell script to its end, in the clone or in another folder beside it."""
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.root.parent / below if below else self.root,
            env=self.variables(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, done.stdout)

    def terminal(self, *argv: str, extra: Mapping[str, str] = NOTHING) -> Terminal:
        """Start a command in a terminal of its own."""
        started = Terminal(list(argv), self.root, self.variables(extra))
        self.terminals.append(started)
        return started

    def found(self, command: str, extra: Mapping[str, str]) -> str:
        """Where a new terminal finds a command; empty where it does not."""
        return self.run(f"bash -ic 'command -v {command}' 2>/dev/null", extra).text.strip()

    def changes(self) -> str:
        """What git sees as changed or new in the clone."""
        return self.run("git status --porcelain").ok()

    def processes(self) -> list[psutil.Process]:
        """Every process that belongs to the clone: by its command, its folder or its environment."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                about = [*process.cmdline(), process.cwd(), *process.environ().values()]
                if process.status() != psutil.STATUS_ZOMBIE and any(str(self.root) in text for text in about):
                    found.append(process)
        return found

    def supervisor(self) -> psutil.Process:
        """The process of `bootstrap up`."""
        (found,) = [each for each in self.processes() if each.cmdline()[-1:] == ["up"]]
        return found

    def ports(self) -> set[int]:
        """The ports that its processes listen on."""
        bound = [each for process in self.processes() for each in process.net_connections("inet")]
        return {each.laddr.port for each in bound if each.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)}

    def power_off(self) -> None:
        """End every process at once, as a workspace does that is stopped."""
        while remaining := self.processes():
            for process in remaining:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.05)

    def check_quiet(self, ports: Iterable[int]) -> None:
        """Nothing of the clone runs, and its ports can be bound again, but for those of strangers."""
        running = self.processes()
        assert not running, running
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                # A stranger's connection may have had it for a moment.
                assert wait_until(partial(_is_given_back, port, kind), 10), port


def _is_given_back(port: int, kind: socket.SocketKind) -> bool:
    return _can_bind(port, kind) or strangers_have(port)


def _can_bind(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def strangers_have(port: int) -> bool:
    """Whether some process listens there now; who asks knows that it is none of the clone's."""
    return any(each.laddr and each.laddr.port == port and each.pid for each in psutil.net_connections("inet"))


def free_port() -> int:
    """A port that nobody uses, below those that the system gives to clients."""
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
