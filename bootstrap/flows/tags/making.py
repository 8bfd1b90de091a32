"""Makes the milestones of a week: what is refused, the message, and the plan."""

from collections.abc import Callable

from msgspec import Struct

from bootstrap.flows.tags import messages
from bootstrap.flows.tags.messages import Previous
from bootstrap.flows.tags.place import TagPlace, read
from bootstrap.flows.tags.refusals import check_branch, check_free, check_order, check_standing
from bootstrap.milestones.names import Place
from bootstrap.milestones.plans import Change, Plan, Side
from bootstrap.milestones.reading import Reading
from bootstrap.milestones.tag_object import TagObject, a_second_later
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.system import git, git_editor, git_log, git_objects, git_signing, git_tags


class Wish(Struct, frozen=True):
    """What somebody asked for."""

    place: Place
    message: str | None = None
    edit: bool = False
    #: a name of the commit; None: HEAD
    at: str | None = None
    push: bool = False
    #: None: as git is configured
    sign: bool | None = None


class Made(Struct, frozen=True):
    """A milestone that is ready to get its name."""

    name: str
    #: ids of the tag object and its commit
    id: str
    commit: str
    since: Previous | None
    message: str
    plan: Plan
    reading: Reading


def make(place: TagPlace, wish: Wish, *, before_editor: Callable[[], None]) -> Made:
    """Make the tag object and the plan that names it; raises BootstrapError where it should not be.

    `before_editor` is called before somebody's editor takes the terminal.
    """
    notes: list[str] = []
    reading = read(place, notes, needs=wish.push)
    name = place.names.of(wish.place)
    commit = _commit(reading, wish)
    check_branch(reading, name)
    since = messages.previous(reading, wish.place)
    if _only_to_publish(reading, name, wish):
        return _publish(reading, name, since, notes)
    check_free(reading, name)
    check_standing(reading, commit, named=wish.at is not None)
    check_order(reading, wish.place, commit)
    message = _message(reading, wish, since, commit)
    if wish.edit:
        before_editor()
        message = git_editor.edit(reading.root, message.rstrip() + "\n")
    message = _tidied(message)
    made = _object(reading, name, commit, message, wish)
    if wish.push:
        notes += _going_along(reading, commit)
    there = Side(None, made) if wish.push else None
    plan = Plan(
        (Change(name, Side(None, made), there),),
        remote=reading.remote.remote if reading.remote is not None and wish.push else None,
        notes=tuple(notes),
    )
    return Made(name, made, commit, since, message, plan, reading)


def _commit(reading: Reading, wish: Wish) -> str:
    if wish.at is None:
        if reading.clone.head is None:
            raise BootstrapError(
                "there is no commit yet that could be a milestone",
                "Make one: git commit, or name one: --at COMMIT",
            )
        return reading.clone.head
    found = git.commit_named(reading.root, wish.at)
    if found is None:
        raise UsageError(f"{wish.at!r} is no commit of this clone", "See: git log --oneline --decorate")
    return found


def _going_along(reading: Reading, commit: str) -> list[str]:
    """Say that commits become public with the tag that no branch of the remote has."""
    heads = reading.remote.heads.values() if reading.remote is not None else ()
    count = len(git_objects.commits_beyond(reading.root, heads, commit))
    if not count:
        return []
    things = "1 commit goes along" if count == 1 else f"{count} commits go along"
    return [f"{things} that no branch of {reading.remote_name} has: push the branch, too"]


def _only_to_publish(reading: Reading, name: str, wish: Wish) -> bool:
    """Whether the tag is here already as it is asked for, and only the remote lacks it."""
    tag = reading.tags.get(name)
    if tag is None or not wish.push or reading.there(name) is not None:
        return False
    same = wish.at is None or git.commit_named(reading.root, wish.at) == tag.target
    return same and wish.message is None and not wish.edit


def _publish(reading: Reading, name: str, since: Previous | None, notes: list[str]) -> Made:
    tag = reading.tags[name]
    notes += _going_along(reading, tag.target) if tag.kind == "commit" else []
    notes.append(f"{name} is here already, and is only pushed")
    plan = Plan(
        (Change(name, None, Side(None, tag.id)),),
        remote=reading.remote.remote if reading.remote is not None else None,
        notes=tuple(notes),
    )
    message = tag.object.message.decode(errors="replace") if tag.object is not None else ""
    return Made(name, tag.id, tag.target, since, message, plan, reading)


def _message(reading: Reading, wish: Wish, since: Previous | None, commit: str) -> str:
    message = wish.message
    if message is None:
        if reading.clone.shallow:
            raise BootstrapError(
                "this clone is shallow: which commits came since the last milestone is not known here",
                "Get them: git fetch --unshallow, or say yourself what is in it: --message TEXT",
            )
        lines = git_log.subjects(reading.root, since.commit if since is not None else None, commit)
        title = reading.names.title(wish.place)
        message = messages.default(title, since.name if since is not None else None, lines)
    return message


def _tidied(message: str) -> str:
    if not message.strip():
        raise BootstrapError("the message is empty: nothing was made", "Give one: --message TEXT")
    return "\n".join(line.rstrip() for line in message.strip().splitlines()) + "\n"


def _at_its_own_moment(reading: Reading, commit: str, tagger: bytes, text: bytes) -> bytes:
    """Who tags, and when: a second later than a tag that differs in nothing but its name.

    The two would be taken for one tag that was renamed.
    """
    inner = [tag.object for tag in reading.tags.values() if tag.object is not None]
    taken = {one.tagger for one in inner if one.target == commit and one.unsigned_message == text}
    while tagger in taken:
        tagger = a_second_later(tagger)
    return tagger


def _object(reading: Reading, name: str, commit: str, message: str, wish: Wish) -> str:
    text = message.encode(errors="surrogateescape")
    tagger = _at_its_own_moment(reading, commit, git_tags.tagger(reading.root), text)
    if b"\0" in text:
        raise UsageError("a message cannot hold the character NUL", "Write it without.")
    sign = git_signing.wanted(reading.root) if wish.sign is None else wish.sign
    if sign:
        return git_signing.sign(reading.root, name, commit, tagger, text)
    made = TagObject(commit, "commit", name, (b"tagger " + tagger,), text)
    return git_tags.write_tag(reading.root, made.write())
