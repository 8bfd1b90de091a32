"""Looks for leaked secrets in the index, the work tree, or what a range of commits or tags brings."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from msgspec import Struct, field

from bootstrap.model.errors import UsageError
from bootstrap.secrets.scanning.scanner import PIECE, Leak, Scanner
from bootstrap.system import git, git_objects, git_tree
from bootstrap.system.git_objects import Entry
from bootstrap.system.git_tree import Unread

#: leaks of one file that are listed; a log may hold a key in every line
_LISTED = 100
#: how files begin whose content is packed: the secrets in them are not there byte for byte
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "compressed",
    b"BZh": "compressed",
    b"\xfd7zXZ\x00": "compressed",
    b"\x28\xb5\x2f\xfd": "compressed",
    b"7z\xbc\xaf": "a 7z archive",
    b"version https://git-lfs": "kept elsewhere by Git LFS",
}
_SHORT = 12


class Report(Struct):
    """What was found, and what was not looked at."""

    leaks: list[Leak] = field(default_factory=list)
    #: leaks that an allowance with a reason makes none
    allowed: list[Leak] = field(default_factory=list)
    #: what could not be looked at, or only from outside
    unread: list[Unread] = field(default_factory=list)
    #: files that were looked through, each as often as a commit brought it
    looked_at: int = 0
    #: messages of commits and tags that were looked through
    messages: int = 0
    #: words about what else nobody looked for, or at
    notes: list[str] = field(default_factory=list)


class _Search:
    """One scan while it goes on."""

    def __init__(self, scanner: Scanner) -> None:
        self.report = Report()
        self._scanner = scanner

    def look(self, path: str, pieces: Iterable[bytes], *, prefix: str = "") -> None:
        """Look through one file's name and bytes; `prefix` says where the path is to be understood."""
        source = iter(pieces)
        first = next(source, b"")
        label, in_name = self._scanner.scan_name(path, prefix)
        self._take(label, chain(in_name, self._scanner.scan_pieces(label, chain([first], source))))
        self.report.looked_at += 1
        for beginning, what in _PACKED.items():
            if first.startswith(beginning):
                self.report.unread.append(Unread(label, what))

    def look_at_message(self, label: str, data: bytes) -> None:
        """Look through the message in the bytes of a commit or a tag."""
        _, _, message = data.partition(b"\n\n")
        label, _ = self._scanner.scan_name(label)
        self._take(label, self._scanner.scan(label, message))
        self.report.messages += 1

    def unread(self, path: str, why: str) -> None:
        """Note what could not be looked at."""
        shown, _ = self._scanner.scan_name(path)
        self.report.unread.append(Unread(shown, why))

    def _take(self, path: str, found: Iterable[Leak]) -> None:
        leaks = 0
        for leak in found:
            if leak.allowed:
                self.report.allowed.append(leak)
            elif (leaks := leaks + 1) <= _LISTED:
                self.report.leaks.append(leak)
        if leaks > _LISTED:
            self.report.notes.append(f"{path}: {leaks - _LISTED} more leaks are not listed")


def work_tree(root: Path, scanner: Scanner) -> Report:
    """Look through the files that git tracks or would offer to add, as they are on disk."""
    search = _Search(scanner)
    files, others = git_tree.listed(root)
    for other in others:
        search.unread(*other)
    tree = git_tree.WorkTree(root)
    for path in files:
        found = tree.pieces(path, PIECE)
        if isinstance(found, Unread):
            search.unread(*found)
        elif found is not None:
            try:
                search.look(path, found)
            except OSError as error:
                search.unread(path, os.strerror(error.errno or 0).lower())
    return search.report


def index(root: Path, scanner: Scanner, index_file: str | None = None) -> Report:
    """Look through every file that the next commit would add or change, as it would be committed.

    `index_file` is the value of GIT_INDEX_FILE that git hands to a hook.
    """
    search = _Search(scanner)
    _stored(root, search, git_objects.staged(root, index_file))
    return search.report


