"""A project with real services, engines in this process and supervisors in their own."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from bootstrap.stack.interface import Launch, LogLine, PhaseChanged
from bootstrap.stack.limits import Limits
from bootstrap.stack.process import ProcessEngine
from bootstrap.system.state import State

SERVER = """
import http.server, os, signal, subprocess, sys, time

port, *flags = sys.argv[1:]
if "--ignore-term" in flags:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "--child" in flags:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", code])
if "--daemon" in flags and os.fork():
    time.sleep(600)
if "--daemon" in flags:
    os.setsid()
    if os.fork():
        os._exit(0)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if "--unhealthy" in flags else 204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", int(port)), Handler)
print("listening", flush=True)
server.serve_forever()
"""

DRIVER = """
import json, os, signal, sys
from pathlib import Path
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import Launch, LogLine
from bootstrap.stack.process import ProcessEngine
from bootstrap.stack.limits import Limits
from bootstrap.system.state import State

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would stay ignored, as it should
root, limits = Path(sys.argv[1]), Limits(**json.loads(sys.argv[2]))


def launch(**plain):
    plain |= {"directory": Path(plain["directory"]), "depends_on": tuple(plain["depends_on"])}
    return Launch(**plain | {"watch": Path(plain["watch"]) if plain["watch"] else None})


launches = [launch(**each) for each in json.loads(sys.argv[3])]
engine = ProcessEngine(root, State(root, os.environ), os.environ, limits)


def observe(event):
    what = event.text if isinstance(event, LogLine) else event.phase.name
    detail = "" if isinstance(event, LogLine) or event.phase.name != "RESTARTING" else f" {event.detail}"
    print(f"{event.service}: {what}{detail}", flush=True)


try:
    sys.exit(engine.up(launches, observe, ready=lambda: print("ready", flush=True)))
except BootstrapError as error:
    print(f"refused: {error.message}", flush=True)
    sys.exit(9)
"""


@dataclass
class Supervised:
    """An `up` in a process of its own."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    def read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    def wait_for(self, wanted: str, times: int = 1) -> None:
        deadline = time.monotonic() + 40
        while self.lines.count(wanted) < times:
            over = time.monotonic() > deadline or self.process.poll() is not None
            assert not over or self.finish().count(wanted) >= times, self.lines
            time.sleep(0.01)

    def finish(self) -> list[str]:
        """Everything it said, once it has ended."""
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if self.reader is not None:
            self.reader.join(20)
        return self.lines

    def signal(self, number: int) -> int:
        self.process.send_signal(number)
        self.finish()
        return self.process.returncode


class Project:
    """A root folder, its private state, and ways to run services in it."""

    def __init__(self, folder: Path) -> None:
        self.mark = secrets.token_hex(8)
        self.root = folder / "project"
        self.root.mkdir()
        (self.root / "server.py").write_text(SERVER)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "PROJECT_MARK": self.mark,
        }
        self.state = State(self.root, self.environment)
        self.events: list[PhaseChanged | LogLine] = []
        self.started: list[Supervised] = []
        #: what the next supervisor is started through
        self.before: list[str] = []

    def engine(self, **limits: Any) -> ProcessEngine:
        given = {"health": 30, "margin": 30} | limits
        return ProcessEngine(self.root, self.state, self.environment, Limits(**given))

    def up(self, *launches: Launch, ready: Callable[[], None] | None = None, **limits: Any) -> int:
        """Run in this process, until ready unless told otherwise."""
        stop = ready or (lambda: signal.raise_signal(signal.SIGTERM))
        return self.engine(**{"grace": 2, **limits}).up(launches, self.events.append, ready=stop)

    def launch(self, name: str, *command: str, **more: Any) -> Launch:
        return Launch(name, command or ("sleep", "600"), self.root, more.pop("environment", {}), **more)

    def shell(self, name: str, line: str, **more: Any) -> Launch:
        return Launch(name, line, self.root, more.pop("environment", {}), **more)

    def python(self, name: str, code: str, **more: Any) -> Launch:
        return self.launch(name, sys.executable, "-c", code, **more)

    def server(self, name: str, port: int, *flags: str, **more: Any) -> Launch:
        more.setdefault("health", "/")
        return self.launch(name, sys.executable, "server.py", str(port), *flags, port=port, **more)

    def supervise(self, *launches: Launch, **limits: Any) -> Supervised:
        plain = json.dumps([asdict(launch) for launch in launches], default=str)
        process = subprocess.Popen(
            [*self.before, sys.executable, "-c", DRIVER, str(self.root), json.dumps(limits), plain],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        supervised = Supervised(process)
        supervised.reader = threading.Thread(target=supervised.read, daemon=True)
        supervised.reader.start()
        self.started.append(supervised)
        return supervised

    def processes(self) -> list[psutil.Process]:
        """Every process of this project except this one, found without the code under test."""
        found = []
        for process in psutil.process_iter():
            try:
                marked = process.environ().get("PROJECT_MARK") == self.mark
                if marked and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def lines(self, service: str) -> list[str]:
        return [one.text for one in self.events if isinstance(one, LogLine) and one.service == service]

    def phases(self, service: str) -> list[str]:
        return [
            one.phase.name for one in self.events if isinstance(one, PhaseChanged) and one.service == service
        ]

    def failure(self) -> PhaseChanged:
        return next(
            one for one in self.events if isinstance(one, PhaseChanged) and one.phase.name == "FAILED"
        )

    def clean_up(self) -> list[str]:
        left = [" ".join(process.cmdline()) for process in self.processes()]
        for process in self.processes():
            process.kill()
        for supervised in self.started:
            supervised.finish()
        return left


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    assert made.clean_up() == []


@pytest.fixture
def free_ports() -> Callable[[int], Sequence[int]]:
    """Ports that were free a moment ago."""

    def find(count: int) -> Sequence[int]:
        probes = [socket.socket() for _ in range(count)]
        try:
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            return [probe.getsockname()[1] for probe in probes]
        finally:
            for probe in probes:
                probe.close()

    return find
