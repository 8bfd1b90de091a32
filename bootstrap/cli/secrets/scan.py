"""`bootstrap secrets scan`."""

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import click
from msgspec import to_builtins

from bootstrap.cli import output
from bootstrap.cli.secrets.looking import scanner_of
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.secrets import scan
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.secrets.scanning.scanner import Leak
from bootstrap.system.worktree import root_of

#: paths that are named in one line
_NAMED = 5


@verb()
@click.option(
    "--staged",
    is_flag=True,
    help="Only what the next commit would add or change; asks no store that may prompt.",
)
@click.option("--range", "commits", metavar="A..B", help="Everything that these commits have ever brought.")
@click.option("--tags", metavar="A..B", help="The same between two tags, and the tags' messages.")
def command(session: Session, *, staged: bool, commits: str | None, tags: str | None) -> int:
    r"""
    Look for leaked secrets in the files that git tracks or would add.

    It finds the values of this project's own secrets, plain or encoded, and whatever looks like a vendor's
    token. Nothing that it prints shows one. A line with the comment bootstrap:allow-secret REASON is left
    alone. It exits with 5 where it found something.

    \b
    Examples:
      bootstrap secrets scan
      bootstrap secrets scan --staged
      bootstrap secrets scan --range main..HEAD
      bootstrap secrets scan --tags week1..week2
    """
    if sum((staged, commits is not None, tags is not None)) > 1:
        raise UsageError("--staged, --range and --tags exclude each other", "Choose one.")
    root = root_of(session.start)
    if root is None:
        raise BootstrapError(f"{session.start}: is not in a git repository", "Make it one: git init")
    scanner, notes = scanner_of(session, root, silent=staged)
    if staged:
        report = scan.index(root, scanner, _index_of_hook(session))
    elif commits is not None:
        report = scan.commits(root, scanner, commits)
    elif tags is not None:
        report = scan.tags(root, scanner, tags)
    else:
        report = scan.work_tree(root, scanner)
    report.notes[:0] = notes
    if session.as_json:
        output.json_document({**_plain(report), "skipped": scanner.skipped})
    else:
        _show(report, scanner.skipped, staged=staged)
    return 5 if report.leaks else 0


def _index_of_hook(session: Session) -> str | None:
    """The index that git hands to a hook, for example by `git commit FILE`."""
    named = session.environ.get("GIT_INDEX_FILE")
    return os.path.abspath(named) if named else None  # noqa: PTH100 - of this process, and no link is resolved


def _plain(report: scan.Report) -> dict[str, Any]:
    data: dict[str, Any] = to_builtins(report)
    return {**data, "unread": [{"path": path, "why": why} for path, why in report.unread]}


def _show(report: scan.Report, skipped: dict[str, str], *, staged: bool) -> None:
    for leak in report.leaks:
        output.data(output.clean_value(leak_line(leak)), style="red")
    for note in report.notes:
        _words(f"Note: {note}.")
    for name, reason in skipped.items():
        _words(f"Note: {name} was not looked for: its value {reason}.")
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for path, why in report.unread:
        by_reason[why].append(path)
    for why, paths in by_reason.items():
        _words(f"Not looked into ({why}): {_some(paths)}")
    if report.allowed:
        _words(f"Allowed, with a reason: {_some(f'{leak.path}:{leak.line}' for leak in report.allowed)}")
    if not report.leaks:
        messages = f" and {_count(report.messages, 'message')}" if report.messages else ""
        _words(f"No secrets in {_count(report.looked_at, 'file')}{messages}.")
        return
    output.words()
    for hint in _hints(report.leaks, staged=staged):
        _words(hint)


def _words(text: str) -> None:
    """Write one line, whatever stands in the names in it: a line end must not make two."""
    output.words(output.clean_value(text))


def leak_line(leak: Leak) -> str:
    """Say where a secret stands, and which."""
    place = f"{leak.path}:{leak.line}:{leak.column}" if leak.line else leak.path
    what = f"the value of {leak.what}" if leak.own else f"looks like {leak.what}"
    return f"{place}: {what}" + (f" ({leak.note})" if leak.note else "")


def _hints(leaks: Iterable[Leak], *, staged: bool) -> Iterable[str]:
    names = sorted({name for leak in leaks if leak.own for name in leak.what.split(", ")})
    if staged:
        yield "Nothing is committed yet. Take the secret out of the file, git add it, and commit again."
    else:
        yield "What was ever pushed is no secret: have it revoked where you got it, and get a new one."
        if names:
            yield f"Keep the new one: bootstrap secrets set {' '.join(names)}"
    yield "If it is no secret, say why in a comment on the same line: bootstrap:allow-secret REASON"


def _some(paths: Iterable[str]) -> str:
    named = list(paths)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
