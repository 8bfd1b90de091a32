"""Recognises the processes of a run for certain, and stops those and nothing else."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

import psutil

#: the variable by which every process of a run is known, also when it has left its group
RUN_ID = "BOOTSTRAP_RUN_ID"

#: psutil derives the start time from the boot time, which follows corrections of the clock
_CLOCK_TOLERANCE = 2.0
_POLL = 0.02
#: seconds after its fork in which a process may still be on its way through exec(2), and looks meanwhile
_YOUNG = 2.0
_EXEC_READS = 5
#: rounds of SIGKILL against processes that fork while they are looked for
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that a number alone would not name: numbers are used again."""

    pid: int
    #: seconds since the epoch
    created: float
    uid: int
    run_id: str = field(default="", repr=False)

    @classmethod
    def of(cls, pid: int, run_id: str = "") -> "Identity":
        """The identity of a process of this user that exists now."""
        try:
            created = psutil.Process(pid).create_time()
        except psutil.Error:
            created = time.time()
        return cls(pid, created, os.getuid(), run_id)

    def alive(self) -> bool:
        """Whether a process of this number, user and start time runs."""
        try:
            process = psutil.Process(self.pid)
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and abs(process.create_time() - self.created) < _CLOCK_TOLERANCE
                and process.uids().real == self.uid == os.getuid()
            )
        except psutil.Error:
            return False

    def matches(self) -> bool:
        """Whether it is alive and carries its run id: the condition for signalling it."""
        return self.alive() and carries(self.pid, self.run_id)

    def kill(self) -> None:
        """Kill this one process if it is alive; for a supervisor, which gives run ids and carries none."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def part_of(run_id: str, name: str) -> str:
    """The run id of a part of a run: what carries it carries the run's own, too."""
    return f"{run_id}/{name}"


def carries(pid: int, run_id: str) -> bool:
    """Whether the process was started with this run id, or a part's of it; False where that cannot be read.

    A program that writes its title over its environment (PostgreSQL, setproctitle) cannot be recognised.
    """
    try:
        carried = _environment(psutil.Process(pid)).get(RUN_ID, "") if run_id else ""
    except (psutil.Error, OSError):
        return False
    return bool(run_id) and (carried == run_id or carried.startswith(part_of(run_id, "")))


def _environment(process: psutil.Process) -> dict[str, str]:
    """What the process was started with; in the middle of exec(2) it has none for a moment."""
    environ = process.environ()
    for _ in range(_EXEC_READS):
        if environ or time.time() - process.create_time() > _YOUNG:
            break
        time.sleep(_POLL)
        environ = process.environ()
    return environ


def living(groups: Collection[int]) -> set[int]:
    """Which of these process groups have a member that still runs (a zombie does not)."""
    return {group for group, _ in _members(groups)}


def clear(identities: Iterable[Identity], run_id: str, grace: float) -> bool:
    """Stop what a run left behind, and say whether there was anything.

    Whole groups of those `identities` that still match and lead one, then whatever else carries the run id.
    SIGTERM first, SIGKILL after `grace` seconds.
    """
    groups = {one.pid for one in identities if one.matches() and _leads(one.pid)}
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)
    wait_until(lambda: not living(groups), grace)
    _send((process for _, process in _members(groups)), signal.SIGKILL)
    return sweep(run_id, grace) or bool(groups)


def sweep(run_id: str, grace: float) -> bool:
    """Stop every process of this user that carries the run id, except this one; say whether there was any.

    It finds what left its group (setsid, a double fork). SIGTERM first, SIGKILL after `grace` seconds (0: at
    once), and again until nothing is found.
    """
    found = _carriers(run_id)
    if not found:
        return False
    if grace > 0:
        _send(found, signal.SIGTERM)
        wait_until(lambda: not _carriers(run_id), grace)
    for _ in range(_ROUNDS):
        _send(_carriers(run_id), signal.SIGKILL)
        if wait_until(lambda: not _carriers(run_id), 0.25):
            break
    return True


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait up to `timeout` seconds for the condition, and return what it is then."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    return True


def _leads(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def _members(groups: Collection[int]) -> Iterator[tuple[int, psutil.Process]]:
    """The processes of these groups that still run, each with its group."""
    for pid in psutil.pids() if groups else ():
        with contextlib.suppress(OSError, psutil.Error):
            group = os.getpgid(pid)
            if group in groups and (process := psutil.Process(pid)).status() != psutil.STATUS_ZOMBIE:
                yield group, process


def _carriers(run_id: str) -> list[psutil.Process]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if (
                pid != os.getpid()
                and process.uids().real == os.getuid()
                and carries(pid, run_id)
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def _send(processes: Iterable[psutil.Process], number: int) -> None:
    """Signal each; psutil refuses where the number has passed to another process meanwhile."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
