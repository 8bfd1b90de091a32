"""Decides which changed files reload which service, and how soon."""

import fnmatch
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

#: folders that programs fill: version control, caches, what was installed, what this tool makes
_FOLDERS = frozenset(
    (
        *(".git", ".hg", ".svn", ".bootstrap", ".idea", ".vscode"),
        *("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox"),
        *("node_modules", ".venv", "venv", ".venvs", ".cache"),
    )
)
#: files that no service reads as its source: bytecode, what editors keep beside a file, databases, logs
_FILES = re.compile(
    "|".join(
        fnmatch.translate(pattern)
        for pattern in (
            *("*.py[co]", "*.swp", "*.swo", "*.swx", "*~", ".#*", "#*#", "4913", "*___jb_*___", ".DS_Store"),
            *("*.db", "*.sqlite", "*.sqlite3", "*-journal", "*-wal", "*-shm"),
            *("*.log", "*.log.[0-9]*", "*.pid", ".coverage", ".coverage.*"),
        )
    )
)


def is_source(path: str) -> bool:
    """Whether a service may read the file at `path`, which is relative to the folder that is watched."""
    parts = Path(path).parts
    return _FOLDERS.isdisjoint(parts) and not (parts and _FILES.match(parts[-1]))


def by_service(folders: Mapping[str, Path], paths: Iterable[str]) -> dict[str, list[str]]:
    """Say by service which of `paths` are its source, relative to its folder.

    Where one folder lies in another, a path belongs to the services of the deepest that holds it.
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        holding = [folder for folder in set(folders.values()) if Path(path).is_relative_to(folder)]
        if not holding:
            continue
        deepest = max(holding, key=lambda folder: len(folder.parts))
        relative = os.path.relpath(path, deepest)
        if is_source(relative):
            for name in (name for name, folder in folders.items() if folder == deepest):
                found.setdefault(name, []).append(relative)
    return found


class Pace:
    """How soon a service may be reloaded: at once, unless it seems to change its source with every start."""

    #: changes soon after a start that a person may have made
    FREE = 4

    def __init__(self, quiet: float, longest: float) -> None:
        self._quiet = quiet
        self._longest = longest
        self._hasty = 0

    def pause(self, age: float) -> float:
        """How many seconds to wait before a reload, for a change when the process is `age` seconds old."""
        self._hasty = self._hasty + 1 if age < self._quiet else 0
        over = self._hasty - self.FREE
        return min(2.0 ** min(over - 1, 30), self._longest) if over > 0 else 0.0

    @property
    def begins(self) -> bool:
        """Whether this was the first change that had to wait."""
        return self._hasty == self.FREE + 1
