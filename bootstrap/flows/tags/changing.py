"""Renames and deletes tags: what is refused, and the plan."""

from collections.abc import Mapping

from msgspec import Struct

from bootstrap.flows.tags.place import TagPlace, read_both
from bootstrap.flows.tags.refusals import check_branch, check_free, check_name
from bootstrap.flows.tags.releases import check_releases
from bootstrap.milestones.mending import renamed
from bootstrap.milestones.names import typed
from bootstrap.milestones.plans import Change, Plan, Side
from bootstrap.milestones.reading import Reading, Tag
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.system import git_signing, git_tags
from bootstrap.system.git_remote import Remote


class Renaming(Struct, frozen=True):
    """What somebody asked for."""

    old: str
    new: str
    push: bool = False
    sign: bool = False


def rename(place: TagPlace, wish: Renaming, environ: Mapping[str, str]) -> tuple[Plan, Reading]:
    """Plan another name for a tag; target, tagger, date and message stay byte for byte.

    Asked again after an interruption, it plans what is left.
    """
    notes: list[str] = []
    reading = read_both(place, notes, needs=wish.push)
    check_name(reading, wish.new)
    tag = _tag(reading, wish.old)
    new = _object_of(reading, tag, wish)
    if wish.old == wish.new:
        check_releases(reading, environ, tag.name, notes, moves=True)
        return _anew(reading, tag, new, notes), reading
    here, there = reading.here(wish.new), reading.there(wish.new)
    if {here, there} - {None, new} or (here is None and there is None):
        check_free(reading, wish.new)
    check_branch(reading, wish.new)
    if reading.there(wish.old) is not None:
        check_releases(reading, environ, wish.old, notes)
    if not tag.annotated and reading.names.place(wish.new) is not None:
        notes.append(
            f"{tag.name} is lightweight, and stays so: bootstrap tag check --fix annotates milestones"
        )
    goes = reading.remote is not None and (
        reading.there(wish.old) is not None or there is not None or wish.push
    )
    old_there = reading.there(wish.old)
    changes = (
        Change(wish.new, Side(here, new), Side(there, new) if goes else None, "the new name"),
        Change(
            wish.old,
            Side(tag.id, None),
            Side(old_there, None) if old_there is not None else None,
            f"renamed to {wish.new}",
        ),
    )
    return Plan(changes, remote=_remote(reading), notes=tuple(notes)), reading


def delete(place: TagPlace, name: str, environ: Mapping[str, str], *, push: bool) -> tuple[Plan, Reading]:
    """Plan that a tag goes, on both sides; its object is kept here under refs/bootstrap/deleted/."""
    notes: list[str] = []
    reading = read_both(place, notes, needs=push)
    here, there = reading.here(name), reading.there(name)
    if here is None and there is None:
        raise _unknown(reading, name)
    if here is not None and there is not None and here != there:
        raise _moved(reading, name)
    if there is not None:
        check_releases(reading, environ, name, notes)
    change = Change(
        name,
        Side(here, None) if here is not None else None,
        Side(there, None) if there is not None else None,
        "deleted",
    )
    fetches = (there,) if here is None and there is not None else ()
    return Plan((change,), _remote(reading), deletes=True, fetches=fetches, notes=tuple(notes)), reading


def _remote(reading: Reading) -> Remote | None:
    return reading.remote.remote if reading.remote is not None else None


def _tag(reading: Reading, name: str) -> Tag:
    """Find the tag that is to be renamed; on both sides it has to be the same."""
    tag, there = reading.tags.get(name), reading.there(name)
    if tag is None and there is not None:
        raise BootstrapError(f"{name} is on {reading.remote_name}, not here", "Get it: bootstrap tag sync")
    if tag is None:
        raise _unknown(reading, name)
    if there is not None and there != tag.id:
        raise _moved(reading, name)
    return tag


def _moved(reading: Reading, name: str) -> BootstrapError:
    return BootstrapError(
        f"{name} is another tag on {reading.remote_name} than here: it has moved on one side",
        "Take over what is there, and keep yours aside: bootstrap tag sync",
    )


def _unknown(reading: Reading, name: str) -> BootstrapError:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    near = get_close_matches(name, reading.tags, n=1)
    return UsageError(
        f"there is no tag {name!r}",
        f"Is it {near[0]}?" if near else "See which there are: bootstrap tag list",
    )


def _object_of(reading: Reading, tag: Tag, wish: Renaming) -> str:
    """Write the object with the new name, and return its id."""
    data = renamed(tag, wish.new)
    if tag.object is None or data is None:
        return tag.id
    if not tag.object.signed and not wish.sign:
        return git_tags.write_tag(reading.root, data)
    if not wish.sign:
        raise BootstrapError(
            f"{wish.old} is signed, and its signature covers its name: under another it does not hold",
            f"Sign it anew, with your key: bootstrap tag rename --sign {typed(wish.old, wish.new)}",
        )
    return git_signing.sign(
        reading.root, wish.new, tag.object.target, tag.object.tagger, tag.object.unsigned_message
    )


def _anew(reading: Reading, tag: Tag, new: str, notes: list[str]) -> Plan:
    """Give a tag its own name inside, and a new signature."""
    if new == tag.id:
        raise UsageError(
            f"{tag.name} is called {tag.name} already, inside as well", "See: bootstrap tag list"
        )
    there = reading.there(tag.name)
    change = Change(tag.name, Side(tag.id, new), Side(there, new) if there is not None else None, "mended")
    return Plan((change,), remote=_remote(reading), notes=tuple(notes))
