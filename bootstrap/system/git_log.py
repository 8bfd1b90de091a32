"""What happened between two commits: subjects, and the files that differ, however git is configured."""

import os
from pathlib import Path
from typing import NamedTuple

from bootstrap.model.errors import BootstrapError
from bootstrap.system import git, git_user


class Line(NamedTuple):
    """One commit: its id and the first paragraph of its message in one line."""

    id: str
    subject: str


class FileChange(NamedTuple):
    """How one file differs; None lines for one that is not text."""

    path: str
    added: int | None
    removed: int | None


def subjects(root: Path, after: str | None, until: str) -> list[Line]:
    """List the commits that lead to `until` and not to `after` (ids), newest first.

    Control characters in a subject stay: whoever prints it escapes them.
    """
    without = [f"^{after}"] if after else []
    printed = _output(
        root, "rev-list", "--encoding=UTF-8", "--no-commit-header", "--format=%H%x00%s", until, *without, "--"
    )
    lines = (line.split("\0", 1) for line in printed.decode(errors="replace").split("\n") if line)
    return [Line(*line) for line in lines]


def files(root: Path, after: str | None, until: str) -> list[FileChange]:
    """List the files that differ between two commits; all of `until`, where there is no commit before.

    A renamed file is listed by its new name.
    """
    before = after or _output(root, "hash-object", "-t", "tree", "--stdin").decode().strip()
    options = ("--numstat", "-z", "-r", "-M", "--no-ext-diff", "--no-textconv")
    fields = iter(os.fsdecode(_output(root, "diff-tree", *options, before, until, "--")).split("\0"))
    found = []
    for field in fields:
        if not field:
            continue
        added, removed, path = field.split("\t", 2)
        if not path:  # renamed: both names follow
            next(fields)
            path = next(fields)
        found.append(FileChange(path, _number(added), _number(removed)))
    return found


def branches_with(root: Path, commit: str) -> list[str]:
    """Name a branch, here or of a remote, that has the commit; none where none does."""
    printed = _output(
        root,
        "for-each-ref",
        "--count=1",
        "--format=%(refname)",
        f"--contains={commit}",
        "refs/heads",
        "refs/remotes",
    )
    return os.fsdecode(printed).split()


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _output(root: Path, *arguments: str) -> bytes:
    answer = git.run(root, *arguments)
    if answer.returncode != 0:
        raise BootstrapError(
            f"git {arguments[0]} failed: {git_user.reason(answer.stderr)}", "See what is missing: git fsck"
        )
    return answer.stdout
