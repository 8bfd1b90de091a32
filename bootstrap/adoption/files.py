"""Which Compose files a project has, as Compose would find them, less what a clone must not choose.

`COMPOSE_FILE` of the caller's own shell counts, and that of a `.env` which git does not track: that is this
user's, too. A `.env` that came with the clone names nothing, or looking at one file would tell nothing about
what runs. What is honoured here is written into the manifest: it is seen, and no `.env` changes it later.
"""

import posixpath
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from bootstrap.adoption.documents import LONGEST, UnreadableFileError
from bootstrap.adoption.dotenv import read_names_and_values
from bootstrap.adoption.found import Chosen, Left
from bootstrap.model.compose import FILES, OVERRIDES
from bootstrap.model.errors import BootstrapError
from bootstrap.system import git
from bootstrap.system.files import ProjectFiles

_NAMES = "COMPOSE_FILE"
_SEPARATOR = "COMPOSE_PATH_SEPARATOR"
#: what Compose fetches from elsewhere: Git repositories and OCI artifacts, by URL or in SSH's short form
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/|oci:", re.IGNORECASE)


def chosen(files: ProjectFiles, environ: Mapping[str, str]) -> Chosen | None:
    """Find the Compose files that make up the project; None where it has none.

    Raises UnreadableFileError where COMPOSE_FILE names what is not a file of the project.
    """
    left: tuple[Left, ...] = ()
    if environ.get(_NAMES):
        return _named(files, environ, f"{_NAMES} of this shell")
    dotenv = read_names_and_values(files)
    if dotenv.get(_NAMES):
        if not _tracked(files):
            return _named(files, dotenv, f"{_NAMES} in .env")
        left = (
            Left(
                f".env: {_NAMES}",
                "git tracks this .env: what came with a clone does not choose what runs",
                f"If it is right: export {_NAMES} in your own shell, then run init again.",
            ),
        )
    first = next((name for name in FILES if _is_there(files, name)), None)
    if first is None:
        return None
    override = next((name for name in OVERRIDES if _is_there(files, name)), None)
    return Chosen((first,), (override,) if override else (), left=left)


def inside(path: str, folder: str = "") -> str:
    """Spell a path that a file in `folder` names, from the root. Raises UnreadableFileError outside of it."""
    if _REMOTE.match(path):
        raise UnreadableFileError(f"{path}: comes from elsewhere, and nothing is fetched", _COPY)
    if "$" in path:
        raise UnreadableFileError(f"{path}: has a variable in it, which could name anything", "Write it out.")
    joined = posixpath.normpath(posixpath.join(folder, path))
    if (
        PurePosixPath(joined).is_absolute()
        or joined.startswith("../")
        or joined in {"..", "."}
        or "\0" in path
    ):
        raise UnreadableFileError(f"{path}: leads out of the repository", _COPY)
    return joined


_AT_THE_ROOT = "Name a file at the root first: one with an include of the other will do."
_COPY = "Put a copy of it into the repository, and refer to that."


def _named(files: ProjectFiles, values: Mapping[str, str], origin: str) -> Chosen:
    names = [name for name in values[_NAMES].split(values.get(_SEPARATOR) or ":") if name]
    found = tuple(dict.fromkeys(inside(name) for name in names))
    if found and posixpath.dirname(found[0]):
        # Compose would start every path of every file there, and what is laid over them starts at the root.
        raise UnreadableFileError(f"{origin}: {found[0]} is not at the root of the repository", _AT_THE_ROOT)
    for path in found:
        if not _is_there(files, path):
            raise UnreadableFileError(f"{origin}: there is no {path}", f"Correct it, or unset {_NAMES}.")
    return Chosen(found, origin=origin)


def _is_there(files: ProjectFiles, path: str) -> bool:
    """Whether there is something under that name; a link, or what is no file, is an error that says so."""
    try:
        return files.read(path, LONGEST) is not None
    except BootstrapError as error:
        raise UnreadableFileError(error.message, error.hint) from error


def _tracked(files: ProjectFiles) -> bool:
    answer = git.run(files.root, "ls-files", "-z", "--", ".env")
    return answer.returncode != 0 or bool(answer.stdout)
