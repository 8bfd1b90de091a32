"""The engine of containers, on a real one: health, failures, signals, and what is left afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.stack.interface import Launch, Phase
from bootstrap.system.state import State
from tests.containers import ENVIRON, IMAGE, docker, need_engine, remains

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.slow

_SERVER = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"one")
    def log_message(self, *arguments):
        pass
print("listening", flush=True)
http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""
_DOCKERFILE = f'FROM {IMAGE}\nCOPY server.py /\nCMD ["python3", "/server.py"]\n'
_SLEEPER = ["python3", "-c", "import time; print('sleeping', flush=True); time.sleep(600)"]
_DRIVER = Path(__file__).with_name("compose_driver.py")


class Stack:
    """A project with a server that is built, and a neighbour that only sleeps."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "web").mkdir(parents=True)
        self.write(_SERVER)
        (root / "web" / "Dockerfile").write_text(_DOCKERFILE)
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port: int = probe.getsockname()[1]
        self.services: dict[str, Any] = {
            "web": {"build": "./web", "ports": [f"127.0.0.1:{self.port}:8000"], "stop_grace_period": "1s"},
            "neighbour": {"image": IMAGE, "command": _SLEEPER, "stop_grace_period": "1s"},
        }
        self.environ = {**os.environ, **ENVIRON}
        self.engine = ComposeEngine(root, State(root, self.environ), self.environ)
        self.overlay: dict[str, Any] = {"services": {}}
        self.values: dict[str, str] = {}
        self.renewals: list[tuple[list[str], dict[str, str], str]] = []
        self.runs: list[Up] = []

    @property
    def project(self) -> str:
        return self.engine.client.project

    def write(self, server: str) -> None:
        (self.root / "web" / "server.py").write_text(server)

    def up(self) -> Up:
        (self.root / "docker-compose.yml").write_text(json.dumps({"services": self.services}))
        launches = [
            Launch("web", "", self.root, {}, port=self.port, health="/", watch=self.root / "web"),
            Launch("neighbour", "", self.root, {}),
        ]
        containers = {
            "overlay": self.overlay,
            "values": self.values,
            "hidden": list(self.values.values()),
            "built": ["web"],
            "renewals": self.renewals,
        }
        plain = (json.dumps([asdict(each) for each in launches], default=str), json.dumps(containers))
        run = Up([sys.executable, str(_DRIVER), str(self.root), *plain], self.environ)
        self.runs.append(run)
        return run

    def containers(self) -> dict[str, str]:
        """The id of each service's container."""
        return {each.service: each.id for each in self.engine.client.containers()}

    def ask(self, path: str = "/") -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            body: bytes = answer.read()
            return body


