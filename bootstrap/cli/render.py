"""`bootstrap render`."""

import click

from bootstrap.cli import output
from bootstrap.cli.diff import show as show_diff
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows import render
from bootstrap.flows.environment import secret_specs
from bootstrap.model.errors import ProblemsFoundError
from bootstrap.model.files import ChangeKind


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
        before = output.clean_value(done.moved_from)
        output.words(f"This is another workspace than before ({before}): its URLs are rendered anew.")
    for change in done.differences:
        blocked = change.kind.blocked
        what = f"would be {change.kind.value}" if check and not blocked else change.kind.value
        output.words(f"{what:>16}  {change.path}", style="yellow" if blocked else "green")
        # What somebody did to a file of ours is theirs to see; a file that is not ours may hold anything.
        if diff or change.kind is ChangeKind.EDITED:
            show_diff(change, _known_values(session))
    if not done.differences:
        output.words(f"{len(done.changes)} generated files are what they should be.")


def _known_values(session: Session) -> list[str]:
    lookup = session.lookup
    return [secret.reveal() for name in secret_specs(session.project) if (secret := lookup(name)) is not None]


def raise_blocked(done: render.Rendering) -> None:
    """Refuse to call it done while a file waits for a decision."""
    edited = [change.path for change in done.blocked if change.kind is ChangeKind.EDITED]
    foreign = [change.path for change in done.blocked if change.kind is ChangeKind.FOREIGN]
    if foreign:
        raise ProblemsFoundError(
            f"{', '.join(foreign)}: already there, and not made by this tool: left alone",
            _keep(foreign),
        )
    if edited:
        raise ProblemsFoundError(
            f"{', '.join(edited)}: edited by hand, so left alone",
            "Move the change to bootstrap.toml, or overwrite it, keeping FILE.orig: bootstrap render --force",
        )


def _keep(paths: list[str]) -> str:
    """Say what to type so that a file stays its owner's, or what to write where no command says it."""
    keys = [render.OWNERS[path] for path in paths if path in render.OWNERS]
    if keys:
        choices = " ".join(f"--files {key}=overlay" for key in keys)
        return f"Move it away, or keep it as yours: bootstrap init {choices}"
    listed = ", ".join(f'"{path}"' for path in paths)
    return f"Move it away, or keep it by adding to bootstrap.toml: [files] theirs = [{listed}]"
