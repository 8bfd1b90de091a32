"""How long it takes to have a service running, beside honcho, and what that costs while nothing happens."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench import peers, projects
from tests.bench.measure import Spread, pairwise

TARGET = 1.2
_HEALTH = "/api/health-check"
_SERVICE = "backend-flask"
_IDLE_SECONDS = 20.0
#: of one core
IDLE_TARGET = 0.003
_PATIENCE = 60.0
_MIB = 1024 * 1024
_DAEMON = "public.ecr.aws/xray/aws-xray-daemon:3.x"


@dataclass(frozen=True)
class Idle:
    """What one of the engine's own processes takes while nothing happens."""

    name: str
    #: of one core
    cpu: float
    resident_bytes: int
    #: that no other process shares
    unique_bytes: int


@dataclass(frozen=True)
class Start:
    """Seconds until the first healthy answer, turn by turn, and the idle cost."""

    ours: list[float]
    theirs: list[float]
    idle: list[Idle]


def starting(folder: Path, runs: int) -> Start:
    """Start this repository's own backend with the same command and environment under both, in turn.

    `bootstrap up` starts its collector, too.
    """
    bench = _Bench(folder)
    ours, theirs = [], []
    with bench.running(bench.up) as process:
        environ = bench.environment_of_service()
        _answered(process, bench.port)
    (bench.project / ".env").write_text(projects.dotenv_text(environ), encoding="utf-8")
    for turn in range(runs + 1):
        first, second = bench.seconds(bench.up), bench.seconds(bench.honcho)
        if turn:
            ours.append(first)
            theirs.append(second)
    with bench.running(bench.up) as process:
        _answered(process, bench.port)
        idle = bench.idle(process)
    return Start(ours, theirs, idle + bench.idle_in_containers())


