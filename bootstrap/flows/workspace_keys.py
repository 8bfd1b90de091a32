"""What workspace files of somebody's own lack: found by what ours would say, ready to be pasted."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from bootstrap.adoption import workspace_files
from bootstrap.adoption.documents import UnreadableFileError, load
from bootstrap.encoding import yaml
from bootstrap.flows.render import OWNERS, inputs
from bootstrap.model.project import Project
from bootstrap.rendering.context import build
from bootstrap.rendering.renderer import SUFFIX, Renderer
from bootstrap.rendering.templates import built_in
from bootstrap.system.files import ProjectFiles


class Lacking(Struct, frozen=True):
    """One file, the names of the keys that it lacks, and what to paste; or why nobody can tell."""

    path: str
    keys: tuple[str, ...] = ()
    paste: str = ""
    problem: UnreadableFileError | None = None


def lacking(files: ProjectFiles, project: Project) -> Iterator[Lacking]:
    """Look at each workspace file that is theirs, and to which ours has something to add."""
    for path, key in OWNERS.items():
        if key not in workspace_files.PATHS or getattr(project.files, key) != "overlay":
            continue
        there = workspace_files.path_of(files, key)
        if there is None:
            yield Lacking(path, tuple(_ours(project, path)), _pasted(path, _ours(project, path)))
            continue
        try:
            theirs = workspace_files.read(files, there)
        except UnreadableFileError as error:
            yield Lacking(there, problem=error)
            continue
        found = workspace_files.missing(key, _ours(project, path), theirs)
        yield Lacking(there, tuple(found), _pasted(there, found) if found else "")


def _ours(project: Project, path: str) -> dict[str, Any]:
    """What the file would say if it were ours."""
    name = f"{path}{SUFFIX}"
    renderer = Renderer({name: built_in()[name]})
    (made,) = renderer.render(build(inputs(project, None)))
    if path.endswith(".yml"):
        document = load(made.text.encode(), path)
    else:
        document = workspace_files.from_jsonc(made.text.encode(), path)
    return dict(document)


def _pasted(path: str, found: dict[str, Any]) -> str:
    return yaml.block(found) if path.endswith(".yml") else json.dumps(found, indent=2, ensure_ascii=False)
