"""What `init` has left in a repository, kept so that it can be taken back to the byte.

`.bootstrap/init.json` lies beside the digests of what rendering wrote, and git ignores it. Somebody could
have put another one there: it only names files of our own table, and what it says is held against the disk.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootstrap.config.location import MANIFEST
from bootstrap.system import git
from bootstrap.system.files import ProjectFiles, file_error, write_atomically

RECORD = ".bootstrap/init.json"
#: ignores itself and everything beside it, so that no file of the repository's own has to say so
SELF_IGNORING = ".bootstrap/.gitignore"
#: the lists of git's that `init` completes
LISTS = (".gitignore", ".gitattributes")
_HEAD = "# bootstrap\n"
_LONGEST = 1024 * 1024


def record(files: ProjectFiles) -> dict[str, Any]:
    """Read what is remembered; nothing where that is damaged."""
    try:
        raw = json.loads(files.read(RECORD, _LONGEST) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def remember(files: ProjectFiles, subject: str, value: Any) -> None:
    """Remember one thing more."""
    before = record(files)
    now = {**before, subject: value}
    if now != before:
        files.write(RECORD, json.dumps(now, indent=1, sort_keys=True).encode() + b"\n", mode=0o600)


def digest(data: bytes) -> str:
    """Tell bytes from others."""
    return hashlib.sha256(data).hexdigest()


def remember_manifest(files: ProjectFiles, data: bytes) -> None:
    """`data` is what a person has not touched yet."""
    remember(files, "manifest", digest(data))


def append(files: ProjectFiles, path: str, lines: tuple[str, ...]) -> None:
    """Append lines of ours to one of git's lists, and remember what was there before."""
    before = files.read(path)
    start = before or b""
    gap = b"" if not start else (b"\n" if start.endswith(b"\n") else b"\n\n")
    files.write(path, start + gap + (_HEAD + "".join(f"{line}\n" for line in lines)).encode())
    if path in LISTS:
        noted = {"length": len(start), "digest": digest(start), "new": before is None}
        kept = _tables(files, "appended")
        remember(files, "appended", {**kept, path: kept.get(path, noted)})


def take_back_lines(files: ProjectFiles, path: str, ours: tuple[str, ...]) -> bool:
    """Remove what `append` added, if nothing else was changed since; whether it was there.

    Where nothing is remembered, as in another clone, the lines go that stand below our heading.
    """
    data = files.read(path)
    if data is None:
        return False
    noted = _tables(files, "appended").get(path)
    if isinstance(noted, dict) and isinstance(noted.get("length"), int):
        start, rest = data[: noted["length"]], data[noted["length"] :]
        if digest(start) == noted.get("digest") and _is_all_ours(rest, ours):
            _put_back(files, path, start, gone=noted.get("new") is True)
            return True
    start, found, rest = data.partition(("\n" + _HEAD).encode())
    if not found and data.startswith(_HEAD.encode()):
        start, found, rest = b"", _HEAD.encode(), data[len(_HEAD) :]
    if found and _is_all_ours(rest, ours):
        _put_back(files, path, start, gone=not start)
        return True
    return False


def _is_all_ours(data: bytes, ours: tuple[str, ...]) -> bool:
    lines = data.decode("utf-8", "replace").split("\n")
    return bool(data.strip()) and all(line in {"", _HEAD.strip(), *ours} for line in lines)


def _put_back(files: ProjectFiles, path: str, data: bytes, *, gone: bool) -> None:
    if gone:
        files.remove(path)
    else:
        files.write(path, data)


def _tables(files: ProjectFiles, subject: str) -> Mapping[str, Any]:
    kept = record(files).get(subject)
    return kept if isinstance(kept, dict) else {}


def moved(files: ProjectFiles) -> Mapping[str, str]:
    """Files of theirs that were moved away: where each was -> where it is."""
    return {path: name for path, name in _tables(files, "moved").items() if isinstance(name, str)}


def move_away(files: ProjectFiles, path: str) -> str:
    """Keep a file of theirs as `PATH.orig`, or with a number where that is taken; returns the name."""
    data = files.read(path) or b""
    names = (f"{path}.orig", *(f"{path}.orig.{number}" for number in range(1, 1000)))
    name = next(each for each in names if files.read(each) is None)
    files.write(name, data, mode=files.mode(path))
    remember(files, "moved", {**moved(files), path: name})
    files.remove(path)
    return name


def is_as_written(files: ProjectFiles, header: bytes) -> bool:
    """Whether the manifest is as `init` wrote it, or begins as ours do and is what git has anyway."""
    data = files.read(MANIFEST)
    if data is None:
        return False
    if record(files).get("manifest") == digest(data):
        return True
    return data.startswith(header) and git.head_texts(files.root, [MANIFEST]).get(MANIFEST) == data


def exclude_file(root: Path) -> Path | None:
    """The list of what git ignores in this clone alone; None where git does not say."""
    answer = git.run(root, "rev-parse", "--git-path", "info/exclude")
    name = answer.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")
    return root / name if answer.returncode == 0 and name else None


def exclude(root: Path, lines: tuple[str, ...]) -> bool:
    """Let this clone alone ignore `lines`; whether it did not yet."""
    path = exclude_file(root)
    if path is None:
        return False
    before = _read(path)
    missing = [line for line in lines if line not in before.splitlines()]
    if not missing:
        return False
    start = before if not before or before.endswith("\n") else before + "\n"
    _write(path, start + _HEAD + "".join(f"{line}\n" for line in missing))
    return True


def unexclude(root: Path, lines: tuple[str, ...]) -> bool:
    """Take that back; whether there was something."""
    path = exclude_file(root)
    before = "" if path is None else _read(path)
    start, found, rest = before.partition(_HEAD)
    kept = [line for line in rest.splitlines(keepends=True) if line.rstrip("\n") not in lines]
    if path is None or not found:
        return False
    _write(path, start + "".join(kept))
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise file_error("write", path, error) from error
