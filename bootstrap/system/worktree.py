"""Where a work tree is and which repository it belongs to, as far as possible without running git."""

import os
import re
from pathlib import Path

from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.repository import Repository, of_remote

# The lines that git itself writes. Quotes, escapes, comments and old forms are for git to read.
_SECTION = re.compile(r'\[([a-z]+)(?: "([^"\\]*)")?\]')
_VALUE = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*) ?= ?([^\s\"\\#;](?:[^\"\\#;]*[^\s\"\\#;])?)?")


def root_of(start: Path) -> Path | None:
    """Find the work tree that holds `start`; None outside of one."""
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return None


def repository(root: Path) -> Repository:
    """Name the repository that the work tree `root` is a clone of: by its origin, else by its real path.

    A submodule is a part of the repository that holds it, whose author chooses where it comes from: the URL
    of another repository, which a mere `git submodule sync` brings, does not make it that repository. Raises
    NotConfiguredError where only git could tell, and there is none.
    """
    real = Path(os.path.realpath(root))
    above = _superproject(real)
    if above is not None:
        return Repository(f"{repository(above).identity}#{real.relative_to(above)}")
    url = _origin(real)
    return of_remote(url, real) if url else Repository(str(real))


def _superproject(root: Path) -> Path | None:
    """Find the work tree of which `root` is a submodule: `.git` leads there, or `.gitmodules` names it."""
    above = root_of(root.parent)
    if above is None:
        return None
    try:
        if ".git/modules/" in (root / ".git").read_text("utf-8", "replace"):
            return above
    except OSError:
        pass
    try:
        modules = (above / ".gitmodules").read_text("utf-8", "replace")
    except OSError:
        return None
    return above if str(root.relative_to(above)) in modules else None


def _origin(root: Path) -> str | None:
    git_folder = root / ".git"
    try:
        # What git would not take for a repository of this user's, git is to judge.
        if git_folder.lstat().st_uid != os.geteuid() or not (git_folder / "HEAD").exists():
            return _asked(root) if git_folder.exists() else None
        config = (git_folder / "config").read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return _asked(root)
    try:
        return _plain(config.decode())
    except ValueError:
        return _asked(root)


def _plain(config: str) -> str | None:
    """Find the origin's URL; raises ValueError for a configuration that has to be read by git."""
    url = section = None
    for line in config.split("\n"):
        if heading := _SECTION.fullmatch(line):
            section = heading.groups()
            if section[0].startswith("include"):
                raise ValueError(line)
        elif value := _VALUE.fullmatch(line):
            if section == ("remote", "origin") and value[1].lower() == "url":
                url = value[2]
        elif line:
            raise ValueError(line)
    return url


def _asked(root: Path) -> str | None:
    """A linked work tree, a configuration in several files, somebody else's: git knows."""
    from bootstrap.system import git  # noqa: PLC0415 - imports subprocess, which `run` can do without

    if not git.installed():
        raise NotConfiguredError(
            f"{root}: only git can tell which repository this is, and it is not installed",
            "Install it, for example: sudo apt-get install git",
        )
    return git.setting(root, "remote.origin.url")
