"""A clone's refs and tag objects: read in a constant number of processes, written in transactions."""

import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.system import git, git_user

TAGS = "refs/tags/"
HEADS = "refs/heads/"
_MISSING = re.compile(rb"^fatal: missing object [0-9a-f]+ for (.*)$", re.MULTILINE)
_BROKEN = "warning: ignoring broken ref "
_FORM = "--format=%(refname)%00%(objectname)%00%(objecttype)"


class Ref(NamedTuple):
    """One ref: its full name, the id and the kind (blob, commit, tag or tree) of what it leads to."""

    name: str
    id: str
    kind: str


class Clone(NamedTuple):
    """What has to be known of a clone before its tags are."""

    #: the folder that all work trees share
    folder: Path
    shallow: bool
    #: the branch that HEAD names, also before its first commit; None: detached
    branch: str | None
    #: the commit of HEAD; None before the first one
    head: str | None


class Edit(NamedTuple):
    """One ref in a transaction: from one id to another; None means that there is none."""

    name: str
    before: str | None
    after: str | None


def clone(root: Path) -> Clone:
    """Look at a clone. Raises BootstrapError where git does not take `root` for a repository."""
    answer = git.run(root, "rev-parse", "--git-common-dir", "--is-shallow-repository")
    if answer.returncode != 0:
        raise BootstrapError(
            f"git does not read {root}: {git_user.reason(answer.stderr)}", f"See: cd {root} && git status"
        )
    folder, shallow = os.fsdecode(answer.stdout).splitlines()[:2]
    named = git.run(root, "symbolic-ref", "--quiet", "HEAD")
    branch = os.fsdecode(named.stdout).strip() or None
    return Clone(root / folder, shallow == "true", branch, git.commit_named(root, "HEAD"))


def refs(root: Path, *patterns: str) -> list[Ref]:
    """List the refs below `patterns` (full names, or beginnings that end in a slash)."""
    return refs_and_broken(root, *patterns)[0]


def refs_and_broken(root: Path, *patterns: str) -> tuple[list[Ref], list[str]]:
    """List refs as `refs` does, and the names of those whose files are damaged, which git passes over."""
    answer = git.run(root, "for-each-ref", _FORM, *patterns)
    missing = _MISSING.search(answer.stderr)
    if answer.returncode != 0 and missing is not None:
        name = os.fsdecode(missing[1])
        raise BootstrapError(
            f"{name} leads to an object that this clone does not have",
            f"Remove it, and get it again: git update-ref -d {shlex.quote(name)} && bootstrap tag sync",
        )
    if answer.returncode != 0:
        raise BootstrapError(
            f"git for-each-ref failed: {git_user.reason(answer.stderr)}", "See what is wrong: git fsck"
        )
    lines = os.fsdecode(answer.stdout).split("\n")
    warnings = os.fsdecode(answer.stderr).splitlines()
    broken = [line.removeprefix(_BROKEN) for line in warnings if line.startswith(_BROKEN)]
    return [Ref(*line.split("\0")) for line in lines if line], broken


def objects(root: Path, ids: Iterable[str]) -> dict[str, tuple[str, bytes]]:
    """Read objects: id -> kind and bytes. What this clone lacks is left out."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    answer = git.run(root, "cat-file", "--batch", data="".join(f"{one}\n" for one in wanted).encode())
    found: dict[str, tuple[str, bytes]] = {}
    output, position = answer.stdout, 0
    while position < len(output):
        end = output.index(b"\n", position)
        head = output[position:end].split(b" ")
        position = end + 1
        if head[-1] != b"missing":
            size = int(head[2])
            found[head[0].decode()] = (head[1].decode(), output[position : position + size])
            position += size + 1
    return found


def kinds(root: Path, ids: Iterable[str]) -> dict[str, str]:
    """The kind of each object that this clone has, without reading it."""
    asked = "".join(f"{one}\n" for one in dict.fromkeys(ids)).encode()
    if not asked:
        return {}
    answer = git.run(root, "cat-file", "--batch-check=%(objectname) %(objecttype)", data=asked)
    lines = (line.split(" ") for line in answer.stdout.decode().splitlines())
    return {one: kind for one, kind in lines if kind != "missing"}


class Commit(NamedTuple):
    """One commit of a history."""

    #: when it was committed, in seconds since the epoch
    seconds: int
    parents: tuple[str, ...]


def history(root: Path, ends: Iterable[str]) -> dict[str, Commit]:
    """List every commit that leads to `ends` (ids of commits), children before their parents."""
    asked = "".join(f"{one}\n" for one in dict.fromkeys(ends)).encode()
    if not asked:
        return {}
    answer = git.run(root, "rev-list", "--topo-order", "--parents", "--timestamp", "--stdin", data=asked)
    if answer.returncode != 0:
        raise BootstrapError(
            f"git rev-list failed: {git_user.reason(answer.stderr)}", "See what is missing: git fsck"
        )
    rows = (line.split(" ") for line in answer.stdout.decode().splitlines())
    return {row[1]: Commit(int(row[0]), tuple(row[2:])) for row in rows}


def valid_name(root: Path, name: str) -> bool:
    """Whether git takes `name` as the name of a tag."""
    return git.run(root, "check-ref-format", TAGS + name).returncode == 0


def write_tag(root: Path, data: bytes) -> str:
    """Store a tag object, under no name yet, and return its id.

    Raises BootstrapError for one that git would not read again. Without --no-strict mktag would also refuse
    tags that git itself once made, such as those without a tagger.
    """
    return git_user.output(root, "mktag", "--no-strict", data=data).decode().strip()


def tagger(root: Path) -> bytes:
    """Who tags, and when, as a tag object has it; raises BootstrapError where git does not know."""
    answer = git_user.run(root, "var", "GIT_COMMITTER_IDENT")
    if answer.returncode != 0:
        raise NotConfiguredError(
            "git does not know who you are",
            "Say it: git config --global user.name NAME && git config --global user.email ADDRESS",
        )
    return answer.stdout.strip()


def update(root: Path, edits: Iterable[Edit]) -> None:
    """Change refs here in one transaction; raises BootstrapError, with nothing changed, if one has moved."""
    lines = [_line(edit) for edit in edits]
    if not lines:
        return
    script = b"".join((b"start\0", *lines, b"prepare\0", b"commit\0"))
    answer = git_user.run(root, "update-ref", "--no-deref", "-z", "--stdin", data=script)
    if answer.returncode != 0:
        raise BootstrapError(
            f"git did not change the tags here: {git_user.said(answer.stderr)}",
            "See what state they are in: bootstrap tag check",
        )


def _line(edit: Edit) -> bytes:
    name = os.fsencode(edit.name)
    before, after = (edit.before or "").encode(), (edit.after or "").encode()
    if edit.after is None:
        return b"delete " + name + b"\0" + before + b"\0"
    if edit.before is None:
        return b"create " + name + b"\0" + after + b"\0"
    return b"update " + name + b"\0" + after + b"\0" + before + b"\0"


def settings(root: Path, pattern: str) -> dict[str, list[str]]:
    """The configuration's values, for names that match a pattern; names as git lists them."""
    answer = git.run(root, "config", "-z", "--get-regexp", pattern)
    values: dict[str, list[str]] = {}
    for record in os.fsdecode(answer.stdout).split("\0"):
        name, _, value = record.partition("\n")
        if name:
            values.setdefault(name, []).append(value)
    return values
