"""`bootstrap tag check`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.tag.leaks import Publishing, check_for_secrets, publishing
from bootstrap.cli.tag.shared import agreed, dry_run_option, place_of, remote_option, show_plan, yes_option
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows.tags.checking import look_at, mend, mending, remove_locks, together, under_releases
from bootstrap.flows.tags.place import TagPlace
from bootstrap.milestones.findings import Finding
from bootstrap.milestones.names import typed
from bootstrap.milestones.reading import Reading
from bootstrap.model.errors import BootstrapError, ProblemsFoundError, RemoteRefusedError

#: what is mended may show what is wrong behind it: first both sides agree, then the object, then its name
_ROUNDS = 5


@verb()
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
@click.option(
    "--no-scan", is_flag=True, help="Publish what is missing on the remote without a look for secrets."
)
@remote_option()
@yes_option("Mend without asking, also at a terminal.")
@dry_run_option()
def command(
    session: Session, *, fix: bool, no_scan: bool, remote: str | None, yes: bool, dry_run: bool
) -> int:
    r"""
    Find what is wrong with the tags, here and on the remote; with --fix, mend it.

    Names inside tags that differ from their refs, tags of tags, lightweight milestones, names that branches
    have, what only one side has or both have differently, renamed tags that were pushed back, names beside
    the pattern, a finish before its start, weeks without a tag, locks that a killed git left. Exits with 5
    where something is wrong. What --fix replaces is kept under refs/bootstrap/replaced/.

    \b
    Examples:
      bootstrap tag check
      bootstrap tag check --fix --dry-run
      bootstrap tag check --fix
    """
    place = place_of(session, remote)
    notes: list[str] = []
    with waiting(remote or "git and the remote"):
        reading, findings = look_at(place, notes, fix=fix)
    for note in dict.fromkeys(notes):
        output.words(output.clean_value(f"Note: {note}"), style="yellow")
    if not session.as_json:
        for finding in findings:
            _show(finding)
    done: list[dict[str, Any]] = []
    refused: dict[str, BootstrapError] = {}
    if fix:
        findings = _fix(
            session,
            place,
            (reading, findings),
            done,
            refused,
            options=_Options(session.environ, no_scan, dry_run, yes),
        )
    if session.as_json:
        output.json_document(
            {"findings": [_plain(finding) for finding in findings], "mended": done, "notes": notes}
        )
    return _conclude(findings, refused, fixed=fix and not dry_run) or _unasked(reading)


class _Options(NamedTuple):
    environ: Mapping[str, str]
    no_scan: bool
    dry_run: bool
    yes: bool


def _fix(
    session: Session,
    place: TagPlace,
    state: tuple[Reading, list[Finding]],
    done: list[dict[str, Any]],
    refused: dict[str, BootstrapError],
    *,
    options: "_Options",
) -> list[Finding]:
    """Mend in rounds until nothing is left that can be; return what is still wrong."""
    reading, findings = state
    for _ in range(_ROUNDS):
        plans = mending(reading, findings, refused)
        under = under_releases(reading, plans, options.environ)
        refused.update(under)
        plans = [(finding, plan) for finding, plan in plans if finding.name not in under]
        stale = any(finding.stale for finding in findings)
        if not plans and not stale:
            break
        for finding in findings if stale else ():
            if finding.stale:
                output.words(output.clean_value(f"Plan: remove {finding.name}"), bold=True)
        if plans:
            show_plan(session, place, together(reading, (plan for _, plan in plans)))
        if options.dry_run:
            break
        agreed("Mend this?", yes=options.yes, silence=True)
        remove_locks(place.root)
        check_for_secrets(
            session, reading, _publishing(reading, [one for one, _ in plans]), no_scan=options.no_scan
        )
        with waiting(reading.remote_name):
            failed = mend(reading, plans)
        refused.update(failed)
        done += [_plain(finding) for finding, _ in plans if finding.name not in failed]
        with waiting(reading.remote_name):
            reading, findings = look_at(place, [], fix=True)
    return findings


def _publishing(reading: Reading, findings: list[Finding]) -> list[Publishing]:
    """What becomes public by mending."""
    found = []
    for finding in findings:
        for name in finding.publishes:
            tag = reading.tags.get(name) or reading.tags[finding.name]
            found.append(publishing(reading, name, tag.id, tag.target))
    return found


def _show(finding: Finding) -> None:
    mark = "note" if finding.note else "problem"
    output.data(
        output.clean_value(f"{mark:<8} {finding.name}: {finding.text}"),
        style="yellow" if finding.note else "red",
    )
    if finding.hint:
        output.data(output.clean_value(f"{'':<8}   {finding.hint}"))


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "flaw": finding.flaw.value,
        "name": finding.name,
        "text": finding.text,
        "hint": finding.hint,
        "note": finding.note,
        "mendable": finding.mendable,
    }


def _unasked(reading: Reading) -> int:
    """Do not say that all is well of what nobody could look at."""
    if reading.silent is None:
        return 0
    output.error(
        f"{reading.silent} could not be asked: what it has was not compared",
        f"Try it yourself: git ls-remote {typed(reading.silent)}",
    )
    return RemoteRefusedError.exit_code


def _conclude(findings: list[Finding], refused: dict[str, BootstrapError], *, fixed: bool) -> int:
    """Put the outcome into a line and the exit code."""
    problems = [finding for finding in findings if not finding.note]
    if refused:
        name, error = next(iter(refused.items()))
        output.error(f"{len(refused)} not mended, first {name}: {error.message}", error.hint)
        return error.exit_code
    if not problems:
        output.words("The tags here are right.", style="green")
        return 0
    plural = "s" * (len(problems) > 1)
    left = " left" if fixed else ""
    output.error(f"{len(problems)} problem{plural}{left}", f"First: {problems[0].hint}")
    return ProblemsFoundError.exit_code
