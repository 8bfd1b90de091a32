"""What one week brought, as data and as Markdown for a journal."""

import re
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

from msgspec import Struct

from bootstrap.flows.tags import messages
from bootstrap.flows.tags.place import TagPlace
from bootstrap.milestones.names import Place
from bootstrap.milestones.reading import Reading
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.model.repository import of_remote
from bootstrap.system import git_log, git_remote
from bootstrap.system.git_log import FileChange, Line

#: rows of each list; the rest is counted
_LISTED = 100
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


class Week(Struct, frozen=True):
    """One week's changes."""

    title: str
    #: names of both ends: what git understands; the first is None for everything from the beginning
    after: str | None
    until: str
    #: ids of the commits at both ends
    after_commit: str | None
    until_commit: str
    #: when the milestones were tagged, as days in their taggers' zones
    started: str | None
    finished: str | None
    commits: list[Line]
    files: list[FileChange]
    #: where the remote's host shows commits, where that is known
    page: str | None
    #: the page that compares both ends
    compare: str | None


def show(place: TagPlace, number: int) -> Week:
    """Gather what a week brought; of one that is not finished, what it brought so far."""
    reading = Reading(place.root, place.names)
    start = reading.milestones.get(Place(number, finished=False))
    finish = reading.milestones.get(Place(number, finished=True))
    if start is None and finish is None:
        known = sorted({place.number for place in reading.milestones})
        hint = (
            f"There are: {', '.join(map(str, known[-10:]))}"
            if known
            else f"Begin: bootstrap tag start {number}"
        )
        raise UsageError(
            f"there is neither {place.names.start(number)} nor {place.names.finish(number)} here",
            f"{hint}. Those of the remote: bootstrap tag sync",
        )
    if reading.clone.shallow:
        raise BootstrapError(
            "this clone is shallow: it does not have every commit of the week",
            "Get them: git fetch --unshallow",
        )
    since = messages.previous(reading, Place(number, finished=True))
    until = finish.target if finish is not None else reading.clone.head
    if until is None or (finish is not None and finish.kind != "commit"):
        raise BootstrapError(f"week {number} does not end at a commit", "See why: bootstrap tag check")
    after = since.commit if since is not None else None
    page = _page(place)
    ends = (
        since.name if since is not None else None,
        finish.name if finish is not None else until[:10],
    )
    return Week(
        title=place.names.week(number) + ("" if finish is not None else " (so far)"),
        after=_shown(reading, ends[0]) if ends[0] is not None else None,
        until=_shown(reading, ends[1]),
        after_commit=after,
        until_commit=until,
        started=_day(start),
        finished=_day(finish),
        commits=git_log.subjects(place.root, after, until),
        files=git_log.files(place.root, after, until),
        page=page,
        compare=_compare(page, ends) if page is not None and ends[0] is not None else None,
    )


def _shown(reading: Reading, name: str) -> str:
    """Write a name so that git takes it for the tag, also where a branch has it."""
    return f"refs/tags/{name}" if name in reading.heads else name


def _day(tag: object) -> str | None:
    inner = getattr(tag, "object", None)
    if inner is None or inner.seconds is None:
        return None
    return day(inner.seconds, inner.zone)


def day(seconds: int, zone: str) -> str | None:
    """The day of a moment, in seconds since the epoch, in a zone like "+0100"; None for no day at all."""
    sign = -1 if zone.startswith("-") else 1
    try:
        offset = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])))
        return f"{datetime.fromtimestamp(seconds, UTC).astimezone(offset):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return None


def _page(place: TagPlace) -> str | None:
    """The address below which the remote's host shows commits and comparisons; None for an unknown host."""
    remotes, default = git_remote.remotes(place.root)
    wanted = place.named or default or "origin"
    remote = next((one for one in remotes if one.name == wanted), remotes[0] if remotes else None)
    if remote is None:
        return None
    repository = of_remote(remote.url, place.root)
    host = repository.identity.partition("/")[0]
    gitlab = host == "gitlab.com" or host.startswith("gitlab.")
    if repository.slug is None or ":" in host or not (gitlab or host == "github.com"):
        return None
    return f"https://{host}/{quote(repository.slug)}{'/-' if gitlab else ''}"


def _compare(page: str, ends: tuple[str | None, str]) -> str:
    after, until = (quote(end or "", safe="") for end in ends)
    return f"{page}/compare/{after}...{until}"


def markdown(week: Week) -> str:
    """Write a week for a journal: heading, numbers, link, commits, files, and the command for the rest."""
    days = " to ".join(filter(None, (week.started, week.finished)))
    numbers = (
        f"{_count(len(week.commits), 'commit')}, {_count(len(week.files), 'file')} changed, "
        f"{_count(sum(one.added or 0 for one in week.files), 'line')} added, "
        f"{sum(one.removed or 0 for one in week.files)} removed."
    )
    parts = [f"## {week.title}", " ".join(filter(None, (f"{days}:" if days else "", numbers)))]
    if week.compare is not None:
        parts.append(f"[Compare {_escaped(week.after or '')} with {_escaped(week.until)}]({week.compare})")
    if week.commits:
        parts += ["### Commits", "\n".join(_commit(week, one) for one in week.commits[:_LISTED])]
        parts += _more(len(week.commits), "commits")
    if week.files:
        rows = [
            f"| {_code(one.path)} | {_lines(one.added)} | {_lines(one.removed)} |"
            for one in week.files[:_LISTED]
        ]
        parts += ["### Files", "\n".join(("| file | added | removed |", "|---|--:|--:|", *rows))]
        parts += _more(len(week.files), "files")
    parts.append(f"```sh\n{command(week)}\n```")
    return "\n\n".join(parts) + "\n"


def command(week: Week) -> str:
    """The command that shows the whole difference."""
    if week.after is None:
        return f"git log --patch --reverse {week.until}"
    return f"git diff {week.after} {week.until}"


def _commit(week: Week, one: Line) -> str:
    short = f"`{one.id[:7]}`"
    linked = f"[{short}]({week.page}/commit/{one.id})" if week.page is not None else short
    return f"- {linked} {_escaped(one.subject)}"


def _more(number: int, things: str) -> list[str]:
    return [f"And {number - _LISTED} more {things}."] if number > _LISTED else []


def _escaped(text: str) -> str:
    """Write text so that Markdown shows it as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _code(path: str) -> str:
    """Write a path as code; around backquotes in it stand more of them, and a bar would end the cell."""
    text = " ".join(path.splitlines()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return f"{'`' * (longest + 1)} {text} {'`' * (longest + 1)}" if longest else f"`{text}`"


def _lines(number: int | None) -> str:
    return "binary" if number is None else str(number)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
