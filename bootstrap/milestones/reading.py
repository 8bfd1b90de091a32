"""What a clone and its remote have: refs, tag objects, and the milestones among them."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from bootstrap.milestones.names import Names, Place
from bootstrap.milestones.tag_object import TagObject
from bootstrap.system import git_remote, git_tags
from bootstrap.system.git_remote import Listed, Remote

REPLACED = "refs/bootstrap/replaced/"
DELETED = "refs/bootstrap/deleted/"


class Tag(NamedTuple):
    """One tag of this clone."""

    name: str
    #: what the ref leads to: of an annotated tag the tag object
    id: str
    #: the tag object, where it is annotated
    object: TagObject | None
    #: id and kind of what it leads to in the end, through nested tags
    target: str
    kind: str

    @property
    def annotated(self) -> bool:
        """Whether it has a tagger, a date and a message."""
        return self.object is not None

    @property
    def nested(self) -> bool:
        """Whether it leads to another tag."""
        return self.object is not None and self.object.kind == "tag"


class RemoteTags(NamedTuple):
    """What a remote answered."""

    remote: Remote
    tags: Mapping[str, Listed]
    heads: Mapping[str, str]


class Reading:
    """Everything that commands decide on, read once; `remote` is None where none was asked."""

    def __init__(
        self, root: Path, names: Names, remote: RemoteTags | None = None, *, silent: str | None = None
    ) -> None:
        #: the name of the remote that was asked and did not answer
        self.silent = silent
        self.root = root
        self.names = names
        self.remote = remote
        self.clone = git_tags.clone(root)
        refs, broken = git_tags.refs_and_broken(root, git_tags.TAGS, git_tags.HEADS, REPLACED, DELETED)
        #: full names of refs whose files are damaged
        self.broken = broken
        #: branch -> commit
        self.heads = _below(git_tags.HEADS, refs)
        self.tags = _tags(root, [ref for ref in refs if ref.name.startswith(git_tags.TAGS)])
        #: "name/id" of what was replaced, or deleted, and is kept
        self.replaced = _below(REPLACED, refs)
        self.deleted = _below(DELETED, refs)

    @cached_property
    def milestones(self) -> dict[Place, Tag]:
        """The milestones of this clone, in the order of the weeks."""
        placed = ((self.names.place(tag.name), tag) for tag in self.tags.values())
        return dict(sorted((place, tag) for place, tag in placed if place is not None))

    @cached_property
    def folders(self) -> set[str]:
        """The folders that tags with a slash stand in, each with its slash at the end."""
        return {name[: index + 1] for name in self.tags for index, letter in enumerate(name) if letter == "/"}

    @cached_property
    def _kept(self) -> dict[str, tuple[str, bytes]]:
        return git_tags.objects(self.root, self.replaced.values())

    def kept_object(self, one: str) -> TagObject | None:
        """The tag object of something that was replaced; None for a lightweight one."""
        kind, data = self._kept.get(one, ("", b""))
        return tag_object(data) if kind == "tag" else None

    def here(self, name: str) -> str | None:
        """What the tag `name` is here: an id, or None."""
        return self.tags[name].id if name in self.tags else None

    def there(self, name: str) -> str | None:
        """What it is on the remote: an id, or None."""
        listed = self.remote.tags.get(name) if self.remote is not None else None
        return listed.id if listed is not None else None

    @property
    def remote_name(self) -> str:
        """The name of the remote that was asked, for sentences."""
        return self.remote.remote.name if self.remote is not None else "the remote"


def ask(root: Path, remote: Remote) -> RemoteTags:
    """Ask a remote what it has."""
    return RemoteTags(remote, *git_remote.listing(root, remote))


def _below(folder: str, refs: list[git_tags.Ref]) -> dict[str, str]:
    return {ref.name.removeprefix(folder): ref.id for ref in refs if ref.name.startswith(folder)}


def _tags(root: Path, refs: list[git_tags.Ref]) -> dict[str, Tag]:
    """Read the tag objects behind refs, and those behind these: one git for each depth of nesting."""
    known: dict[str, TagObject | None] = {}
    wanted = [ref.id for ref in refs if ref.kind == "tag"]
    while wanted:
        found = {one: tag_object(data) for one, (_, data) in git_tags.objects(root, wanted).items()}
        known.update(found)
        inner = (one.target for one in found.values() if one is not None and one.kind == "tag")
        wanted = [target for target in inner if target not in known]
    return {ref.name.removeprefix(git_tags.TAGS): _tag(ref, known) for ref in refs}


def _tag(ref: git_tags.Ref, known: Mapping[str, TagObject | None]) -> Tag:
    target, kind = ref.id, ref.kind
    while kind == "tag" and (inner := known.get(target)) is not None:
        target, kind = inner.target, inner.kind
    return Tag(ref.name.removeprefix(git_tags.TAGS), ref.id, known.get(ref.id), target, kind)


def tag_object(data: bytes) -> TagObject | None:
    """Read a tag object; None for one that git itself would not read."""
    try:
        return TagObject.read(data)
    except ValueError:
        return None
