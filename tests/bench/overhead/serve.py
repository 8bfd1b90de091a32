"""Starts an app under gunicorn on a core of its own, and says what it took."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.overhead import cores

_PATIENCE = 60.0  # seconds


@dataclass
class Server:
    """A running gunicorn with one worker."""

    port: int
    master: psutil.Process
    worker: psutil.Process
    whole_cpu_seconds: float = 0.0  # of both processes, once they have ended

    def memory(self) -> int:
        """The worker's own bytes and its part of what it shares with others (PSS); macOS: resident bytes."""
        full = self.worker.memory_full_info()
        return int(getattr(full, "pss", full.rss))

    def cpu_seconds(self) -> float:
        """CPU seconds that both processes have used so far."""
        used = (process.cpu_times() for process in (self.master, self.worker))
        return float(sum(times.user + times.system for times in used))


@contextmanager
def serving(folder: Path, environ: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Serve by the folder's gunicorn.conf.py. After the block the server has ended itself, on SIGTERM."""
    with log.open("wb") as output, cores.bound_to(cores.servers()):
        process = subprocess.Popen(
            (sys.executable, "-m", "gunicorn"),
            cwd=folder,
            env={**environ, "HOST": "127.0.0.1", "PORT": "0"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        port = _logged(r"Listening at: http://127\.0\.0\.1:(\d+)", log, process)
        worker = _logged(r"Booting worker with pid: (\d+)", log, process)
        server = Server(port, psutil.Process(process.pid), psutil.Process(worker))
        yield server
        process.terminate()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        server.whole_cpu_seconds = usage.ru_utime + usage.ru_stime
        if process.returncode:
            raise RuntimeError(f"the server ended with {process.returncode}: {_end_of(log)}")
    except psutil.NoSuchProcess as error:
        raise RuntimeError(f"the server ended before it was told to: {_end_of(log)}") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _logged(pattern: str, log: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if match := re.search(pattern, log.read_text(errors="replace")):
            return int(match[1])
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
