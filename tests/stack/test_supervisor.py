"""A real supervisor in its own process: signals, `down` from elsewhere, and kill -9."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from bootstrap.stack.interface import Phase
from bootstrap.system.ports import accepts, is_free

if TYPE_CHECKING:
    from tests.stack.conftest import Project

FreePorts = Callable[[int], Sequence[int]]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_stops_everything(project: "Project", free_ports: FreePorts, number: int, code: int) -> None:
    one, two = free_ports(2)
    supervised = project.supervise(
        project.server("one", one), project.server("two", two, depends_on=("one",))
    )
    supervised.wait_for("ready")
    assert supervised.signal(number) == code
    assert project.processes() == []
    assert is_free(one)
    assert is_free(two)
    assert {"one: STOPPED", "two: STOPPED"} <= set(supervised.lines)


@pytest.mark.parametrize(
    "flags", [("--ignore-term",), ("--child",), ("--daemon",), ("--daemon", "--ignore-term")], ids=str
)
def test_ctrl_c_leaves_nothing_behind(
    project: "Project", free_ports: FreePorts, flags: tuple[str, ...]
) -> None:
    (port,) = free_ports(1)
    supervised = project.supervise(project.server("stubborn", port, *flags), grace=0.5)
    supervised.wait_for("ready")
    assert supervised.signal(signal.SIGINT) == 130
    assert project.processes() == []
    assert is_free(port)


def test_a_second_ctrl_c_does_not_wait(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    supervised = project.supervise(project.server("stubborn", port, "--ignore-term"), grace=120)
    supervised.wait_for("ready")
    supervised.process.send_signal(signal.SIGINT)
    supervised.wait_for("stubborn: has not ended yet; Ctrl-C does not wait for it")
    assert supervised.signal(signal.SIGINT) == 130
    assert project.processes() == []


def test_ctrl_c_during_a_setup(project: "Project") -> None:
    slow = project.launch("slow", setup="echo begun; sleep 600")
    supervised = project.supervise(slow)
    supervised.wait_for("slow: begun")
    assert supervised.signal(signal.SIGINT) == 130
    assert project.processes() == []
    assert not (project.root / ".bootstrap/services/slow/setup.json").exists()


def test_another_process_sees_it_and_stops_it(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    supervised = project.supervise(project.server("web", port))
    supervised.wait_for("ready")
    (status,) = project.engine().status()
    assert (status.name, status.phase, status.port) == ("web", Phase.HEALTHY, port)
    assert status.pid
    assert status.uptime is not None
    assert 0 <= status.uptime < 60
    assert project.engine().down() == ["web"]
    supervised.finish()
    assert supervised.process.returncode == 0
    assert is_free(port)
    assert project.engine().down() == []


def test_a_second_run_is_refused_and_the_first_goes_on(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    first = project.supervise(project.server("web", port))
    first.wait_for("ready")
    second = project.supervise(project.server("web", port))
    second.finish()
    assert second.process.returncode == 9
    (said,) = second.lines
    assert said.startswith(f"refused: this project already runs (pid {first.process.pid}, since ")
    assert accepts(port)
    assert first.signal(signal.SIGINT) == 130


def test_down_ends_a_supervisor_that_is_stuck(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    supervised = project.supervise(project.server("web", port))
    supervised.wait_for("ready")
    supervised.process.send_signal(signal.SIGSTOP)
    assert project.engine(grace=0.5, margin=0.5).down() == ["web"]
    supervised.finish()
    assert supervised.process.returncode == -signal.SIGKILL
    assert is_free(port)


@pytest.mark.parametrize("flags", [(), ("--daemon",), ("--ignore-term", "--child")], ids=str)
def test_it_starts_again_after_kill_9(
    project: "Project", free_ports: FreePorts, flags: tuple[str, ...]
) -> None:
    (port,) = free_ports(1)
    web = project.server("web", port, *flags)
    killed = project.supervise(web)
    killed.wait_for("ready")
    killed.signal(signal.SIGKILL)
    assert not is_free(port)
    (status,) = project.engine().status()
    assert (status.phase, status.detail) == (Phase.HEALTHY, "left behind by a run that was killed")
    again = project.supervise(web, grace=0.5)
    again.wait_for("ready")
    assert again.signal(signal.SIGINT) == 130
    assert project.processes() == []
    assert is_free(port)


def test_down_clears_away_what_kill_9_has_left(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    killed = project.supervise(project.server("web", port, "--daemon"))
    killed.wait_for("ready")
    killed.signal(signal.SIGKILL)
    assert project.engine().down() == ["web"]
    assert project.processes() == []
    assert is_free(port)


@pytest.mark.soak
def test_ctrl_c_at_random_moments_of_the_start(
    project: "Project", free_ports: FreePorts, chance: random.Random, soak: int
) -> None:
    one, two = free_ports(2)
    for _ in range(2 * soak):
        supervised = project.supervise(
            project.server("one", one, "--child", setup=f"date > made-{chance.random()}"),
            project.server("two", two, "--daemon", depends_on=("one",)),
            grace=0.5,
        )
        supervised.wait_for("one: SETUP")
        time.sleep(chance.uniform(0, 0.8))
        assert supervised.signal(signal.SIGINT) == 130, supervised.lines
        assert project.processes() == []
        assert is_free(one)
        assert is_free(two)


@pytest.mark.soak
def test_kill_9_at_random_moments(
    project: "Project", free_ports: FreePorts, chance: random.Random, soak: int
) -> None:
    one, two = free_ports(2)
    launches = (
        project.server("one", one, "--child", setup=f"date > made-{chance.random()}"),
        project.server("two", two, "--daemon", depends_on=("one",)),
    )
    for _ in range(3 * soak):
        supervised = project.supervise(*launches, grace=0.5)
        time.sleep(chance.uniform(0, 1.2))
        supervised.signal(signal.SIGKILL)
        assert not any(line.startswith("refused") for line in supervised.lines), supervised.lines
    last = project.supervise(*launches, grace=0.5)
    last.wait_for("ready")
    assert last.signal(signal.SIGINT) == 130
    assert project.processes() == []
    assert is_free(one)
    assert is_free(two)


@pytest.mark.soak
def test_whatever_comes_after_kill_9_finds_and_clears_everything(
    project: "Project", free_ports: FreePorts, chance: random.Random, soak: int
) -> None:
    one, two, three = free_ports(3)
    dying = (
        "import http.server as h, os, threading; threading.Timer(0.8, os._exit, (3,)).start(); "
        f"h.HTTPServer(('127.0.0.1', {three}), h.SimpleHTTPRequestHandler).serve_forever()"
    )
    launches = (
        project.server("one", one, "--child", "--daemon", setup=f"date > made-{chance.random()}; sleep 0.1"),
        project.server("two", two, watch=project.root, depends_on=("one",)),
        project.python("dying", dying, port=three, health="/"),
    )
    for _ in range(4 * soak):
        supervised = project.supervise(*launches, grace=0.3, pauses=[0.05] * 99)
        happening = chance.choice(["bring-up", "reload", "restart"])
        if happening != "bring-up":
            supervised.wait_for("two: HEALTHY")
        if happening == "reload":
            (project.root / "changed.py").write_text(str(chance.random()))
        if happening == "restart":
            project.engine().restart(["one"])
        time.sleep(chance.uniform(0, 1.0))
        supervised.signal(signal.SIGKILL)
        assert not any(line.startswith("refused") for line in supervised.lines), supervised.lines
        match chance.choice(["up", "down", "status"]):
            case "down":
                project.engine(grace=0.3).down()
            case "status":
                phases = {status.phase for status in project.engine().status()}
                assert phases <= {*Phase} - {Phase.FAILED}
                project.engine(grace=0.3).reclaim()
            case "up":
                continue  # the next round clears it away
        assert project.processes() == []
        assert is_free(one)
        assert is_free(two)
    project.engine(grace=0.3).down()
    assert project.processes() == []
