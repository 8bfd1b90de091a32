"""`make dev` in a fresh clone: healthy, traced, gone after Ctrl-C, and back again."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.machine import strangers_have

if TYPE_CHECKING:
    from tests.e2e.evidence import Running
    from tests.e2e.machine import Machine

COLLECTOR_PORTS = (4318, 2000)

pytestmark = pytest.mark.slow


def test_make_dev(machine: "Machine", stopwatch: Callable[[str], None]) -> None:
    port = machine.clone()
    stopwatch("clone")

    terminal = machine.terminal("make", "dev")
    running = terminal.healthy()
    stopwatch("make dev, the first time")
    assert running.backend == f"http://localhost:{port}"
    running.check_home()
    _check_user(running)
    ports = machine.ports()
    assert ports > {port}
    assert terminal.interrupt() != 0  # make reports an interrupt as an error
    machine.check_quiet(ports)
    assert machine.changes() == ""

    stopwatch("requests and Ctrl-C")
    terminal = machine.terminal("make", "dev")
    terminal.healthy().check_home()
    stopwatch("make dev again, with a request")
    assert "installing" not in terminal.text
    assert "setting up" not in terminal.text

    ports = machine.ports()
    machine.supervisor().kill()
    terminal.end()
    left_behind = machine.processes()
    stopwatch("kill -9")
    terminal = machine.terminal("make", "dev")
    terminal.healthy().check_home()
    stopwatch("make dev after kill -9, with a request")
    assert [process for process in left_behind if _runs(process)] == []
    # The backend's port must be that one; the collector takes its usual ones unless somebody else has them.
    usual = {number for number in COLLECTOR_PORTS if not strangers_have(number) or number in machine.ports()}
    assert machine.ports() >= ports & {port, *usual}
    terminal.interrupt()
    machine.check_quiet(ports)


def _check_user(running: "Running") -> None:
    """The X-Ray segment of the journal: nested subsegments, an annotation, metadata."""
    url = f"{running.backend}/api/activities/@andrewbrown"
    segment = running.traces.caused_by(url).segment
    assert (segment["name"], segment["http"]["response"]["status"]) == ("backend-flask", 200)
    (start,) = segment["subsegments"]
    assert start["name"] == "user_activities_start"
    assert start["annotations"] == {"url": url}
    assert start["metadata"]["http"] == {"method": "GET", "url": url}
    (nested,) = start["subsegments"]
    assert nested["name"] == "user_activities_nested_subsegment"
    assert nested["metadata"]["user_activities"]["results"]["results"] == 1


def _runs(process: psutil.Process) -> bool:
    """Whether it is more than an entry that its new parent has yet to collect."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
