"""Where a work tree is and which repository it belongs to, as far as possible without running git."""

import os
import re
from pathlib import Path

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
    """Name the repository that the work tree `root` is a clone of: by its origin, else by its real path."""
    real = Path(os.path.realpath(root))
    url = _origin(root)
    return of_remote(url, real) if url else Repository(str(real))


def _origin(root: Path) -> str | None:
    try:
        config = (root / ".git" / "config").read_bytes()
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
    """A linked work tree, a submodule, or a configuration in several files: git knows."""
    from bootstrap.system import git  # noqa: PLC0415 - imports subprocess, which `run` can do without

    return git.setting(root, "remote.origin.url") if git.installed() else None
