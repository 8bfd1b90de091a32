"""What `init` says about a repository that has files of its own, and taking it back."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from bootstrap.adoption.found import Left
from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.config.location import MANIFEST
from bootstrap.flows import takeover, undo
from bootstrap.flows.adopt import Adoption
from bootstrap.flows.stack import running
from bootstrap.flows.workspace_keys import Lacking, lacking
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.model.project import Project
from bootstrap.system.files import ProjectFiles
from bootstrap.system.state import State


def choices(values: Iterable[str]) -> dict[str, str]:
    """Read KEY=MODE; raises UsageError for what is neither."""
    made = {}
    for value in values:
        key, equals, mode = value.partition("=")
        if not equals or key not in takeover.KEYS or mode not in takeover.MODES:
            raise UsageError(
                f"--files {value}: is not KEY=MODE",
                f"KEY is one of {', '.join(takeover.KEYS)}, MODE one of {', '.join(takeover.MODES)}.",
            )
        made[key] = mode
    return made


def show(adoption: Adoption) -> None:
    """Show the manifest that would be written, and what it does not say."""
    if adoption.chosen is not None and adoption.chosen.files:
        how = "docker compose config" if adoption.asked_compose else "a reader of our own"
        named = f" ({adoption.chosen.origin})" if adoption.chosen.origin else ""
        output.words(f"Read {', '.join(adoption.chosen.all)}{named}, through {how}.")
    output.words()
    output.words(f"This would be {MANIFEST}:", bold=True)
    for line in adoption.manifest.decode().splitlines():
        output.words(f"  {line}".rstrip())
    show_left(adoption.left)
    output.words()


def show_left(left: Iterable[Left]) -> None:
    """Say what is not carried over, why, and what to do if need be."""
    left = list(left)
    if not left:
        return
    output.words()
    output.words("What it does not say of your files, and why:", bold=True)
    for each in left:
        output.words(f"  {output.clean_value(each.where)}: {output.clean_value(each.why)}", style="yellow")
        if each.hint:
            output.words(f"    {output.clean_value(each.hint)}")


def show_owners(adoption: Adoption) -> None:
    """Say which files stay theirs, and what that means."""
    said = {
        "overlay": "stays yours, byte for byte",
        "theirs": "stays yours, and nothing is laid over it",
    }
    for key in takeover.KEYS:
        if key in adoption.owners:
            output.words(
                f"{_TITLES[key]} {said[adoption.owners[key]]}. To change that: "
                f"bootstrap init --files {key}=own"
            )
    if adoption.importable:
        output.words(
            f".env holds {', '.join(adoption.importable)}. To keep the values: bootstrap secrets import .env"
        )


_TITLES = {
    "compose": "Your Compose file",
    "gitpod": "Your .gitpod.yml",
    "devcontainer": "Your devcontainer.json",
}


def show_lacking(files: ProjectFiles, project: Project) -> list[Lacking]:
    """Print what to paste into workspace files that stay theirs."""
    found = [each for each in lacking(files, project) if each.keys or each.problem]
    for each in found:
        output.words()
        if each.problem is not None:
            output.words(f"{each.problem.message}: what it lacks nobody can tell.", style="yellow")
            continue
        output.words(f"To paste into {each.path}, key by key:", bold=True)
        for line in each.paste.splitlines():
            output.words(f"  {line}")
    return found


def as_json(adoption: Adoption | None) -> Mapping[str, Any] | None:
    """The same as data."""
    if adoption is None:
        return None
    return {
        "read": list(adoption.chosen.all) if adoption.chosen else [],
        "files": adoption.owners,
        "manifest": adoption.manifest.decode(),
        "left": [{"where": each.where, "why": each.why, "hint": each.hint} for each in adoption.left],
        "importable": list(adoption.importable),
    }


def take_back(session: Session, root: Path, sources: Any, *, defaults: bool) -> int:
    """Undo, after asking where there is somebody to ask. Raises BootstrapError while something runs."""
    names = running(root, State(root, session.environ), session.environ)
    if names:
        raise BootstrapError(f"{', '.join(sorted(names))}: still runs", "Stop it first: bootstrap down")
    if not defaults and sys.stdin.isatty():
        output.words(f"What init wrote in {root} is removed; what you have changed since stays.")
        if not click.confirm("Go on?", default=True, err=True):
            output.words("Nothing was changed.")
            return 1
    done = undo.undo(ProjectFiles(root), sources)
    if session.as_json:
        output.json_document(
            {
                "removed": list(done.removed),
                "restored": list(done.restored),
                "left": [{"path": path, "why": why} for path, why in done.left],
            }
        )
        return 0
    for path in done.removed:
        output.words(f"{'removed':>16}  {path}", style="green")
    for path in done.restored:
        output.words(f"{'as it was':>16}  {path}", style="green")
    for path, why in done.left:
        output.words(f"{'left':>16}  {path}: {why}", style="yellow")
    output.words("Secrets stay in their stores, and volumes in the container engine.")
    return 0


def decide(session: Session, root: Path, sources: Any, wanted: Mapping[str, str]) -> None:
    """Carry out --files, and say what became of theirs."""
    files = ProjectFiles(root)
    done = takeover.decide(files, sources, session.environ, wanted)
    if session.as_json:
        return
    for path, name in done.moved:
        output.words(f"{path} is kept as {name}.")
    for path in done.restored:
        output.words(f"{path} is back.")
    show_left(done.left)
