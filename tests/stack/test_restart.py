"""A service that was healthy and ends is started again, by itself or when somebody asks."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import psutil
import pytest

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.stack.interface import LogLine, Phase, PhaseChanged, Renewal
from bootstrap.system.ports import accepts, http_status, is_free

if TYPE_CHECKING:
    from tests.stack.conftest import Project

FreePorts = Callable[[int], Sequence[int]]

#: it ends with the code that a file holds, as soon as there is one; without a port it is healthy after 0.5 s
BRIEF = """
import os, sys, time
print("hello from", os.getpid(), flush=True)
while not (os.path.exists("end") and (code := open("end").read())):
    time.sleep(0.01)
sys.exit(int(code))
"""
SOON = (0.1, 0.2, 0.3)


def details(project: "Project", service: str, phase: Phase) -> list[str]:
    return [
        one.detail
        for one in project.events
        if isinstance(one, PhaseChanged) and (one.service, one.phase) == (service, phase)
    ]


def phase_of(project: "Project", service: str) -> Phase:
    return {one.name: one.phase for one in project.engine().status()}[service]


def pid_of(project: "Project", service: str) -> int | None:
    return {one.name: one.pid for one in project.engine().status()}[service]


def test_it_is_started_again_after_growing_pauses_until_that_is_in_vain(
    project: "Project", free_ports: FreePorts
) -> None:
    (port,) = free_ports(1)
    brief = project.python("brief", BRIEF)

    def ready() -> None:
        (project.root / "end").write_text("7")

    assert project.up(project.server("web", port), brief, ready=ready, pauses=SOON) == 1
    # An interpreter that starts slowly has lived long enough to count as ready when it ends.
    early = " before it was ready"
    assert [one.replace(early, "") for one in details(project, "brief", Phase.RESTARTING)] == [
        f"exited with code 7; starting again in {pause} s (attempt {number} of 3)"
        for number, pause in enumerate(SOON, 1)
    ]
    failure = project.failure()
    assert failure.detail.replace(early, "") == "exited with code 7, after 3 attempts to start it again"
    assert len(failure.output) == 4
    assert "bootstrap logs brief" in failure.hint
    assert project.phases("web") == ["STARTING", "HEALTHY", "STOPPED"]
    assert phase_of(project, "brief") is Phase.FAILED
    assert is_free(port)


@pytest.mark.parametrize(("recovered", "numbers"), [(0.0, "1 1 1"), (30.0, "1 2 3")], ids=["long", "short"])
def test_health_that_lasts_resets_the_count(
    project: "Project", free_ports: FreePorts, recovered: float, numbers: str
) -> None:
    (port,) = free_ports(1)

    def observe(event: PhaseChanged | LogLine) -> None:
        project.events.append(event)
        if isinstance(event, PhaseChanged) and event.phase is Phase.HEALTHY:
            over = len(details(project, "web", Phase.RESTARTING)) == 3
            os.kill(os.getpid() if over else pid_of(project, "web") or 0, signal.SIGTERM)

    engine = project.engine(pauses=(0.05, 0.05, 0.05), recovered=recovered)
    assert engine.up([project.server("web", port)], observe, ready=lambda: None) == 143
    said = details(project, "web", Phase.RESTARTING)
    assert [line.split("attempt ")[1] for line in said] == [f"{number} of 3)" for number in numbers.split()]


def test_what_it_has_left_is_cleared_away_first(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    supervised = project.supervise(project.server("web", port, "--daemon"), grace=0.3, pauses=(0.1,))
    supervised.wait_for("web: HEALTHY")
    leader = pid_of(project, "web")
    assert leader is not None
    os.kill(leader, signal.SIGKILL)
    supervised.wait_for("web: HEALTHY", times=2)
    assert "web: RESTARTING killed by signal 9; starting again in 0.1 s (attempt 1 of 1)" in supervised.lines
    assert accepts(port)
    assert supervised.signal(signal.SIGINT) == 130
    assert project.processes() == []


def test_a_port_that_is_taken_meanwhile_is_named(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        def ready() -> None:
            os.kill(pid_of(project, "web") or 0, signal.SIGKILL)
            while not is_free(port):
                time.sleep(0.01)
            thief.bind(("127.0.0.1", port))
            thief.listen()

        assert project.up(project.server("web", port), ready=ready, pauses=(0.5,)) == 1
    assert f"port {port} is taken by" in project.failure().detail


def test_only_what_is_asked_for_starts_again(project: "Project", free_ports: FreePorts) -> None:
    one, two = free_ports(2)
    supervised = project.supervise(
        project.server("one", one), project.server("two", two, "--ignore-term"), grace=0.3
    )
    supervised.wait_for("ready")
    first, second = pid_of(project, "one"), pid_of(project, "two")
    project.engine().restart(["two"])
    assert phase_of(project, "two") in (Phase.RESTARTING, Phase.STARTING)
    supervised.wait_for("two: HEALTHY", times=2)
    assert "two: RESTARTING asked to start again" in supervised.lines
    assert pid_of(project, "one") == first
    assert pid_of(project, "two") != second
    assert http_status(two, "/") == 204
    project.engine().restart(["one", "two"])
    supervised.wait_for("one: HEALTHY", times=2)
    supervised.wait_for("two: HEALTHY", times=3)
    assert supervised.lines.count("ready") == 1
    assert supervised.signal(signal.SIGTERM) == 143


def test_a_start_that_was_asked_for_and_fails_leaves_the_others(project: "Project") -> None:
    command = "import os, time; print('here', flush=True); time.sleep(0 if os.path.exists('bad') else 600)"
    supervised = project.supervise(project.python("one", command), project.launch("two"))
    supervised.wait_for("ready")
    (project.root / "bad").touch()
    project.engine().restart(["one"])
    supervised.wait_for("one: FAILED")
    assert phase_of(project, "two") is Phase.HEALTHY
    (project.root / "bad").unlink()
    project.engine().restart(["one"])
    supervised.wait_for("one: HEALTHY", times=2)
    assert project.engine().down() == ["one", "two"]
    supervised.finish()
    assert supervised.process.returncode == 0


def test_nothing_to_start_again(project: "Project") -> None:
    with pytest.raises(NotConfiguredError, match="nothing runs here"):
        project.engine().restart(["one"])
    supervised = project.supervise(project.launch("one"))
    supervised.wait_for("ready")
    with pytest.raises(BootstrapError, match="two is not part of what runs here: one"):
        project.engine().restart(["two"])
    assert supervised.signal(signal.SIGINT) == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=str)
@pytest.mark.parametrize("when", ["pause", "restart"])
def test_a_signal_while_it_is_about_to_start_again(
    project: "Project", when: str, number: int, code: int
) -> None:
    brief = project.python("brief", BRIEF)
    supervised = project.supervise(brief, project.launch("other"), pauses=[60 if when == "pause" else 0.01])
    supervised.wait_for("ready")
    if when == "pause":
        (project.root / "end").write_text("0")
        supervised.wait_for("brief: RESTARTING exited with code 0; starting again in 60 s (attempt 1 of 1)")
    else:
        project.engine().restart(["brief"])
    began = time.monotonic()
    assert supervised.signal(number) == code
    assert time.monotonic() - began < 20
    assert project.processes() == []


def test_inherited_sockets_outlive_the_process_that_serves_them(project: "Project") -> None:
    serve = """