def commits(root: Path, scanner: Scanner, text: str) -> Report:
    """Look through everything that the commits in `text` ("A..B", or "B" for all that lead to it) brought.

    That is each file as each commit added or changed it, even where a later one removed it, and each message.
    """
    after, until = _ends(text, lambda name: git.commit_named(root, name), "a commit", "main..HEAD")
    search = _Search(scanner)
    _range(root, search, after, until, {})
    return search.report


def tags(root: Path, scanner: Scanner, text: str) -> Report:
    """Look through what the commits between two tags ("A..B", or "B" for all that lead to it) brought.

    Also looks at the messages of annotated tags: of both, and of those on the way.
    """
    after, until = _ends(
        text, lambda name: git.commit_named(root, f"refs/tags/{name}"), "a tag", "week1..week2"
    )
    named = {git_objects.tag_object(root, name): name for name in text.split("..")}
    messages = git_objects.tags_between(root, after, until)
    messages |= {tag: name for tag, name in named.items() if tag is not None}
    search = _Search(scanner)
    _range(root, search, after, until, messages)
    return search.report


def publishing(
    root: Path,
    scanner: Scanner,
    *,
    since: str | None,
    until: str,
    known: Iterable[str],
    tags: Mapping[str, str],
) -> Report:
    """Look through what a push of `until` makes public, and what came `since` (ids of commits).

    `known` are ids that the other side has, some of which this clone may not; `tags` are the ids of tag
    objects that go along, with their names.
    """
    listed = git_objects.commits_between(root, since, until)
    listed += git_objects.commits_beyond(root, known, until)
    search = _Search(scanner)
    _look_through(root, search, list(dict.fromkeys(listed)), tags)
    return search.report


def _ends(text: str, find: Callable[[str], str | None], kind: str, example: str) -> tuple[str | None, str]:
    """Find the commits at both ends of "A..B"; the first is None for "B"."""
    names = text.split("..")
    if len(names) > 2 or not all(names) or any(name.startswith((".", "-", "^")) for name in names):  # noqa: PLR2004 - A and B
        raise UsageError(f"{text!r} is no range", f"Write it with two dots: {example}")
    found: list[str] = []
    for name in names:
        commit = find(name)
        if commit is None:
            raise UsageError(
                f"{name!r} is not {kind} of this repository", "See: git log --oneline --decorate"
            )
        found.append(commit)
    return (found[0] if len(found) > 1 else None), found[-1]


def _range(root: Path, search: _Search, after: str | None, until: str, tag_names: dict[str, str]) -> None:
    _look_through(root, search, git_objects.commits_between(root, after, until), tag_names)


def _look_through(root: Path, search: _Search, listed: list[str], tag_names: Mapping[str, str]) -> None:
    if git.is_shallow(root):
        search.report.notes.append("this clone is shallow: commits that it does not have were not looked at")
    messages = chain(
        (Entry(commit, "(message)", commit) for commit in listed),
        (Entry(tag, f"tag {name} (message)") for tag, name in tag_names.items()),
    )
    _stored(root, search, chain(messages, git_objects.introduced(root, listed)))


def _stored(root: Path, search: _Search, entries: Iterable[Entry]) -> None:
    """Look through objects as git has stored them; of commits and tags at the message."""

    def readable() -> Iterator[Entry]:
        for entry in entries:
            if entry.submodule:
                search.unread(_prefix(entry) + entry.path, "a submodule")
            else:
                yield entry

    with git_objects.objects(root) as objects:
        for entry, stored in objects.read(readable()):
            prefix = _prefix(entry)
            if stored is None:
                search.unread(prefix + entry.path, "not in this clone")
            elif stored.kind == "blob":
                search.look(entry.path, stored.pieces(PIECE), prefix=prefix)
            else:
                search.look_at_message(prefix + entry.path, b"".join(stored.pieces(PIECE)))


def _prefix(entry: Entry) -> str:
    return f"{entry.commit[:_SHORT]}:" if entry.commit else ""
