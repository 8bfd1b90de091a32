"""A document on a disk that fails, is full or read-only, and in processes that are killed in the middle."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.system.document import Document
from bootstrap.system.private import PrivateFolder
from tests.system import syscalls

if TYPE_CHECKING:
    from pathlib import Path

#: changes the document at sys.argv[2], and tells how that ended
CHANGE = """
from pathlib import Path
from bootstrap.model.errors import BootstrapError
from bootstrap.system.document import Document
from bootstrap.system.private import PrivateFolder

document = Document(PrivateFolder(Path(sys.argv[2])), "things")
try:
    with document.change() as data:
        data["new"] = "new-value " * 2000
        arm()
except BootstrapError as error:
    tell(f"refused: {error.message} / {error.hint}")
else:
    tell("changed")
"""
#: fills a small disk of its own, then makes it read-only; says what became of each change, and what is there
REAL_DISK = """
import contextlib, os, subprocess, sys
from pathlib import Path
from bootstrap.model.errors import BootstrapError
from bootstrap.system.document import Document
from bootstrap.system.private import PrivateFolder

disk = Path(sys.argv[1])

def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], check=True)

def change(name):
    try:
        with document.change() as data:
            data[name] = name * 3000
        print("changed")
    except BootstrapError as error:
        print(error.message)
    print(*document.read(), *sorted(os.listdir(document.path.parent)))

mount("size=64k")
document = Document(PrivateFolder(disk / "kept"), "things")
change("old")
with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
    while True:
        filler.write(bytes(4096))
change("new")
os.unlink(disk / "filler")
change("new")
mount("remount,ro")
change("late")
"""
#: root may write everywhere: start again without that (capabilities 1 and 2 of linux/capability.h)
WITHOUT_PRIVILEGES = """
import ctypes, os, sys
if os.geteuid() == 0 and "limited" not in os.environ:
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
    os.execve(sys.executable, sys.orig_argv, {**os.environ, "limited": "1"})
"""
needs_syscalls = pytest.mark.skipif(not syscalls.supported(), reason="needs seccomp of Linux")


@pytest.fixture
def written(tmp_path: Path) -> Document:
    document = Document(PrivateFolder(tmp_path / "kept" / "here"), "things")
    with document.change() as data:
        data["old"] = "old-value"
    return document


def state(path: Path) -> tuple[int, ...]:
    """Whatever changes when the file does."""
    status = path.lstat()
    return (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def beside(document: Document) -> set[str]:
    return {path.name for path in document.path.parent.iterdir()} - {document.path.name}


def python(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the interpreter."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def attempt(plan: dict[str, Any], document: Document, code: str = CHANGE) -> subprocess.CompletedProcess[str]:
    """Change the document in a process of its own, where system calls do as `plan` says."""
    return python(syscalls.__file__, json.dumps(plan), code, document.path.parent)


def attempt_plainly(before: str, document: Document) -> subprocess.CompletedProcess[str]:
    """Change the document in a process of its own that runs the code `before` first."""
    code = f"import sys\narm, tell = (lambda: None), print\n{before}\nsys.argv.insert(1, '')\n{CHANGE}"
    return python("-c", code, document.path.parent)


@needs_syscalls
def test_without_a_fault_it_is_changed(written: Document) -> None:
    done = attempt({"flock": errno.ENOLCK}, written)  # the lock is held by then
    assert (done.stdout, done.returncode) == ("changed", 0), done.stderr
    assert set(written.read()) == {"old", "new"}


@needs_syscalls
@pytest.mark.parametrize(
    ("call", "number", "words"),
    [
        ("write", errno.ENOSPC, "no space left on device / Free some space"),
        ("write", errno.EDQUOT, "disk quota exceeded / Your disk quota"),
        ("fsync", errno.EIO, "input/output error"),
        ("rename", errno.EROFS, "read-only file system / The folder is read-only"),
        ("fchmod", errno.EPERM, "operation not permitted / Check who may write"),
    ],
)
def test_what_a_disk_refuses_is_told_and_leaves_the_old_file(
    call: str, number: int, words: str, written: Document
) -> None:
    before = state(written.path)
    done = attempt({call: number}, written)
    assert done.stdout.startswith(f"refused: {written.path}: cannot write: {words}"), done
    assert state(written.path) == before
    assert beside(written) == {".things.json.lock"}


@needs_syscalls
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_killed_in_the_middle_nothing_is_lost_and_nothing_stays(call: str, written: Document) -> None:
    done = attempt({call: "kill"}, written)
    assert done.returncode == -signal.SIGSYS
    assert written.read() == {"old": "old-value"}
    assert any(name.endswith(".tmp") for name in beside(written))  # it was in the middle
    with written.change() as data:
        data["next"] = 1
    assert beside(written) == {".things.json.lock"}
    assert written.read() == {"old": "old-value", "next": 1}


@needs_syscalls
def test_where_locks_fail_nothing_is_changed(written: Document) -> None:
    """As on a network file system without its lock service."""
    code = CHANGE.replace("try:", "arm()\ntry:", 1).replace("        arm()\n", "")
    done = attempt({"flock": errno.ENOLCK}, written, code)
    lock = written.path.with_name(".things.json.lock")
    assert done.stdout.startswith(f"refused: {lock}: cannot lock: no locks available / "), done
    assert "XDG_DATA_HOME" in done.stdout
    assert written.read() == {"old": "old-value"}


def test_a_file_that_may_not_grow_stays_as_it_is(written: Document) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    done = attempt_plainly(limit, written)
    assert "cannot write: file too large / The file would be larger" in done.stdout, done
    assert written.read() == {"old": "old-value"}
    assert beside(written) == {".things.json.lock"}


def test_a_full_disk_and_a_read_only_one(tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--mount"]  # what is mounted is gone with the process
    try:
        subprocess.run([*alone, "mount", "-t", "tmpfs", "none", tmp_path], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"cannot mount anything here: {error}")
    done = subprocess.run(
        [*alone, sys.executable, "-c", REAL_DISK, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    path = tmp_path / "kept" / "things.json"
    assert done.stdout.splitlines() == [
        "changed",
        "old .things.json.lock things.json",
        f"{path}: cannot write: no space left on device",
        "old .things.json.lock things.json",
        "changed",
        "old new .things.json.lock things.json",
        f"{path.with_name('.things.json.lock')}: cannot open: read-only file system",
        "old new .things.json.lock things.json",
    ], done.stderr


def test_a_folder_that_may_not_be_written(written: Document) -> None:
    folder = written.path.parent
    folder.chmod(0o500)
    try:
        done = attempt_plainly(WITHOUT_PRIVILEGES, written)
    finally:
        folder.chmod(0o700)
    assert f"{folder}" in done.stdout, done
    assert "permission denied / Check who may write there" in done.stdout
    assert written.read() == {"old": "old-value"}
