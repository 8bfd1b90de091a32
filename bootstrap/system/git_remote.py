"""A remote's tags: listed, fetched by their ids, and moved in one push with a lease on every name."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap.model.errors import BootstrapError, RemoteRefusedError
from bootstrap.system import git_tags, git_user
from bootstrap.system.git_tags import Edit

_PEELED = "^{}"
#: what git says after every push that failed
_EMPTY_WORDS = ("error: failed to push some refs", "To ", "hint: ")
_LONGEST = 400
_NO_ATOMIC = "does not support --atomic"
#: what our own decision replaces: no other ref goes along, and no submodule
_ONLY_THIS = ("--no-follow-tags", "--recurse-submodules=no")


class Remote(NamedTuple):
    """A remote as the configuration has it."""

    name: str
    #: where it fetches from; may hold a password, and is never printed
    url: str
    #: where it pushes to: as a rule the same one
    pushes_to: tuple[str, ...]


class Listed(NamedTuple):
    """What a remote has under one name: the id, and the id of what an annotated tag leads to in the end."""

    id: str
    peeled: str


class Refusal(NamedTuple):
    """Why a push left one name as it was: git's own words, and whether the lease did not hold."""

    name: str
    why: str
    stale: bool


def remotes(root: Path) -> tuple[list[Remote], str | None]:
    """List the remotes, and the name that remote.pushDefault gives."""
    values = git_tags.settings(root, r"^remote\.(.*\.(push)?url|pushdefault)$")
    found = {}
    for key in values:
        name = key.removeprefix("remote.").rpartition(".")[0]
        if name and name not in found:
            urls = values.get(f"remote.{name}.url", [])
            pushes = values.get(f"remote.{name}.pushurl", urls)
            if pushes:
                found[name] = Remote(name, (urls or pushes)[0], tuple(pushes))
    return list(found.values()), values.get("remote.pushdefault", [None])[-1]


def listing(root: Path, remote: Remote) -> tuple[dict[str, Listed], dict[str, str]]:
    """Ask the remote, where it is pushed to, for its tags and its branches, by their short names.

    Raises RemoteRefusedError where it does not answer.
    """
    where = remote.name if remote.pushes_to[0] == remote.url else remote.pushes_to[0]
    answer = git_user.run(root, "ls-remote", "--quiet", "--", where, "refs/tags/*", "refs/heads/*")
    if answer.returncode != 0:
        raise RemoteRefusedError(
            f"{remote.name} did not answer: {git_user.reason(answer.stderr)}",
            f"Try it yourself: git ls-remote {remote.name}",
        )
    ids: dict[str, str] = {}
    for line in os.fsdecode(answer.stdout).split("\n"):
        one, _, name = line.partition("\t")
        if name:
            ids[name] = one
    tags = {
        name.removeprefix(git_tags.TAGS): Listed(one, ids.get(name + _PEELED, one))
        for name, one in ids.items()
        if name.startswith(git_tags.TAGS) and not name.endswith(_PEELED)
    }
    heads = {
        name.removeprefix(git_tags.HEADS): one for name, one in ids.items() if name.startswith(git_tags.HEADS)
    }
    return tags, heads


def fetch(root: Path, remote: Remote, ids: Iterable[str]) -> None:
    """Bring objects here by their ids, and change no ref: not FETCH_HEAD, no tag, no tracking branch."""
    wanted = "".join(f"{one}\n" for one in dict.fromkeys(ids)).encode()
    if not wanted:
        return
    quiet = ("--no-tags", "--no-prune", "--no-prune-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    where = remote.name if remote.pushes_to[0] == remote.url else remote.pushes_to[0]
    answer = git_user.run(
        root,
        "fetch",
        "--quiet",
        *quiet,
        "--refmap=",
        "--no-recurse-submodules",
        "--stdin",
        "--",
        where,
        data=wanted,
    )
    if answer.returncode != 0:
        raise RemoteRefusedError(
            f"{remote.name} did not hand over its tags: {git_user.reason(answer.stderr)}",
            f"Try it yourself: git fetch {remote.name}",
        )


def push(
    root: Path, remote: Remote, edits: Sequence[Edit], *, atomic: bool, rehearse: bool = False
) -> list[Refusal]:
    """Move refs of the remote, each with a lease on what it was, and return what was refused.

    With `atomic` everything happens or nothing. `rehearse` changes nothing there and runs no hook, but asks
    for the right to push, and looks at the leases. Raises NotAtomicError where the remote takes no atomic
    push (before anything is sent), RemoteRefusedError where it does not answer.
    """
    options = ["--porcelain", *_ONLY_THIS, *(["--atomic"] if atomic else [])]
    options += ["--dry-run", "--no-verify"] if rehearse else []
    leases = [f"--force-with-lease={edit.name}:{edit.before or ''}" for edit in edits]
    moves = [f"{edit.after or ''}:{edit.name}" for edit in edits]
    answer = git_user.run(root, "push", *options, *leases, "--", remote.name, *moves)
    refusals = list(_refusals(answer.stdout, edits))
    if answer.returncode == 0 or refusals:
        return refusals
    errors = answer.stderr.decode(errors="replace")
    if _NO_ATOMIC in errors:
        raise NotAtomicError(f"{remote.name} takes no atomic push")
    raise RemoteRefusedError(
        f"{remote.name} did not take the push: {_said(answer.stderr)}",
        f"Try it yourself: git push --dry-run {remote.name}",
    )


def _said(errors: bytes) -> str:
    """What git, a hook here, or the other side said about a push, in one line."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines()]
    telling = [line for line in lines if line and not line.startswith(_EMPTY_WORDS)]
    return " / ".join(telling)[:_LONGEST] or git_user.reason(errors)


class NotAtomicError(BootstrapError):
    """The remote cannot move several refs in one step."""


def _refusals(printed: bytes, edits: Sequence[Edit]) -> Iterable[Refusal]:
    """Read `push --porcelain`: a flag, a tab, FROM:TO, a tab, a summary and a reason in parentheses."""
    names = {edit.name for edit in edits}
    for line in os.fsdecode(printed).split("\n"):
        fields = line.split("\t")
        if len(fields) == 3 and fields[0] == "!":  # noqa: PLR2004 - flag, refs, summary
            name = fields[1].partition(":")[2]
            why = fields[2].partition("(")[2].removesuffix(")") or fields[2]
            if name in names:
                yield Refusal(name, why, stale=why in ("stale info", "already exists", "fetch first"))