class Up:
    """One `up`, and the lines that it prints."""

    def __init__(self, argv: list[str], environ: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            argv,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    def wait_for(self, pattern: str, timeout: float = 90, *, times: int = 1) -> str:
        deadline = time.monotonic() + timeout
        while True:
            found = [line for line in self.lines if re.search(pattern, line)]
            if len(found) >= times:
                return found[times - 1]
            ended = self.process.poll() is not None and not self._reader.is_alive()
            assert not ended, (pattern, self.lines)
            assert time.monotonic() < deadline, (pattern, self.lines)
            time.sleep(0.02)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(60)
        self._reader.join(10)
        return code


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    need_engine()
    made = Stack(tmp_path / "shop")
    yield made
    for run in made.runs:
        with suppress(ProcessLookupError):
            run.process.kill()
        run.wait()
    made.engine.down(volumes=True)
    docker("image", "rm", "--force", f"{made.project}-web", check=False)
    assert remains(made.project) == {"containers": [], "networks": [], "volumes": []}


def test_healthy_then_ctrl_c_and_down(stack: Stack) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    run.wait_for("^web: listening$")
    assert "web: HEALTHY" in run.lines
    assert "neighbour: HEALTHY" in run.lines
    phases = {each.name: each.phase for each in stack.engine.status()}
    assert phases == {"web": Phase.HEALTHY, "neighbour": Phase.HEALTHY}
    assert run.end(signal.SIGINT) == 130
    assert not any(each.running for each in stack.engine.client.containers())
    assert sorted(stack.engine.down()) == ["neighbour", "web"]
    assert remains(stack.project)["containers"] == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_have_their_own_codes(stack: Stack, number: int, code: int) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    assert run.end(number) == code


def test_a_second_ctrl_c_does_not_wait(stack: Stack) -> None:
    stack.services["web"]["stop_grace_period"] = "60s"
    run = stack.up()
    run.wait_for("^ready$")
    run.process.send_signal(signal.SIGINT)
    run.wait_for("^web: has not ended yet; Ctrl-C does not wait for it$")
    begun = time.monotonic()
    assert run.end(signal.SIGINT) == 130
    assert time.monotonic() - begun < 30


def test_down_from_another_process_is_no_failure(stack: Stack) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    with pytest.raises(BootstrapError, match="already runs"):
        stack.engine.reclaim()
    assert sorted(stack.engine.down()) == ["neighbour", "web"]
    assert run.wait() == 0


def test_only_what_changed_is_made_anew(stack: Stack) -> None:
    first = stack.up()
    first.wait_for("^ready$")
    before = stack.containers()
    assert first.end(signal.SIGTERM) == 143
    stack.services["neighbour"]["environment"] = {"NEW": "1"}
    stack.up().wait_for("^ready$")
    after = stack.containers()
    assert after["web"] == before["web"]
    assert after["neighbour"] != before["neighbour"]


def test_volumes_stay_until_somebody_asks(stack: Stack) -> None:
    stack.services["neighbour"]["volumes"] = ["data:/data"]
    stack.overlay["volumes"] = {"data": None}
    stack.up().wait_for("^ready$")
    stack.engine.down()
    assert len(remains(stack.project)["volumes"]) == 1
    stack.engine.down(volumes=True)
    assert remains(stack.project)["volumes"] == []


def test_a_service_that_fails_at_once_is_shown_with_its_last_lines(stack: Stack) -> None:
    stack.write("print('no such table'); raise SystemExit(7)\n")
    run = stack.up()
    assert run.wait() == 1
    assert "web: FAILED exited with code 7 before it was ready" in run.lines
    assert "web> no such table" in run.lines


def test_what_is_waited_for_is_said_where_it_takes_long(stack: Stack) -> None:
    stack.write(_SERVER.replace("self.send_response(200)", "self.send_response(503)"))
    run = stack.up()
    run.wait_for(rf"^web: STARTING waiting: / at port {stack.port} says 503$")
    assert run.end(signal.SIGINT) == 130


def test_an_image_that_cannot_be_built_is_named(stack: Stack) -> None:
    (stack.root / "web" / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo about to fail && false\n")
    run = stack.up()
    assert run.wait() == 1
    run.wait_for("^web: FAILED its image cannot be built")
    assert any(line.startswith("web> ") and "about to fail" in line for line in run.lines)


def test_a_service_that_dies_comes_back_and_not_for_ever(stack: Stack) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    with suppress(OSError):
        stack.ask("/crash")
    run.wait_for(r"web: RESTARTING exited with code 3; starting again in 0\.2 s \(attempt 1 of 2\)")
    run.wait_for("^web: HEALTHY", times=2)
    for attempt in (2, 3):
        with suppress(OSError):
            stack.ask("/crash")
        if attempt == 2:
            run.wait_for("attempt 2 of 2")
            run.wait_for("^web: HEALTHY", times=3)
    assert run.wait() == 1
    run.wait_for("^web: FAILED exited with code 3, after 2 new starts")


def test_what_happens_while_docker_tells_nothing_is_looked_up(stack: Stack) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    _listener(run).kill()
    with suppress(OSError):
        stack.ask("/crash")
    run.wait_for(r"web: RESTARTING exited with code 3; starting again")
    run.wait_for("^web: HEALTHY", times=2)
    assert run.end(signal.SIGTERM) == 143


def _listener(run: Up) -> psutil.Process:
    """The command through which a run hears from Docker."""
    for each in psutil.Process(run.process.pid).children():
        with suppress(psutil.ZombieProcess):
            if "events" in each.cmdline():
                return each
    raise AssertionError("nobody listens")


def test_a_changed_source_reloads_its_service_alone(stack: Stack) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    before = stack.containers()
    stack.write(_SERVER.replace('b"one"', 'b"two"'))
    run.wait_for("^web: HEALTHY", times=2)
    assert stack.ask() == b"two"
    assert stack.containers()["neighbour"] == before["neighbour"]
    stack.write("this is no Python\n")
    run.wait_for("^web: FAILED exited with code 1 .*; the next change is tried again$")
    run.wait_for("SyntaxError")
    stack.write(_SERVER.replace('b"one"', 'b"three"'))
    run.wait_for("^web: HEALTHY", times=3)
    assert stack.ask() == b"three"
    assert run.end(signal.SIGTERM) == 143


def test_files_that_have_changed_are_looked_at_before_they_are_run(stack: Stack) -> None:
    """A run may last for days: a `git pull` brings other Compose files, which nobody has looked at."""
    run = stack.up()
    run.wait_for("^ready$")
    before = stack.containers()
    stack.services["web"]["privileged"] = True
    (stack.root / "docker-compose.yml").write_text(json.dumps({"services": stack.services}))
    stack.write(_SERVER.replace('b"one"', 'b"two"'))
    run.wait_for("^web: FAILED web is privileged")
    assert stack.containers() == before
    del stack.services["web"]["privileged"]
    (stack.root / "docker-compose.yml").write_text(json.dumps({"services": stack.services}))
    stack.write(_SERVER.replace('b"one"', 'b"three"'))
    run.wait_for("^web: HEALTHY", times=2)
    assert stack.ask() == b"three"


def test_one_service_is_restarted_without_the_others(stack: Stack) -> None:
    run = stack.up()
    run.wait_for("^ready$")
    started = {name: _started(each) for name, each in stack.containers().items()}
    stack.engine.restart(["web"])
    # Its container ends on the way, which is not what becomes of it.
    assert {"RESTARTING", "HEALTHY"} >= set(_phases_until(run, "^web: HEALTHY", stack, times=2))
    again = {name: _started(each) for name, each in stack.containers().items()}
    assert again["web"] != started["web"]
    assert again["neighbour"] == started["neighbour"]


def _phases_until(run: Up, pattern: str, stack: Stack, *, times: int) -> Iterator[str]:
    """What `status` calls the service meanwhile."""
    while len([line for line in run.lines if re.search(pattern, line)]) < times:
        yield from (each.phase.name for each in stack.engine.status() if each.name == "web")
    run.wait_for(pattern, times=times)


def _started(container: str) -> str:
    return docker("inspect", "--format", "{{.State.StartedAt}}", container)


def test_a_port_that_is_taken_is_named_with_its_holder(stack: Stack) -> None:
    with closing(socket.create_server(("127.0.0.1", stack.port))):
        run = stack.up()
        assert run.wait() == 9
    assert re.search(rf"refused: services\.web: port {stack.port} is taken by .*{os.getpid()}", run.lines[-1])
    name = docker(
        "run", "--detach", "--rm", "--publish", f"127.0.0.1:{stack.port}:1", IMAGE, *_SLEEPER
    ).strip()
    try:
        container = docker("inspect", "--format", "{{.Name}}", name).strip().lstrip("/")
        run = stack.up()
        assert run.wait() == 9
        assert f"port {stack.port} is taken by the container {container}" in run.lines[-1]
    finally:
        docker("rm", "--force", name)


def test_values_reach_containers_and_no_line_and_are_renewed(stack: Stack) -> None:
    stack.values = {"TOKEN": "not-a-token-3f9a77c0"}
    renewed = "not-a-token-either-91e2"
    stack.renewals = [(["web"], {"TOKEN": renewed}, "its token was renewed")]
    stack.services["web"]["environment"] = {"TOKEN": None}
    stack.write("import os\nprint(len(os.environ['TOKEN']), os.environ['TOKEN'], flush=True)\n" + _SERVER)
    run = stack.up()
    run.wait_for("^web: RESTARTING its token was renewed$")
    run.wait_for("^web: HEALTHY", times=2)
    before, after = (run.wait_for(rf"^web: {len(each)} ") for each in (stack.values["TOKEN"], renewed))
    assert before.endswith(" [masked]")
    assert after.endswith(" [masked]")
    assert f"TOKEN={renewed}" in docker("inspect", stack.containers()["web"])
    assert [line for line in run.lines if line.startswith("neighbour: ")][:1] == ["neighbour: STARTING"]
    assert not [line for line in run.lines if line.startswith("neighbour: RESTARTING")]
    # What starts it again for another reason keeps the new value.
    stack.engine.restart(["web"])
    run.wait_for("^web: HEALTHY", times=3)
    assert f"TOKEN={renewed}" in docker("inspect", stack.containers()["web"])
    assert "not-a-token" not in "\n".join(run.lines)
    assert run.end(signal.SIGTERM) == 143
    logs = [line.text for line in stack.engine.logs(["web"], follow=False, tail=None)]
    assert f"{len(renewed)} [masked]" in logs


@pytest.mark.soak
def test_no_moment_to_kill_it_leaves_anything(stack: Stack, soak: int, chance: random.Random) -> None:
    """Whatever ends `up`, whenever: the next command finds everything and leaves nothing but volumes."""
    codes = {signal.SIGINT: {130}, signal.SIGTERM: {143}, signal.SIGHUP: {129}, signal.SIGKILL: {-9}}
    for turn in range(4 if soak == 1 else 10 * soak):
        number = list(codes)[turn % 4]
        run = stack.up()
        time.sleep(chance.uniform(0.3, 4))
        # Before its handlers are there, a signal ends it like any program.
        assert run.end(number) in codes[number] | {-number}, run.lines
        if turn % 2:
            next_run = stack.up()
            next_run.wait_for("^ready$")
            assert next_run.end(signal.SIGTERM) == 143
        stack.engine.down()
        assert remains(stack.project) == {"containers": [], "networks": [], "volumes": []}
        assert _carriers(stack.project) == []


def _carriers(project: str) -> list[str]:
    """Commands of Docker about the project, which nobody needs any more."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if line.startswith("docker ") and project in line]
