"""A machine with a clone of this repository, Python, git and make: no account, no container engine."""

import contextlib
import http.client
import os
import random
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pexpect
import psutil
import pytest

ROOT = Path(__file__).parents[2]

#: what every Linux and macOS has, and what somebody installs to develop: git and make
_TOOLS = """
    awk basename bash cat chmod cksum cp curl cut date dirname env expr find git grep head id install ln ls
    make mkdir mktemp mv ps pwd readlink rm rmdir sed sh sleep sort stat tail tee touch tr true uname uniq wc xargs
"""
#: how pip finds the registry that this machine uses
_KEPT = ("PIP_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "LANG")
#: seconds; a loaded machine that downloads everything
PATIENCE = 200.0
_ANSWER = 60.0


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

    def healthy(self) -> "Running":
        """Wait until everything runs; returns where."""
        self.until(r"Everything is healthy\.")
        backend = self.until(r"backend-flask +(http\S+)/api/health-check").group(1)
        traces = self.until(r"traces +(http\S+)\r").group(1)
        return Running(backend, Traces(traces))

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
class Answer:
    """What a server answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def browse(url: str) -> Answer:
    """Open a URL as its workspace forwards it: to the port on this machine, under the name in the URL."""
    parts = urlsplit(url)
    port = parts.port or int(parts.netloc.partition("-")[0])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
        response = connection.getresponse()
        return Answer(response.status, response.read())


class Traces:
    """The collector's API, at the address that was printed."""

    def __init__(self, url: str) -> None:
        self.url = url

    def latest(self) -> list[dict[str, Any]]:
        """What there is, newest first."""
        answer = browse(self.url)
        assert answer.status == 200, answer
        traces: list[dict[str, Any]] = answer.json()["traces"]
        return traces

    def caused_by(self, url: str) -> "Caused":
        """Open `url`, and wait for one trace and one segment that were not there before."""
        before = {trace["trace_id"] for trace in self.latest()}
        assert browse(url).status == 200
        deadline = time.monotonic() + _ANSWER
        while True:
            new = [trace for trace in self.latest() if trace["trace_id"] not in before]
            spans = [trace for trace in new if trace["span_count"]]
            segments = [trace for trace in new if trace["segment_count"]]
            if (spans and segments) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert (len(spans), len(segments)) == (1, 1), new
        return Caused(self._read(spans[0])["spans"], self._read(segments[0])["segments"][0])

    def _read(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        parts = urlsplit(self.url)
        answer = browse(parts._replace(path=f"{parts.path}/{summary['trace_id']}").geturl())
        assert answer.status == 200, answer
        trace: dict[str, Any] = answer.json()
        return trace


@dataclass(frozen=True)
class Caused:
    """What one request left at the collector: the spans of its trace, and its X-Ray segment."""

    spans: list[dict[str, Any]]
    segment: dict[str, Any]


@dataclass(frozen=True)
class Running:
    """Where everything is."""

    backend: str
    traces: Traces

    def check_home(self) -> None:
        """Home leaves a trace of two spans, with both attributes on the inner one."""
        spans = self.traces.caused_by(f"{self.backend}/api/activities/home").spans
        assert [span["service"] for span in spans] == ["backend-flask"] * 2
        outer, inner = sorted(spans, key=lambda span: span["parent_span_id"] is not None)
        assert outer["name"] == "GET /api/activities/home"
        assert (inner["name"], inner["parent_span_id"]) == ("home-activities-mock-data", outer["span_id"])
        assert inner["attributes"]["app.result_length"] == 3
        assert re.match(r"\d{4}-\d\d-\d\dT", inner["attributes"]["app.now"])


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

    def run(self, script: str, **extra: str) -> Result:
        """Run a shell script in the clone to its end."""
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.root,
            env=self.variables(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, done.stdout)

    def terminal(self, *argv: str, **extra: str) -> Terminal:
        """Start a command in a terminal of its own."""
        started = Terminal(list(argv), self.root, self.variables(extra))
        self.terminals.append(started)
        return started

    def found(self, command: str, **extra: str) -> str:
        """Where a new terminal finds a command; empty where it does not."""
        return self.run(f"bash -ic 'command -v {command}' 2>/dev/null", **extra).text.strip()

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
            psutil.wait_procs(remaining, timeout=10)

    def check_quiet(self, ports: Iterable[int]) -> None:
        """Nothing of the clone runs, and its ports can be bound again."""
        assert self.processes() == []
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))


def free_port() -> int:
    """A port that nobody uses, below those that the system gives to clients."""
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


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