class _Bench:
    """A project with this repository's backend, which is set up already."""

    def __init__(self, folder: Path) -> None:
        commands = peers.install_same()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        # The interpreter that runs this has what the backend imports.
        command = f"exec {sys.executable} -m gunicorn 'app:create_app()'"
        self.project = projects.make_project(
            folder / "project",
            '[project]\nname = "bench"\nregion = "us-east-1"\n'
            f'[services.{_SERVICE}]\nbuild = "backend-flask"\ncommand = """{command}"""\n'
            f'port = {self.port}\nhealth = "{_HEALTH}"\n'
            'telemetry = ["honeycomb", "xray", "cloudwatch", "rollbar"]\n',
        )
        shutil.copytree(peers.ROOT / _SERVICE, self.project / _SERVICE)
        procfile = f"backend: cd {_SERVICE} && {command}\n"
        (self.project / "Procfile").write_text(procfile, encoding="utf-8")
        self.environ = projects.surroundings(folder, commands)
        self.up = (commands / "bootstrap", "up", "--engine", "process")
        self.honcho = (commands / "honcho", "start")

    @contextlib.contextmanager
    def running(self, argv: Sequence[str | Path]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command until the end of the block, then stop it as Ctrl-C does."""
        with (self.project / "output").open("wb") as output:
            process = subprocess.Popen(
                argv, cwd=self.project, env=self.environ, stdout=output, stderr=output, start_new_session=True
            )
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(_PATIENCE)

    def seconds(self, argv: Sequence[str | Path]) -> float:
        """Wall time from the start of a command to the first answer of its service."""
        start = time.perf_counter()
        with self.running(argv) as process:
            answered = _answered(process, self.port)
            # Whatever else it starts must not be cut short, or the next turn would find less to clear away.
            time.sleep(2)
        return answered - start

    def environment_of_service(self) -> dict[str, str]:
        """What the engine adds to the environment of the service."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for status in self._statuses():
                if status["service"] == _SERVICE and status["pid"]:
                    given = psutil.Process(status["pid"]).environ()
                    return {name: text for name, text in given.items() if self.environ.get(name) != text}
            time.sleep(0.1)
        raise RuntimeError("the service does not start")

    def idle(self, supervisor: subprocess.Popen[bytes]) -> list[Idle]:
        """What the supervisor and the collector take, once all have come to rest."""
        time.sleep(5)
        (collector,) = (each["pid"] for each in self._statuses() if each["service"] == "telemetry")
        return _measured(
            {"supervisor": [psutil.Process(supervisor.pid)], "collector": [psutil.Process(collector)]}
        )

    def idle_in_containers(self) -> list[Idle]:
        """The same where a container engine answers, with the Docker commands that it keeps."""
        docker = shutil.which("docker")
        config = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
        if docker is None or not _succeeds(docker, "image", "inspect", _DAEMON):
            return []  # the daemon's image cannot be had everywhere
        self.environ["DOCKER_CONFIG"] = config
        bootstrap = self.up[0]
        subprocess.run((bootstrap, "render"), cwd=self.project, env=self.environ, check=True)
        with self.running((bootstrap, "up", "--engine", "compose")) as process:
            _answered(process, self.port, patience=600)
            time.sleep(10)
            supervisor = psutil.Process(process.pid)
            collector = self._container_process(docker)
            found = _measured(
                {
                    "supervisor, containers": [supervisor],
                    "docker's commands, containers": supervisor.children(recursive=True),
                    "collector, in its container": [collector],
                }
            )
        subprocess.run((bootstrap, "down", "--volumes"), cwd=self.project, env=self.environ, check=True)
        return found

    def _container_process(self, docker: str) -> psutil.Process:
        argv = (self.up[0], "compose", "--", "ps", "--quiet", "telemetry")
        listed = subprocess.run(
            argv, cwd=self.project, env=self.environ, capture_output=True, text=True, check=True
        )
        inspect = (docker, "inspect", "--format", "{{.State.Pid}}", listed.stdout.strip())
        found = subprocess.run(inspect, capture_output=True, text=True, check=True)
        return psutil.Process(int(found.stdout))

    def _statuses(self) -> list[dict[str, Any]]:
        argv = (self.up[0], "--json", "status")
        done = subprocess.run(argv, cwd=self.project, env=self.environ, capture_output=True, check=True)
        statuses: list[dict[str, Any]] = json.loads(done.stdout)
        return statuses


def _measured(groups: Mapping[str, Sequence[psutil.Process]]) -> list[Idle]:
    """What each group of processes takes in a while in which nothing happens."""
    before = {name: sum(map(_cpu, processes)) for name, processes in groups.items()}
    start = time.perf_counter()
    time.sleep(_IDLE_SECONDS)
    seconds = time.perf_counter() - start
    found = []
    for name, processes in groups.items():
        memory = [process.memory_full_info() for process in processes]
        share = (sum(map(_cpu, processes)) - before[name]) / seconds
        found.append(Idle(name, share, sum(each.rss for each in memory), sum(each.uss for each in memory)))
    return found


def _succeeds(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _answered(process: subprocess.Popen[bytes], port: int, patience: float = _PATIENCE) -> float:
    """Ask for the service's health until it says 200; return when that was."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}{_HEALTH}", timeout=5),
        ):
            return time.perf_counter()
        time.sleep(0.005)
    raise RuntimeError(f"{process.args!r}: no answer at port {port}")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def ratio(start: Start) -> Spread:
    """Ours to theirs, turn by turn."""
    return pairwise(start.ours, start.theirs)


def failures(start: Start | None) -> list[str]:
    """Say what is slower or busier than it may be."""
    if start is None:
        return []
    slow = [f"ratio {ratio(start).median:.2f}"] if ratio(start).median > TARGET else []
    return slow + [f"{each.name}: {each.cpu:.2%}" for each in start.idle if each.cpu > IDLE_TARGET]


def as_data(start: Start | None) -> Mapping[str, Any]:
    """Everything, in seconds, bytes and shares of a core."""
    if start is None:
        return {}
    return {**asdict(start), "ratio": asdict(ratio(start)), "target": TARGET, "idle_target": IDLE_TARGET}


def as_markdown(start: Start) -> str:
    """Two tables: how long it took, and what it costs."""
    spread = ratio(start)
    ours, theirs = (1000 * Spread.of(seconds).median for seconds in (start.ours, start.theirs))
    figures = f"{spread.median:.2f} ({spread.least:.2f} to {spread.greatest:.2f})"
    lines = [
        "| until the backend answers | ms | honcho start, ms | ratio | target | turns |",
        "|---|--:|--:|--:|--:|--:|",
        f"| bootstrap up | {ours:.0f} | {theirs:.0f} | {figures} | {TARGET} | {len(start.ours)} |",
        "",
        "| idle | CPU, of one core | target | resident MiB | of it unshared |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {each.name} | {each.cpu:.2%} | {IDLE_TARGET:.1%} | {each.resident_bytes / _MIB:.0f} "
        f"| {each.unique_bytes / _MIB:.0f} |"
        for each in start.idle
    ]
    return "\n".join(lines)