import contextlib, os, socket, sys, time
while not os.path.exists("other"):  # which does not wait for this one
    time.sleep(0.01)
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    with listener.accept()[0] as connection, contextlib.suppress(OSError):  # who asked may be gone
        connection.recv(4096)
        connection.sendall(f"HTTP/1.0 200 OK\\r\\n\\r\\n{os.getpid()}".encode())
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        heir = project.launch(
            *("heir", sys.executable, "-c", serve, str(number)), port=port, health="/", descriptors=(number,)
        )
        looks = (
            f"import os, time; print(os.path.exists('/dev/fd/{number}'), flush=True); "
            "open('other', 'w').close(); time.sleep(600)"
        )
        other = project.python("other", looks, depends_on=("heir",))
        said: list[int | None] = []

        def ready() -> None:
            os.kill(pid_of(project, "heir") or 0, signal.SIGKILL)
            while phase_of(project, "heir") is Phase.HEALTHY:
                time.sleep(0.01)
            said.append(http_status(port, "/", timeout=20))
            signal.raise_signal(signal.SIGTERM)

        code = project.up(heir, other, ready=ready, pauses=(0.1,))
        assert code == 143, project.events
    assert said == [200]
    assert project.lines("other") == ["False"]
    assert len(details(project, "heir", Phase.RESTARTING)) == 1


#: says what it has been given, and takes a renewal for the end of its errand
TOLD = """
import os, sys, time
print(os.environ["TOKEN"], os.environ["OTHER"], flush=True)
time.sleep(600)
"""


def test_values_are_renewed_for_those_who_have_them(project: "Project") -> None:
    before, after = "not-a-token-3f9a77c0", "not-a-token-either-91e2"
    environment = {"TOKEN": before, "OTHER": "kept"}
    launches = [
        project.python(name, TOLD, environment=environment, hidden=(before,)) for name in ("web", "job")
    ]
    due = [Renewal({"web": {"TOKEN": after}, "gone": {}}, {}, (after,), "its token was renewed")]
    seen: list[dict[str, str]] = []

    def renewals() -> list[Renewal]:
        if project.phases("web").count("HEALTHY") == 2 and not seen:
            found = [psutil.Process(pid_of(project, name) or 0).environ() for name in ("web", "job")]
            seen.extend({name: each[name] for name in environment} for each in found)
            signal.raise_signal(signal.SIGTERM)
        found_now = list(due)
        due.clear()
        return found_now

    def ready() -> None:
        pass

    code = project.engine(grace=2).up(launches, project.events.append, ready=ready, renewals=renewals)
    assert code == 143
    assert details(project, "web", Phase.RESTARTING) == ["its token was renewed"]
    assert project.phases("job") == ["STARTING", "HEALTHY", "STOPPED"]
    assert seen == [{"TOKEN": after, "OTHER": "kept"}, environment]
    assert project.lines("web") == ["[masked] kept", "[masked] kept"]
