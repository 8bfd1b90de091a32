"""Starts other processes, each in a session of its own: services that stay, short commands that answer."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bootstrap.model.errors import BootstrapError
from bootstrap.system.execute import explain
from bootstrap.system.identity import RUN_ID, Identity

#: between two looks at a process, where the system cannot tell when it ends
_POLL = 0.1


class Group:
    """A process group that this process has started and not yet reaped.

    While its leader is not reaped, the system gives its number to nobody else, so signals cannot go astray.
    Every method may be called from any thread.
    """

    def __init__(self, process: subprocess.Popen[bytes], run_id: str) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._code: int | None = None
        self.identity = Identity.of(process.pid, run_id)

    @property
    def pid(self) -> int:
        """The number of the leader, of the group, and of the session."""
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """What the group writes, unbuffered; whoever reads it closes it."""
        if self._process.stdout is None:
            raise ValueError("this group writes to a file")
        return self._process.stdout

    def poll(self) -> int | None:
        """The leader's exit code (negative: the signal that ended it), or None while it runs."""
        with self._lock:
            if self._code is None:
                self._code = self._peek()
            return self._code

    def _peek(self) -> int | None:
        # macOS has waitid from Python 3.13 on; before that the leader is reaped here.
        if not hasattr(os, "waitid"):
            return self._process.poll()
        try:
            result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return self._process.poll()
        if result is None:
            return None
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def wait(self) -> int:
        """Block until the leader has ended, without reaping it, and return its exit code as `poll` does."""
        while (code := self.poll()) is None:
            if hasattr(os, "waitid"):
                with contextlib.suppress(ChildProcessError):
                    os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            else:
                time.sleep(_POLL)
        return code

    def signal(self, number: int) -> None:
        """Send a signal to every process of the group; none left is no error."""
        with self._lock:
            if self._process.returncode is None:
                _signal_group(self.pid, number)

    def release(self) -> None:
        """Wait for the leader and reap it; its number is free from here on."""
        with self._lock:
            code = self._process.wait()
            self._code = code if self._code is None else self._code


def start(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    directory: Path,
    run_id: str,
    descriptors: Sequence[int] = (),
) -> Group:
    """Start `argv` with exactly `environ` and the run id, its output and errors in one pipe.

    It inherits `descriptors` under their own numbers. Raises BootstrapError when there is no such program or
    folder.
    """
    environ = {**environ, RUN_ID: run_id}
    return Group(_popen(argv, environ, directory, subprocess.PIPE, descriptors=descriptors), run_id)


def spawn_detached(argv: Sequence[str], environ: Mapping[str, str], log: Path) -> Group:
    """Start `argv` so that it outlives this process and its terminal, writing `log` (0600) anew."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(log, flags, 0o600)
    try:
        return Group(_popen(argv, environ, None, handle), environ.get(RUN_ID, ""))
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a short command said; text is UTF-8 with undecodable bytes replaced."""

    code: int
    output: str
    errors: str


def run(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    directory: Path | None = None,
    data: bytes = b"",
    timeout: float = 30.0,
) -> Answer:
    """Run a short command with exactly `environ`, `data` on its standard input, and return its answer.

    Raises BootstrapError when there is no such command, or when it takes longer than `timeout` seconds (its
    whole group is killed then).
    """
    process = _popen(argv, environ, directory, subprocess.PIPE, errors=subprocess.PIPE, data=subprocess.PIPE)
    try:
        output, errors = process.communicate(data, timeout)
    except subprocess.TimeoutExpired:
        # What raised it holds the whole command line and all output, and a traceback prints them.
        raise BootstrapError(
            f"{argv[0]}: no answer within {timeout:g} seconds",
            f"Run it by hand to see why: {' '.join(argv[:2])}",
        ) from None
    finally:
        _end(process)
    return Answer(process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the group of a command that did not end, and let go of its pipes."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _popen(
    argv: Sequence[str],
    environ: Mapping[str, str],
    directory: Path | None,
    output: int,
    *,
    errors: int = subprocess.STDOUT,
    data: int = subprocess.DEVNULL,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    if directory is not None and not directory.is_dir():
        raise BootstrapError(
            f"{directory}: no such folder", "Create it, or correct the path in bootstrap.toml."
        )
    try:
        return subprocess.Popen(
            argv,
            bufsize=0,
            env=environ,
            cwd=directory,
            stdin=data,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            pass_fds=descriptors,
        )
    except (OSError, ValueError) as error:
        raise explain(argv[0], error) from error


def _signal_group(group: int, number: int) -> None:
    # macOS says EPERM where all that is left is a zombie
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
