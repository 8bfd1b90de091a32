"""What telemetry is sent to: the collector, and the peer that does the least; each bound to one core."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench.overhead.cores import bound_to, others, servers

_PATIENCE = 30.0
_LOST_SECONDS = 4.0

_SERVE = """
import json, secrets, sys
from pathlib import Path
from bootstrap.collector.server import Settings, serve
# As many as a project with all vendors has, of their lengths.
hidden = tuple(secrets.token_urlsafe(size) for size in (16, 16, 24, 30, 200)) + (
    f"postgresql://postgres:{secrets.token_hex(8)}@db:5432/cruddur",)
settings = Settings(database=Path(sys.argv[1]), token=secrets.token_urlsafe(16), http=("127.0.0.1", 0),
    daemon=("127.0.0.1", 0), hidden=hidden)
serve(settings, lambda at: print(json.dumps([at.http_url, at.daemon_address, at.token]), flush=True))
"""


@dataclass
class Receiver:
    """A receiver in a process of its own."""

    process: subprocess.Popen[str]
    http_port: int
    daemon_port: int
    database: Path
    token: str = ""

    def stored(self) -> int:
        """How many spans and segments the database has."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=_PATIENCE)) as connection:
            count: int = connection.execute("SELECT count(*) FROM operation").fetchone()[0]
        return count

    def counted(self, protocol: str) -> int | None:
        """How many it says it has stored; None if it does not say."""
        if not self.token:
            return None
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/api/received",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            counts: dict[str, dict[str, int]] = json.load(answer)
        return counts.get(protocol, {}).get("stored", 0)

    def cpu(self) -> float:
        """The seconds of processor time that it has taken."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def wait(self, wanted: int) -> float:
        """Wait for so many rows, or until nothing comes any more; when the last one was there."""
        before, since = -1, time.time()
        while (found := self.stored()) < wanted:
            if found > before:
                before, since = found, time.time()
            elif time.time() > since + _LOST_SECONDS:
                return since
            time.sleep(0.02)
        return time.time()


def send(*arguments: str | int) -> Mapping[str, Any]:
    """Let `tests.bench.senders` send, on another core."""
    argv = (sys.executable, "-m", "tests.bench.senders", *map(str, arguments))
    with bound_to(others()):
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextlib.contextmanager
def _collector(database: Path) -> Iterator[Receiver]:
    with _running(sys.executable, "-c", _SERVE, str(database)) as (process, [url, daemon, token]):
        yield Receiver(process, _port(url), _port(daemon), database, token)


@contextlib.contextmanager
def _sink(database: Path) -> Iterator[Receiver]:
    with _running(sys.executable, "-m", "tests.bench.sink", str(database)) as (process, [http, daemon]):
        yield Receiver(process, http, daemon, database)


RECEIVERS: Mapping[str, Callable[[Path], AbstractContextManager[Receiver]]] = {
    "collector": _collector,
    "sink": _sink,
}


@contextlib.contextmanager
def _running(*argv: str) -> Iterator[tuple[subprocess.Popen[str], list[Any]]]:
    with bound_to(servers()):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
