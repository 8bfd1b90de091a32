"""Generated files, before and after they meet the disk."""

from enum import Enum

from msgspec import Struct


class Ownership(Enum):
    """How a file that is already there can be known as ours."""

    MARKER = "marker"  # its first comment says so
    PATH = "path"  # a strict format without comments: the path is ours in a project of ours


class RenderedFile(Struct, frozen=True):
    """One generated file: `path` from the project's root with forward slashes, `text` with LF line ends."""

    path: str
    text: str
    ownership: Ownership = Ownership.MARKER
    #: permission bits, None for the usual ones
    mode: int | None = None
    #: it depends on this workspace or this machine, and git ignores it
    per_workspace: bool = False


class ChangeKind(Enum):
    """What writing a file would do."""

    SAME = "unchanged"
    CREATE = "created"
    UPDATE = "updated"
    REMOVE = "removed"  # nothing renders it any more
    EDITED = "edited by hand"  # ours, but changed since: not touched unless forced
    FOREIGN = "not ours"  # never touched

    @property
    def blocked(self) -> bool:
        """Whether a person has to decide first."""
        return self in (ChangeKind.EDITED, ChangeKind.FOREIGN)


class FileChange(Struct, frozen=True):
    """What rendering does to one path: the file there now (None: none) and the one that belongs there."""

    path: str
    kind: ChangeKind
    before: str | None
    after: RenderedFile | None
