"""Every value that somebody was told is kept stays kept, whoever else writes and whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.secret import Secret
from bootstrap.secrets.file import Store
from bootstrap.system.lock import Lock
from tests.secrets.writers import PATIENCE, Writer, eventually, holder_of, watched

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.conftest import Bootstrap, Repository
    from tests.secrets.conftest import MakePlace

WRITERS = 16
#: sets the secret sys.argv[1] to what comes on stdin
THROUGH_THE_API = """
import sys
from bootstrap.cli.session import Session
from bootstrap.flows.secrets import choice
from bootstrap.model.secret import Secret
store = choice.named(Session(None, as_json=False).place, "file")
print(store.set(sys.argv[1], Secret(sys.stdin.read(), "test")).value)
"""


@pytest.fixture
def writers(place: MakePlace, tmp_path: Path) -> Iterator[list[Writer]]:
    (tmp_path / "journals").mkdir()
    made = [Writer(f"WRITER{number}", place(), tmp_path / "journals") for number in range(WRITERS)]
    for writer in made:
        writer.start()
    yield made
    for writer in made:
        writer.process.kill()
        writer.process.wait()


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="looks for holders of locks in /proc")
@pytest.mark.parametrize(
    ("number", "share"),
    [
        (signal.SIGKILL, 1),
        pytest.param(signal.SIGTERM, 3, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 3, marks=pytest.mark.slow),
    ],
)
def test_whoever_is_killed(
    *,
    number: int,
    share: int,
    place: MakePlace,
    writers: list[Writer],
    soak: int,
    chance: random.Random,
    record_property: Callable[[str, object], None],
) -> None:
    store = Store(place())
    lock = Path(store.path).with_name(".secrets.json.lock")
    counts: Counter[str] = Counter()
    with watched(store.path) as seen:
        for _ in range(max(15, 10 * soak) // share):
            time.sleep(chance.uniform(0, 0.02))
            ready = eventually(lambda: [writer for writer in writers if writer.at_work()])
            victim = chance.choice(ready)
            if chance.random() < 0.5:  # most wait for the lock: hit also the one that has it
                pid = holder_of(lock)
                victim = next((writer for writer in ready if writer.process.pid == pid), victim)
            counts["hit with the lock" if holder_of(lock) == victim.process.pid else "hit elsewhere"] += 1
            victim.hit(number)
            victim.start()
        eventually(lambda: all(writer.at_work() for writer in writers))
        for writer in writers:
            writer.hit(signal.SIGKILL)
    assert seen["problems"] == []
    assert seen["reads"] > 0
    waiting = Lock(lock)
    assert waiting.acquire()
    waiting.release()
    values = {name: secret.reveal() for name, secret in store.get_many(store.names()).items()}
    for writer in writers:
        writer.check(values)
    store.set("NEXT", Secret("1:x:1", "test"))
    assert {path.name for path in lock.parent.iterdir()} == {"secrets.json", lock.name}
    counts["values kept"] = sum(writer.journal.read_text().count("kept") for writer in writers)
    counts["reads"] = seen["reads"]
    for what, count in counts.items():
        record_property(what, count)
        print(f"{signal.Signals(number).name} {what}: {count}")  # noqa: T201 - `pytest -s` and a failure show it


@pytest.fixture
def project(repository: Repository, bootstrap: Bootstrap) -> Path:
    """A project with sixteen secrets, kept in the file store."""
    names = [f'[secrets.SECRET_{number}]\ndescription = "Number {number}"\n' for number in range(WRITERS)]
    repository.write("bootstrap.toml", '[project]\nname = "shop"\n\n' + "\n".join(names))
    bootstrap("secrets", "use", "file", cwd=repository.root).check(0)
    return repository.root


def setter(name: str, project: Path, *, by_command: bool) -> subprocess.Popen[str]:
    """Start a process that sets one secret to what comes on its stdin."""
    command = ("-m", "bootstrap", "secrets", "set", name) if by_command else ("-c", THROUGH_THE_API, name)
    pipe = subprocess.PIPE
    argv = [sys.executable, *command]
    return subprocess.Popen(argv, cwd=project, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_sixteen_set_different_secrets_at_once(project: Path, bootstrap: Bootstrap) -> None:
    values = {f"SECRET_{number}": f"value-{number}-{os.urandom(8).hex()}" for number in range(WRITERS)}
    with contextlib.ExitStack() as stack:
        started = {
            name: stack.enter_context(setter(name, project, by_command=index % 2 == 0))
            for index, name in enumerate(values)
        }
        for name, process in started.items():  # each waits for its value, so they write together
            assert process.stdin is not None
            process.stdin.write(values[name])
            process.stdin.close()
        for process in started.values():
            assert process.stdout is not None
            assert process.stderr is not None
            printed = process.stdout.read() + process.stderr.read()
            assert (process.wait(PATIENCE), "stored" in printed) == (0, True), printed
    exported = bootstrap("secrets", "export", "--format", "json", cwd=project).check(0)
    assert json.loads(exported.out) == values


@pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="looks for system calls in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_interrupted_while_it_waits_for_another(
    number: int, code: int, project: Path, bootstrap: Bootstrap, clean_environment: Path
) -> None:
    bootstrap("secrets", "set", "SECRET_0", cwd=project, data="old-value").check(0)
    (path,) = clean_environment.glob("data/bootstrap/repositories/*/secrets.json")
    before = path.read_bytes()
    lock = Lock(path.with_name(".secrets.json.lock"))
    assert lock.acquire()
    with setter("SECRET_0", project, by_command=True) as process:
        assert process.stdin is not None
        process.stdin.write("new-value")
        process.stdin.close()
        eventually(partial(_sleeps, process.pid))
        process.send_signal(number)
        assert process.wait(PATIENCE) == code
        assert process.stderr is not None
        assert "new-value" not in process.stderr.read()
    lock.release()
    assert path.read_bytes() == before
    bootstrap("secrets", "set", "SECRET_0", cwd=project, data="new-value").check(0, "stored")


def _sleeps(pid: int) -> bool:
    """Whether the process is in clock_nanosleep(2) (here, there), as only one that waits for a lock is."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[0] in {"230", "115"}
