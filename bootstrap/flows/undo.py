"""`init` taken back: what it wrote goes, what somebody has changed since stays and is named."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from msgspec import Struct

from bootstrap.adoption import workspace_files
from bootstrap.config.location import LOCAL_MANIFEST, MANIFEST
from bootstrap.flows import footprint, render
from bootstrap.flows.adopted_text import HEADER
from bootstrap.flows.render import IGNORED
from bootstrap.flows.scaffold import ADOPTED_ATTRIBUTES, ATTRIBUTES
from bootstrap.flows.secrets import hook
from bootstrap.model.compose import ADDED, FILES
from bootstrap.model.errors import BootstrapError
from bootstrap.model.files import ChangeKind, FileChange
from bootstrap.rendering.renderer import Renderer
from bootstrap.rendering.templates import built_in
from bootstrap.rendering.writer import RECORD, Writer
from bootstrap.system.files import ProjectFiles
from bootstrap.system.worktree import root_of

_FOLDER = ".bootstrap"
#: what lies in our folder because of `init` and `render`, and nothing else
_OWN = (RECORD, f"{_FOLDER}/workspace", footprint.RECORD)
#: what may have been moved away
_MOVABLE = frozenset((*FILES, *(path for paths in workspace_files.PATHS.values() for path in paths)))


class Undone(Struct, frozen=True):
    """What was removed, what was put back where it was, and what stays, with the reason."""

    removed: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def undo(files: ProjectFiles, sources: Callable[[bytes], render.Sources]) -> Undone:
    """Take back what `init` wrote; the manifest goes last, so that a second try finds what the first did."""
    changes, problem = _planned(files, sources)
    gone = [
        change for change in changes if change.kind in {ChangeKind.SAME, ChangeKind.UPDATE, ChangeKind.REMOVE}
    ]
    left = [(change.path, "edited by hand") for change in changes if change.kind is ChangeKind.EDITED]
    if problem is not None:
        left.append((MANIFEST, f"cannot be read ({problem.message}): only what is on record was removed"))
    for change in gone:
        files.remove(change.path)
    removed = [change.path for change in gone if not change.path.startswith(f"{_FOLDER}/")]
    restored = list(_put_back(files))
    restored += [
        path
        for path, lines in zip(footprint.LISTS, (IGNORED, (*ATTRIBUTES, *ADOPTED_ATTRIBUTES)), strict=True)
        if footprint.take_back_lines(files, path, lines)
    ]
    if footprint.unexclude(files.root, IGNORED):
        restored.append(".git/info/exclude")
    root = root_of(files.root) or files.root
    if hook.look(root).state in {hook.State.INSTALLED, hook.State.OUTDATED} and hook.remove(root):
        removed.append("the pre-commit hook")
    if footprint.is_as_written(files, "\n".join(HEADER).encode()):
        files.remove(MANIFEST)
        removed.append(MANIFEST)
    elif files.read(MANIFEST) is not None:
        left.append((MANIFEST, "not as init wrote it, so it is yours"))
    if files.read(LOCAL_MANIFEST) is not None:
        left.append((LOCAL_MANIFEST, "yours: init never wrote it"))
    _remove_folders(files, [change.path for change in gone])
    left += _own_folder(files)
    return Undone(tuple(removed), tuple(restored), tuple(left))


def _planned(
    files: ProjectFiles, sources: Callable[[bytes], render.Sources]
) -> tuple[list[FileChange], BootstrapError | None]:
    """Every generated file there is; without a manifest that can be read, those on record alone."""
    data = files.read(MANIFEST)
    try:
        if data is None:
            raise BootstrapError("it is gone")
        return list(render.plan(files, sources(data)).changes), None
    except BootstrapError as error:
        renderer = Renderer(built_in())
        changes = Writer(files).plan([], possible=lambda path: path == ADDED or renderer.possible(path))
        return changes, error if data is not None else None


def _put_back(files: ProjectFiles) -> Iterator[str]:
    """Files of theirs that ours had taken the place of."""
    for path, name in footprint.moved(files).items():
        if path not in _MOVABLE or not name.startswith(f"{path}.orig") or "/" in name[len(path) :]:
            continue
        data = files.read(name)
        if data is None or files.read(path) is not None:
            continue
        files.write(path, data, mode=files.mode(name))
        files.remove(name)
        yield path


def _remove_folders(files: ProjectFiles, paths: list[str]) -> None:
    """Remove the folders that are empty now; git knows nothing of those anyway."""
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents} - {"."}
    for folder in sorted(folders, key=len, reverse=True):
        files.remove_folder(folder)


def _own_folder(files: ProjectFiles) -> list[tuple[str, str]]:
    for path in _OWN:
        files.remove(path)
    for name in files.entries(f"{_FOLDER}/env") or ():
        if name.endswith(".env"):
            files.remove(f"{_FOLDER}/env/{name}")
    files.remove_folder(f"{_FOLDER}/env")
    rest = [name for name in files.entries(_FOLDER) or () if name != ".gitignore"]
    if rest:
        # It goes on to ignore itself: nothing in it is for git.
        files.write(footprint.SELF_IGNORING, b"*\n")
        return [(_FOLDER, f"holds {', '.join(rest)}, which init did not write: rm -r {_FOLDER}")]
    with contextlib.suppress(BootstrapError):
        files.remove(footprint.SELF_IGNORING)
    files.remove_folder(_FOLDER)
    return []
