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

_PATIENCE = 60.0


@dataclass
class Server:
    """A running gunicorn with one worker."""

    port: int
    master: subprocess.Popen[bytes]
    worker: psutil.Process
    cpu_seconds: float = 0.0  # of the whole life, once it has ended

    def memory(self) -> int:
        """The worker's own bytes and its share of what it shares (PSS); resident bytes where that is unknown."""
        full = self.worker.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)

    def busy(self) -> float:
        """CPU seconds that the worker has used so far."""
        times = self.worker.cpu_times()
        return float(times.user + times.system)


@contextmanager
def serving(folder: Path, app: tuple[str, ...], environ: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Serve in the block; afterwards SIGTERM has ended the server, and all it had to send is sent."""
    ours = cores.available()
    with log.open("wb") as output, cores.bound_to(ours[-1:] if len(ours) > 1 else []):
        master = subprocess.Popen(
            (sys.executable, "-m", "gunicorn", *app),
            cwd=folder,
            env={**environ, "HOST": "127.0.0.1", "PORT": "0"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        port = int(_wait_for(log, r"Listening at: http://127\.0\.0\.1:(\d+)", master))
        worker = int(_wait_for(log, r"Booting worker with pid: (\d+)", master))
        server = Server(port, master, psutil.Process(worker))
        yield server
        master.terminate()
        _, status, usage = os.wait4(master.pid, 0)
        master.returncode = os.waitstatus_to_exitcode(status)
        server.cpu_seconds = usage.ru_utime + usage.ru_stime
    finally:
        if master.poll() is None:
            master.kill()
            master.wait()


def _wait_for(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if match := re.search(pattern, log.read_text(errors="replace")):
            return match[1]
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
