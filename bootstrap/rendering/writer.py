"""Generated files meet the disk: whose is each one, what would change, and then the change."""

import hashlib
import json
import re
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from bootstrap.model.files import ChangeKind, FileChange, Ownership, RenderedFile
from bootstrap.rendering.context import MARKER
from bootstrap.system import git
from bootstrap.system.files import ProjectFiles

#: digests of what we wrote last, git-ignored, beside the files so that it outlives a restart of the workspace
RECORD = ".bootstrap/written.json"
_MARKER_LINES = 3
#: seconds after which a temporary file, which usually lives for milliseconds, belongs to nobody
_ABANDONED = 60


# As ProjectFiles names what it is writing.
_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{12}\.tmp")


class Writer:
    """Compares and writes the generated files of one project."""

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._written = _read_record(files.read(RECORD))

    def plan(self, rendered: Sequence[RenderedFile], *, possible: Callable[[str], bool]) -> list[FileChange]:
        """Say for each file what writing it would do; `possible` tells paths that this rendering can make.

        A file is ours to rewrite while it is what we wrote last, or says it is ours and is what HEAD holds:
        then git keeps the old text. Reads only.
        """
        current = {file.path: _text(self._files.read(file.path)) for file in rendered}
        differing = [file.path for file in rendered if current[file.path] not in {None, file.text}]
        heads = git.head_texts(self._files.root, [*differing, "bootstrap.toml"]) if differing else {}
        ours = "bootstrap.toml" in heads
        changes = [
            self._change(file, current[file.path], heads.get(file.path), project_is_ours=ours)
            for file in rendered
        ]
        return changes + self._orphans({*current}, possible)

    def apply(self, changes: Iterable[FileChange], *, force: bool = False) -> list[FileChange]:
        """Write what the plan says and return what was done; with `force` also what was edited by hand.

        Each file is the old or the new one, whole, at every moment. Raises BootstrapError, naming the path;
        the files before it are then written and the rest is not.
        """
        changes = list(changes)
        self._sweep([RECORD, *(change.path for change in changes)])
        doing = [change for change in changes if _writes(change, force=force)]
        self._remember({change.path: change for change in doing}, before=True)
        for change in doing:
            if change.kind is ChangeKind.EDITED:
                self._files.write(self._free(f"{change.path}.orig"), self._files.read(change.path) or b"")
            if change.after is None:
                self._files.remove(change.path)
            else:
                self._files.write(change.path, change.after.text.encode(), mode=change.after.mode)
        self._remember({change.path: change for change in doing}, before=False)
        return doing

    def _free(self, path: str) -> str:
        """Find a name that no earlier copy has: `path`, or with a number."""
        names = (path, *(f"{path}.{number}" for number in range(1, 1000)))
        return next(name for name in names if self._files.read(name) is None)

    def _change(
        self, file: RenderedFile, before: str | None, head: bytes | None, *, project_is_ours: bool
    ) -> FileChange:
        return FileChange(
            file.path, self._kind(file, before, head, project_is_ours=project_is_ours), before, file
        )

    def _kind(
        self, file: RenderedFile, before: str | None, head: bytes | None, *, project_is_ours: bool
    ) -> ChangeKind:
        if before is None:
            return ChangeKind.CREATE
        if before == file.text:
            return ChangeKind.SAME if self._has_mode(file) else ChangeKind.UPDATE
        if _digest(before) in self._written.get(file.path, ()):
            return ChangeKind.UPDATE
        says_ours = _marked(before) if file.ownership is Ownership.MARKER else project_is_ours
        if not says_ours:
            return ChangeKind.FOREIGN
        return ChangeKind.UPDATE if head is not None and _text(head) == before else ChangeKind.EDITED

    def _has_mode(self, file: RenderedFile) -> bool:
        """Whether its permission bits will do: git only keeps who may execute, the umask does the rest."""
        if file.mode is None:
            return True
        decides = 0o777 if file.per_workspace else stat.S_IXUSR
        return ((self._files.mode(file.path) or 0) ^ file.mode) & decides == 0

    def _sweep(self, paths: Sequence[str]) -> None:
        """Remove what a killed run was writing; what is younger may be another run's that still writes."""
        targets = {self._files.root / path for path in paths}
        for folder in {target.parent for target in targets}:
            for left in folder.glob(".*.tmp"):
                written = _TEMPORARY.fullmatch(left.name)
                if written and folder / written[1] in targets and _abandoned(left):
                    self._files.remove(left.relative_to(self._files.root).as_posix())

    def _orphans(self, wanted: set[str], possible: Callable[[str], bool]) -> list[FileChange]:
        """Files that we wrote, that nothing renders any more, and that nobody has touched since.

        The record lies in the project, where a stranger may have put it: what no template makes stays.
        """
        changes = []
        for path in sorted(filter(possible, self._written.keys() - wanted)):
            before = _text(self._files.read(path))
            if before is not None and _digest(before) in self._written[path]:
                changes.append(FileChange(path, ChangeKind.REMOVE, before, None))
        return changes

    def _remember(self, changes: Mapping[str, FileChange], *, before: bool) -> None:
        """Record digests around the writes: a run that is killed in between still knows its own files."""
        record = {path: digests for path, digests in self._written.items() if path not in changes or before}
        for path, change in changes.items():
            new = () if change.after is None else (_digest(change.after.text),)
            old = self._written.get(path, ()) if before else ()
            if old or new:
                record[path] = tuple(dict.fromkeys((*old, *new)))
        if record != self._written:
            self._written = record
            self._files.write(
                RECORD, json.dumps(record, indent=1, sort_keys=True).encode() + b"\n", mode=0o600
            )


def _writes(change: FileChange, *, force: bool) -> bool:
    if change.kind is ChangeKind.EDITED:
        return force
    return change.kind in {ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.REMOVE}


def _abandoned(path: Path) -> bool:
    try:
        return time.time() - path.lstat().st_mtime > _ABANDONED
    except FileNotFoundError:
        return False  # another run has just finished with it


def _marked(text: str) -> bool:
    return any(MARKER in line for line in text.splitlines()[:_MARKER_LINES])


def _text(data: bytes | None) -> str | None:
    """Compared with LF ends: a checkout with autocrlf has the same file."""
    return None if data is None else data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _read_record(data: bytes | None) -> dict[str, tuple[str, ...]]:
    """Read the record; one that is damaged only means that HEAD has to vouch for the files."""
    try:
        raw = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(raw, dict):
        return {}
    return {
        path: tuple(map(str, digests))
        for path, digests in raw.items()
        if path.isprintable() and isinstance(digests, list)
    }
