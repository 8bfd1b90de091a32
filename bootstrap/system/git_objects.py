"""What git has stored: which objects an index or a range of commits brings, and their bytes as a stream."""

import contextlib
import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from bootstrap.model.errors import BootstrapError
from bootstrap.system import git

_SUBMODULE = "160000"
_ABSENT = "000000"
#: ids that are asked for ahead of the answers: few enough to fit into a pipe that nobody reads
_AHEAD = 64


class Entry(NamedTuple):
    """One object: its id, the path where it stands, and the commit that brought it (empty for the index)."""

    id: str
    path: str
    commit: str = ""
    submodule: bool = False


def staged(root: Path, index: str | None = None) -> Iterator[Entry]:
    """List what the next commit would add or change; before the first one, everything in the index.

    `index` is the value of GIT_INDEX_FILE that git hands to a hook.
    """
    head = git.commit_named(root, "HEAD") or _output(root, "hash-object", "-t", "tree", "--stdin").strip()
    raw = _output(
        root, "diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", head, "--", index=index
    )
    yield from _entries(iter(raw.split("\0")))


def introduced(root: Path, commits: Iterable[str]) -> Iterator[Entry]:
    """List what each of `commits` (full ids) brought that its parents do not have, each object once a path.

    What a later commit removes is listed, too. Of a merge, only what none of its parents has.
    """
    options = ("--root", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv")
    with tempfile.TemporaryFile() as listed:
        listed.writelines(f"{commit}\n".encode() for commit in commits)
        listed.seek(0)
        seen: set[tuple[str, str]] = set()
        with _started(root, "diff-tree", "--stdin", "-r", "-c", *options, stdin=listed) as process:
            for entry in _entries(_texts(_pipe(process.stdout))):
                if (entry.id, entry.path) not in seen:
                    seen.add((entry.id, entry.path))
                    yield entry
        if process.returncode != 0:
            raise BootstrapError(
                "git diff-tree could not read every commit", "See what is wrong: git fsck --connectivity-only"
            )


def commits_between(root: Path, after: str | None, until: str) -> list[str]:
    """List the ids of the commits that `until` has and `after` does not (both full ids), oldest first."""
    without = [f"^{after}"] if after else []
    return _output(root, "rev-list", "--reverse", until, *without, "--").split()


def commits_beyond(root: Path, known: Iterable[str], until: str) -> list[str]:
    """List the commits that `until` (a full id) has and none of `known` does, oldest first.

    An id that this clone lacks, or that is no commit, says nothing.
    """
    asked = "".join(f"{one}\n" for one in (until, *(f"^{one}" for one in known)))
    answer = git.run(root, "rev-list", "--reverse", "--ignore-missing", "--stdin", data=asked.encode())
    if answer.returncode != 0:
        raise BootstrapError(
            "git rev-list could not read every commit", "See what is wrong: git fsck --connectivity-only"
        )
    return answer.stdout.decode().split()


def tags_between(root: Path, after: str | None, until: str) -> dict[str, str]:
    """Find the annotated tags of those commits: id of the tag object -> name of the tag."""
    tags = _tags(root, until)
    return {tag: tags[tag] for tag in tags.keys() - (_tags(root, after).keys() if after else set())}


def tag_object(root: Path, name: str) -> str | None:
    """Find the id of the annotated tag `name`; None for a lightweight one or none."""
    answer = git.run(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/tags/{name}^{{tag}}"
    )
    return answer.stdout.decode().strip() or None


def _tags(root: Path, commit: str) -> dict[str, str]:
    form = "--format=%(objecttype) %(objectname) %(refname:short)"
    lines = _output(root, "for-each-ref", form, f"--merged={commit}", "refs/tags").splitlines()
    fields = (line.split(" ", 2) for line in lines)
    return {name: tag for kind, name, tag in fields if kind == "tag"}


def _entries(texts: Iterator[str]) -> Iterator[Entry]:
    """Read git's raw format with -z: a commit by itself, or a record that begins with colons and its path.

    A record has as many colons as parents, then that many modes and one more, ids likewise, and a letter.
    """
    commit = ""
    for text in texts:
        if not text.startswith(":"):
            commit = text
            continue
        parents = len(text) - len(text.lstrip(":"))
        fields = text[parents:].split(" ")
        path = next(texts)
        mode, entry = fields[parents], fields[2 * parents + 1]
        if mode != _ABSENT:
            yield Entry(entry, path, commit, submodule=mode == _SUBMODULE)


def _texts(output: IO[bytes]) -> Iterator[str]:
    """Split a stream at its NUL characters."""
    rest = b""
    while data := output.read(65536):
        *whole, rest = (rest + data).split(b"\0")
        yield from map(os.fsdecode, whole)


def _output(root: Path, *arguments: str, index: str | None = None) -> str:
    answer = git.run(root, *arguments, index=index)
    if answer.returncode != 0:
        reason = answer.stderr.decode(errors="replace").strip().splitlines()
        raise BootstrapError(
            f"git {arguments[0]} failed: {reason[-1] if reason else answer.returncode}",
            f"Try it yourself: cd {root} && git status",
        )
    return os.fsdecode(answer.stdout)


@contextlib.contextmanager
def objects(root: Path) -> Iterator["Objects"]:
    """Read objects of the repository while the context lasts."""
    with _started(root, "cat-file", "--batch", stdin=subprocess.PIPE) as process:
        yield Objects(process)


@contextlib.contextmanager
def _started(root: Path, *arguments: str, stdin: int | IO[bytes]) -> "Iterator[subprocess.Popen[bytes]]":
    """Start git, and leave neither the process nor a pipe behind."""
    process = subprocess.Popen(
        git.command(*arguments),
        cwd=root,
        env=git.surroundings(),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("the process was started without this pipe")
    return stream


class Stored:
    """One object as git hands it over. What was not read of it is skipped when the next one is asked for."""

    def __init__(self, kind: str, size: int, stream: IO[bytes]) -> None:
        #: blob, commit, tag or tree
        self.kind = kind
        #: in bytes
        self.size = size
        self._stream = stream
        self._left = size + 1  # a line end follows

    def pieces(self, size: int) -> Iterator[bytes]:
        """Read the bytes, at most `size` at once."""
        while self._left > 1:
            yield self._take(min(size, self._left - 1))

    def skip(self) -> None:
        """Read what is left, and the line end."""
        while self._left:
            self._take(min(65536, self._left))

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) != size:
            raise _gone()
        self._left -= size
        return data


class Objects:
    """One `git cat-file --batch`, for any number of objects."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def read(self, wanted: Iterable[Entry]) -> Iterator[tuple[Entry, Stored | None]]:
        """Read objects in order; None for one that this clone does not have."""
        stdin, stdout = _pipe(self._process.stdin), _pipe(self._process.stdout)
        source = iter(wanted)
        asked: deque[Entry] = deque()
        while True:
            if len(asked) < _AHEAD // 2:
                self._ask(stdin, source, asked)
            if not asked:
                return
            found = _answer(stdout)
            yield asked.popleft(), found
            if found is not None:
                found.skip()

    def _ask(self, stdin: IO[bytes], source: Iterator[Entry], asked: deque[Entry]) -> None:
        try:
            while len(asked) < _AHEAD and (entry := next(source, None)) is not None:
                stdin.write(f"{entry.id}\n".encode())
                asked.append(entry)
            stdin.flush()
        except BrokenPipeError as error:
            raise _gone() from error


def _answer(stdout: IO[bytes]) -> Stored | None:
    """Read the line that comes before an object's bytes."""
    fields = stdout.readline().split()
    if not fields:
        raise _gone()
    if fields[-1] == b"missing":
        return None
    return Stored(fields[1].decode(), int(fields[2]), stdout)


def _gone() -> BootstrapError:
    return BootstrapError("git cat-file ended early", "See what is wrong: git fsck --connectivity-only")
