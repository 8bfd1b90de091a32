"""The lock between processes."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.system.lock import Lock

HOLD = """
import subprocess, sys, time
from pathlib import Path
from bootstrap.system.lock import Lock
lock = Lock(Path(sys.argv[1]))
lock.acquire()
child = subprocess.Popen(["sleep", "600"], close_fds=False, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    second.release()
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_a_killed_holder_gives_it_back_though_its_child_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        assert not Lock(path).acquire()
        holder.kill()
        holder.wait()
        lock = Lock(path)
        assert lock.acquire()
        lock.release()
        os.kill(child, signal.SIGKILL)


def test_asking_whether_somebody_has_it_takes_it_from_nobody(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not Lock(path).held()
    assert not path.exists()
    lock = Lock(path)
    assert lock.acquire()
    assert Lock(path).held()
    lock.release()
    assert not Lock(path).held()
    with path.open(encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # somebody else who asks at this moment
        assert not Lock(path).held()


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BootstrapError, match="lock: cannot open"):
        Lock(tmp_path / "lock").acquire()
    assert not (tmp_path / "elsewhere").exists()
