"""`bootstrap render`."""

import difflib
import re
from collections.abc import Callable

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows import render
from bootstrap.flows.environment import first_of, secret_specs
from bootstrap.model.errors import ProblemsFoundError
from bootstrap.model.files import ChangeKind, FileChange

# A variable whose name says that it opens something, and a value that is not a reference to one.
_SECRET = re.compile(
    r"""^(\s*(?:-\s+|export\s+)?["']?[\w.-]*(?:key|token|secret|passw|headers)[\w.-]*["']?\s*[:=]\s*)"""
    r"""(?!["']?\$\{)\S.*$""",
    re.IGNORECASE,
)


@verb()
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 5 when a committed file is not what it would be."
)
@click.option("--diff", is_flag=True, help="Show what changes.")
@click.option("--force", is_flag=True, help="Also rewrite files that were edited by hand, keeping FILE.orig.")
def command(session: Session, *, check: bool, diff: bool, force: bool) -> None:
    r"""
    Write every generated file from bootstrap.toml.

    A file that was edited by hand is shown and left alone, and so is one that is not ours.

    \b
    Examples:
      bootstrap render
      bootstrap render --check --diff
      bootstrap render --force
    """
    sources = render.Sources(session.committed_project, session.project, session.workspace)
    if check:
        done = render.check(session.files, sources)
    else:
        done = render.write(session.files, sources, force=force)
    show(session, done, diff=diff, check=check)
    if check and done.differences:
        count = len(done.differences)
        raise ProblemsFoundError(
            f"{count} generated file{'s' * (count > 1)} would change", "Run: bootstrap render"
        )
    raise_blocked(done)


def show(session: Session, done: render.Rendering, *, diff: bool, check: bool) -> None:
    """Print what happened to each file that is not as it was."""
    if session.as_json:
        output.json_document(
            [{"path": change.path, "change": change.kind.name.lower()} for change in done.changes]
        )
        return
    if done.moved_from is not None:
        output.words(
            f"This is another workspace than before ({done.moved_from}): its URLs are rendered anew."
        )
    for change in done.differences:
        blocked = change.kind.blocked
        what = f"would be {change.kind.value}" if check and not blocked else change.kind.value
        output.words(f"{what:>16}  {change.path}", style="yellow" if blocked else "green")
        if diff or blocked:
            _show_diff(change, _masker(session))
    if not done.differences:
        output.words(f"{len(done.changes)} generated files are what they should be.")


def _show_diff(change: FileChange, mask: Callable[[str], str]) -> None:
    after = change.after.text if change.after is not None else ""
    before = change.before or ""
    for line in difflib.unified_diff(
        mask(before).splitlines(),
        mask(after).splitlines(),
        f"{change.path} (now)",
        f"{change.path} (rendered)",
        lineterm="",
    ):
        output.diff_line(line)


def _masker(session: Session) -> Callable[[str], str]:
    """Hide what somebody may have typed into a file: known values, and what stands where one would."""
    lookup = first_of(session.stores)
    known = [
        secret.reveal() for name in secret_specs(session.project) if (secret := lookup(name)) is not None
    ]

    def mask(text: str) -> str:
        for value in known:
            text = text.replace(value, "********")
        return "\n".join(_SECRET.sub(r"\1********", line) for line in text.split("\n"))

    return mask


def raise_blocked(done: render.Rendering) -> None:
    """Refuse to call it done while a file waits for a decision."""
    edited = [change.path for change in done.blocked if change.kind is ChangeKind.EDITED]
    foreign = [change.path for change in done.blocked if change.kind is ChangeKind.FOREIGN]
    if foreign:
        raise ProblemsFoundError(
            f"{', '.join(foreign)}: already there, and not made by this tool: left alone",
            'Move it away, or keep it: compose, gitpod or devcontainer = "theirs" below [files].',
        )
    if edited:
        raise ProblemsFoundError(
            f"{', '.join(edited)}: edited by hand, so left alone",
            "Move the change to bootstrap.toml, or overwrite it, keeping FILE.orig: bootstrap render --force",
        )
