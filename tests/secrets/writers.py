"""Processes that write secrets until they are killed, and one that reads them all the time."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bootstrap.secrets.interface import Place

#: seconds that a loaded machine may take for anything
PATIENCE = 120.0

#: sets its own names to one value after the other, until it is killed; its journal says what it was told
WRITER = """
import os, random, sys
from pathlib import Path
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.secrets.file import Store
from bootstrap.secrets.interface import Fate, Place
from bootstrap.system.private import PrivateFolder

me, folder, identity, journal, number = sys.argv[1:]
here = PrivateFolder(Path(folder))
place = Place(Repository(identity), here.path, {}, here, here, "", {}, "", None, lambda name: None)
log = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
number = int(number)
try:
    store = Store(place)
    while True:
        number += 1
        name = f"{me}_{number % 3}"
        os.write(log, f"tried {name} {number}\\n".encode())
        value = f"{number}:{'x' * random.randrange(3000)}:{number}"
        if store.set(name, Secret(value, "test")) is not Fate.STORED:
            os._exit(9)
        os.write(log, f"kept {name} {number}\\n".encode())
except KeyboardInterrupt:
    os._exit(130)
"""

#: reads the file all the time, and ends with what it has seen when its stdin ends
WATCHER = """
import json, os, select, sys
reads, problems, last = 0, [], {}
while not select.select([0], [], [], 0)[0]:
    try:
        with open(sys.argv[1], "rb") as stream:
            data = json.loads(stream.read())
    except FileNotFoundError:
        continue
    except ValueError as error:
        problems.append(f"read {reads} does not parse: {error}")
        continue
    reads += 1
    for name in last.keys() - data["secrets"].keys():
        problems.append(f"read {reads}: {name} is gone")
    for name, value in data["secrets"].items():
        first, _, second = value.split(":")
        number = int(first)
        if first != second or number < last.get(name, 0):
            problems.append(f"read {reads}: {name} is {first} and {second} after {last.get(name, 0)}")
        last[name] = number
print(json.dumps({"reads": reads, "problems": problems[:5]}))
"""


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait for the condition, and return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {condition}"
        time.sleep(0.002)
    return found


@dataclass
class Writer:
    """One of the writers, started again and again."""

    name: str
    place: Place
    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)
    size: int = field(init=False, default=0)

    @property
    def journal(self) -> Path:
        return self.folder / self.name

    def start(self) -> None:
        self.size = self.journal.stat().st_size if self.journal.exists() else 0
        numbers = [number for numbers in self.entries().values() for number in numbers.values()]
        path, identity = str(self.place.folder.path), self.place.repository.identity
        argv = (self.name, path, identity, str(self.journal), str(max(numbers, default=0)))
        self.process = subprocess.Popen([sys.executable, "-c", WRITER, *argv])

    def at_work(self) -> bool:
        """Whether it has written something since its start; one that has ended by itself is an error."""
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}"
        return self.journal.exists() and self.journal.stat().st_size > self.size

    def hit(self, number: int) -> None:
        """Send it the signal, and wait for its end."""
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        assert self.process.returncode in ({130, -number} if number == signal.SIGINT else {-number})

    def entries(self) -> dict[str, dict[str, int]]:
        """The last number of each name that was tried, and that was kept."""
        last: dict[str, dict[str, int]] = {"tried": {}, "kept": {}}
        for line in self.journal.read_text().splitlines() if self.journal.exists() else ():
            event, name, number = line.split()
            last[event][name] = int(number)
        return last

    def check(self, values: dict[str, str]) -> None:
        """Compare the file with what it was told: at least what was kept, at most what was tried."""
        entries = self.entries()
        for name, kept in entries["kept"].items():
            assert name in values, f"{name} is lost"
            assert kept <= int(values[name].split(":")[0]) <= entries["tried"][name], name


def holder_of(lock: Path) -> int | None:
    """Find the process that holds the lock now, as proc(5) says it; None where nobody does, or ever did."""
    if not lock.exists():
        return None
    inode = f":{lock.stat().st_ino}"
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[5].endswith(inode):
            return int(words[4])
    return None


@contextlib.contextmanager
def watched(path: str) -> Iterator[dict[str, Any]]:
    """Read the file at `path` all the time; afterwards says how often, and what was wrong."""
    seen: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as watcher:
        try:
            yield seen
        finally:
            seen.update(json.loads(watcher.communicate(timeout=PATIENCE)[0]))
