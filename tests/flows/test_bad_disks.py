"""A disk that is full or read-only: the files on it are the old ones or the new ones, whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Refused, Snapshot

ROOT = os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a tiny file system with the given options; only root can."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
        mounted = True
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_whole_files(
    project: Repository,
    bootstrap: Bootstrap,
    refused: Refused,
    snapshot: Snapshot,
    small_disk: Callable[[str], Path],
) -> None:
    whole = project.root
    bootstrap("render", cwd=whole).check(0)
    disk = small_disk("size=128k")
    for name in ("bootstrap.toml", "web"):
        (shutil.copytree if (whole / name).is_dir() else shutil.copy)(whole / name, disk / name)
    (disk / ".git").mkdir()
    filler = disk / "filler"
    seen = set()
    for room in range(0, 128, 16):
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(b"x" * 4096):
                pass
        os.truncate(filler, max(0, filler.stat().st_size - 1024 * room))
        answer = bootstrap("render", cwd=disk)
        made = snapshot(disk)
        for path, found in snapshot(whole).items():
            assert path not in made or made[path] == found or path == ".bootstrap/written.json"
        assert not [path for path in made if path.endswith(".tmp")]
        seen.add(answer.code)
        if answer.code:
            refused(answer, 1, "cannot ", "")
            assert "no space left" in answer.err
        filler.unlink()
    assert seen == {0, 1}
    bootstrap("render", cwd=disk).check(0)


def test_a_file_size_limit_leaves_whole_files(
    project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    before = snapshot(project.root)
    limited = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-B", "-m", "bootstrap", "render"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.returncode == 1, limited
    first, second = limited.stderr.splitlines()
    assert "cannot write: file too large" in first
    assert second.strip()
    after = snapshot(project.root)
    after.pop(".bootstrap", None)
    assert after == before
    bootstrap("render", cwd=project.root).check(0)


def test_a_read_only_folder_is_named(
    project: Repository,
    bootstrap: Bootstrap,
    refused: Refused,
    snapshot: Snapshot,
    small_disk: Callable[[str], Path],
) -> None:
    """Permissions do not bind root, for whom the whole file system is read-only; for others the folder is."""
    if ROOT:
        folder = small_disk("size=4m") / "project"
        shutil.copytree(project.root, folder)
        subprocess.run(["mount", "-o", "remount,ro", str(folder.parent)], check=True)
    else:
        folder = project.root
        folder.chmod(0o555)
    before = snapshot(folder)
    try:
        for arguments in (["render"], ["init", "--defaults"]):
            refused(bootstrap(*arguments, cwd=folder), 1, "cannot ")
        assert snapshot(folder) == before
    finally:
        if not ROOT:
            folder.chmod(0o755)
