"""Whose is a file that is already there? A row for each way it can have come to be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.model.files import ChangeKind, Ownership, RenderedFile
from bootstrap.rendering.context import MARKER
from bootstrap.rendering.writer import RECORD, Writer
from bootstrap.system.files import ProjectFiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import Repository

OLD, NEW = f"# {MARKER}\nold\n", f"# {MARKER}\nnew\n"
JSON_OLD, JSON_NEW = '{"a": "old"}\n', '{"a": "new"}\n'


def rendered(path: str, text: str, mode: int | None = None, *, private: bool = False) -> RenderedFile:
    ownership = Ownership.PATH if path.endswith(".json") else Ownership.MARKER
    return RenderedFile(path, text, ownership, mode, per_workspace=private)


def plan(root: Path, *files: RenderedFile, kept: Sequence[str] = ()) -> dict[str, ChangeKind]:
    changes = Writer(ProjectFiles(root)).plan(files, possible=lambda path: path not in kept)
    return {change.path: change.kind for change in changes}


def write(
    root: Path, *files: RenderedFile, force: bool = False, kept: Sequence[str] = ()
) -> dict[str, ChangeKind]:
    writer = Writer(ProjectFiles(root))
    changes = writer.plan(files, possible=lambda path: path not in kept)
    return {change.path: change.kind for change in writer.apply(changes, force=force)}


#: how the file came to be: (what HEAD holds, what is on the disk, what we wrote last) -> what that makes it
MARKED: dict[str, tuple[str | None, str | None, str | None, ChangeKind]] = {
    "nothing there": (None, None, None, ChangeKind.CREATE),
    "removed by somebody": (OLD, None, OLD, ChangeKind.CREATE),
    "as it would be": (None, NEW, None, ChangeKind.SAME),
    "as it would be, but for CRLF": (NEW, NEW.replace("\n", "\r\n"), None, ChangeKind.SAME),
    "what we wrote last": (None, OLD, OLD, ChangeKind.UPDATE),
    "what we wrote last, over another HEAD": (NEW, OLD, OLD, ChangeKind.UPDATE),
    "a clone: what HEAD holds": (OLD, OLD, None, ChangeKind.UPDATE),
    "a clone with CRLF": (OLD, OLD.replace("\n", "\r\n"), None, ChangeKind.UPDATE),
    "marked, never committed, no record": (None, OLD, None, ChangeKind.EDITED),
    "edited since we wrote it": (None, OLD + "mine\n", OLD, ChangeKind.EDITED),
    "edited since HEAD": (OLD, OLD + "mine\n", None, ChangeKind.EDITED),
    "edited in a CRLF checkout": (OLD, OLD.replace("\n", "\r\n") + "mine\r\n", None, ChangeKind.EDITED),
    "edited and committed by somebody": (OLD + "mine\n", OLD + "mine\n", OLD, ChangeKind.UPDATE),
    "emptied": (OLD, "", None, ChangeKind.FOREIGN),
    "without the marker": (None, "theirs\n", None, ChangeKind.FOREIGN),
    "without the marker, committed": ("theirs\n", "theirs\n", None, ChangeKind.FOREIGN),
    "the marker taken away": (OLD, "old\n", OLD, ChangeKind.FOREIGN),
    "the marker far below": (None, "theirs\n" * 9 + OLD, None, ChangeKind.FOREIGN),
}


@pytest.mark.parametrize("case", MARKED)
def test_a_file_with_a_marker(case: str, repository: Repository) -> None:
    head, disk, last, expected = MARKED[case]
    path = "docker-compose.yml"
    repository.write("bootstrap.toml", "")
    if head is not None:
        repository.write(path, head)
    repository.commit()
    (repository.root / path).unlink(missing_ok=True)
    if last is not None:
        write(repository.root, rendered(path, last))
        (repository.root / path).unlink()
    if disk is not None:
        (repository.root / path).write_bytes(disk.encode())
    assert plan(repository.root, rendered(path, NEW)) == {path: expected}


#: the same for strict JSON, which can hold no marker: whether HEAD holds the manifest decides, too
UNMARKED: dict[str, tuple[bool, str | None, str | None, str | None, ChangeKind]] = {
    "nothing there": (False, None, None, None, ChangeKind.CREATE),
    "as it would be": (False, None, JSON_NEW, None, ChangeKind.SAME),
    "what we wrote last": (False, None, JSON_OLD, JSON_OLD, ChangeKind.UPDATE),
    "a clone of a project of ours": (True, JSON_OLD, JSON_OLD, None, ChangeKind.UPDATE),
    "edited in a project of ours": (True, JSON_OLD, "{}", None, ChangeKind.EDITED),
    "never committed in a project of ours": (True, None, JSON_OLD, None, ChangeKind.EDITED),
    "somebody's, committed": (False, JSON_OLD, JSON_OLD, None, ChangeKind.FOREIGN),
    "somebody's, not committed": (False, None, JSON_OLD, None, ChangeKind.FOREIGN),
    "edited before the manifest is committed": (False, None, "{}", JSON_OLD, ChangeKind.FOREIGN),
}


@pytest.mark.parametrize("case", UNMARKED)
def test_a_file_that_its_path_makes_ours(case: str, repository: Repository) -> None:
    ours, head, disk, last, expected = UNMARKED[case]
    path = "aws/json/xray-group.json"
    if ours:
        repository.write("bootstrap.toml", "")
    if head is not None:
        repository.write(path, head)
    repository.commit()
    (repository.root / path).unlink(missing_ok=True)
    if last is not None:
        write(repository.root, rendered(path, last))
        (repository.root / path).unlink()
    if disk is not None:
        repository.write(path, disk)
    assert plan(repository.root, rendered(path, JSON_NEW)) == {path: expected}


@pytest.mark.parametrize("repository_there", [True, False])
def test_without_any_commit_the_record_vouches(repository: Repository, *, repository_there: bool) -> None:
    root = repository.root if repository_there else repository.root.parent
    assert write(root, rendered("a.yml", OLD)) == {"a.yml": ChangeKind.CREATE}
    assert write(root, rendered("a.yml", NEW)) == {"a.yml": ChangeKind.UPDATE}
    assert write(root, rendered("a.yml", NEW)) == {}
    assert plan(root, rendered("a.yml", OLD)) == {"a.yml": ChangeKind.UPDATE}
    (root / RECORD).unlink()
    assert plan(root, rendered("a.yml", OLD)) == {"a.yml": ChangeKind.EDITED}


def test_a_project_below_the_root_of_its_repository(repository: Repository) -> None:
    repository.write("deep/bootstrap.toml", "")
    repository.write("deep/a.yml", OLD)
    repository.write("a.yml", "somebody else's\n")
    repository.commit()
    assert plan(repository.root / "deep", rendered("a.yml", NEW)) == {"a.yml": ChangeKind.UPDATE}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"a.yml": 5}'])
def test_a_damaged_record_only_costs_a_question(damage: bytes, repository: Repository) -> None:
    write(repository.root, rendered("a.yml", OLD))
    (repository.root / RECORD).write_bytes(damage)
    assert plan(repository.root, rendered("a.yml", NEW)) == {"a.yml": ChangeKind.EDITED}
    assert plan(repository.root, rendered("a.yml", OLD)) == {"a.yml": ChangeKind.SAME}


def test_what_nothing_renders_any_more_is_removed_unless_somebody_touched_it(repository: Repository) -> None:
    files = [rendered(f"{name}.yml", OLD) for name in ("gone", "touched", "kept", "stays")]
    write(repository.root, *files)
    repository.write("touched.yml", OLD + "mine\n")
    assert plan(repository.root, files[3], kept=["kept.yml"]) == {
        "stays.yml": ChangeKind.SAME,
        "gone.yml": ChangeKind.REMOVE,
    }
    write(repository.root, files[3], kept=["kept.yml"])
    assert {path.name for path in repository.root.glob("*.yml")} == {"touched.yml", "kept.yml", "stays.yml"}
    assert plan(repository.root, files[3], kept=["kept.yml"]) == {"stays.yml": ChangeKind.SAME}


#: (the mode that the file should have, whether it is this workspace's alone, the umask) -> is it right?
MODES = [
    (0o755, False, 0o022, True),
    (0o755, False, 0o002, True),
    (0o755, False, 0o077, True),
    (0o755, False, 0o111, False),
    (0o600, True, 0o077, True),
    (0o600, True, 0o022, False),
    (None, False, 0o000, True),
]


@pytest.mark.parametrize(("mode", "private", "umask", "right"), MODES)
def test_a_mode_is_wrong_only_where_it_matters(
    mode: int | None, umask: int, repository: Repository, *, private: bool, right: bool
) -> None:
    """Git keeps only who may execute; a clone under any umask is what it should be."""
    file = rendered("a", NEW, mode, private=private)
    path = repository.write("a", NEW)
    path.chmod((0o777 if mode == 0o755 else 0o666) & ~umask)
    assert plan(repository.root, file) == {"a": ChangeKind.SAME if right else ChangeKind.UPDATE}
    write(repository.root, file)
    assert plan(repository.root, file) == {"a": ChangeKind.SAME}
    if mode is not None and not right:
        assert path.stat().st_mode & 0o777 == mode


def test_an_update_keeps_the_mode_that_somebody_chose(repository: Repository) -> None:
    write(repository.root, rendered("a.yml", OLD))
    (repository.root / "a.yml").chmod(0o640)
    write(repository.root, rendered("a.yml", NEW))
    assert (repository.root / "a.yml").stat().st_mode & 0o777 == 0o640


def test_nothing_is_written_where_nothing_changes(repository: Repository) -> None:
    file = rendered("a.yml", NEW)
    write(repository.root, file)
    before = [(repository.root / path).stat() for path in ("a.yml", RECORD)]
    assert write(repository.root, file) == {}
    after = [(repository.root / path).stat() for path in ("a.yml", RECORD)]
    assert [(one.st_ino, one.st_mtime_ns) for one in before] == [
        (one.st_ino, one.st_mtime_ns) for one in after
    ]


def test_force_keeps_what_was_edited_byte_for_byte(repository: Repository) -> None:
    edited = OLD.encode() + b"mine \xff\r\n"
    (repository.root / "a.yml").write_bytes(edited)
    assert write(repository.root, rendered("a.yml", NEW)) == {}
    assert (repository.root / "a.yml").read_bytes() == edited
    assert write(repository.root, rendered("a.yml", NEW), force=True) == {"a.yml": ChangeKind.EDITED}
    assert repository.read("a.yml") == NEW
    assert (repository.root / "a.yml.orig").read_bytes() == edited


def test_force_leaves_what_is_not_ours(repository: Repository) -> None:
    repository.write("a.yml", "theirs\n")
    assert write(repository.root, rendered("a.yml", NEW), force=True) == {}
    assert repository.read("a.yml") == "theirs\n"


@pytest.mark.parametrize("path", ["../a", "/etc/a", "a/../../b", ""])
def test_a_path_out_of_the_project_is_refused(path: str, repository: Repository) -> None:
    with pytest.raises(BootstrapError, match="is not a path inside the project"):
        plan(repository.root, rendered(path, NEW))


def test_the_record_is_private_and_holds_digests_alone(repository: Repository) -> None:
    write(repository.root, rendered("a.yml", "plainly-fake-value\n"))
    record = repository.root / RECORD
    assert record.stat().st_mode & 0o777 == 0o600
    assert "fake" not in record.read_text()
    assert set(json.loads(record.read_text())) == {"a.yml"}


def test_what_a_killed_run_left_is_removed_once_it_is_nobodys(repository: Repository) -> None:
    left = repository.write(".a.yml.0123456789ab.tmp", "half")
    theirs = repository.write(".b.yml.0123456789ab.tmp", "somebody's")
    hour_ago = time.time() - 3600
    os.utime(theirs, (hour_ago, hour_ago))
    write(repository.root, rendered("a.yml", NEW))
    assert left.exists()  # another run may be writing it
    os.utime(left, (hour_ago, hour_ago))
    write(repository.root, rendered("a.yml", NEW))
    assert not left.exists()
    assert theirs.exists()


def test_a_hostile_attribute_or_hook_of_the_repository_is_not_run(repository: Repository) -> None:
    """Looking at HEAD runs git, and a stranger's repository could say what git runs."""
    trap = repository.root.parent / "sprung"
    repository.write("a.yml", OLD)
    repository.write(".gitattributes", "* filter=trap diff=trap\n")
    repository.commit()
    for key in (
        "core.fsmonitor",
        "filter.trap.smudge",
        "filter.trap.clean",
        "diff.trap.textconv",
        "core.pager",
    ):
        repository.git("config", key, f"touch {trap}")
    assert not trap.exists()
    write(repository.root, rendered("a.yml", NEW))
    assert not trap.exists()


def test_two_runs_at_once_both_leave_whole_files(repository: Repository) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from bootstrap.model.files import RenderedFile\n"
        "from bootstrap.rendering.writer import Writer\n"
        "from bootstrap.system.files import ProjectFiles\n"
        "for number in range(20):\n"
        "    writer = Writer(ProjectFiles(Path(sys.argv[1])))\n"
        "    text = f'# {sys.argv[3]}\\n' + f'{sys.argv[2]}{number}\\n' * 2000\n"
        "    writer.apply(writer.plan([RenderedFile('a.yml', text)], possible=bool), force=True)\n"
    )
    command = [sys.executable, "-c", program, str(repository.root)]
    runs = [subprocess.Popen([*command, name, MARKER], stderr=subprocess.PIPE) for name in ("one", "two")]
    for run in runs:
        _, errors = run.communicate(timeout=120)
        assert (run.returncode, errors) == (0, b"")
    lines = repository.read("a.yml").splitlines()[1:]
    assert len(lines) == 2000
    assert len(set(lines)) == 1
    assert not list(repository.root.glob(".*.tmp"))
