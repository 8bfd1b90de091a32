"""`bootstrap init`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bootstrap.cli import adopting, output
from bootstrap.cli.render import raise_blocked
from bootstrap.cli.render import show as show_rendering
from bootstrap.cli.secrets.offers import offer_hook, offer_secrets
from bootstrap.cli.session import OPTIONS, Session
from bootstrap.cli.verb import verb
from bootstrap.config import manifest
from bootstrap.config.location import MANIFEST
from bootstrap.flows import adopt, init, render, scaffold
from bootstrap.flows.environment import OPTIONAL, readers
from bootstrap.system.files import ProjectFiles
from bootstrap.system.worktree import root_of

_READY = "nothing more: its secrets are set"


@verb()
@click.option("--defaults", is_flag=True, help="Never ask.")
@click.option(
    "--files",
    "owners",
    multiple=True,
    metavar="KEY=MODE",
    help="Whose a file is: compose, gitpod or devcontainer = own, overlay or theirs.",
)
@click.option("--undo", is_flag=True, help="Remove what init wrote, and say what is left.")
def command(session: Session, *, defaults: bool, owners: tuple[str, ...], undo: bool) -> int:
    r"""
    Create or complete bootstrap.toml, render everything, and say what is on.

    Safe to run again and again: what is there stays, and what somebody edited is shown and left alone.

    A repository with files of its own is adopted: its Compose files are read, the manifest is shown before it
    is written, and none of its files is changed. To let ours take the place of one, which is then kept as
    FILE.orig, name it with --files.

    \b
    Examples:
      bootstrap init
      bootstrap init --defaults
      bootstrap init --files compose=own
      bootstrap init --undo
    """
    root = init.root_for(session.start)
    files = ProjectFiles(root)
    wanted = adopting.choices(owners)

    def sources(data: bytes) -> render.Sources:
        return _sources(session, root, data)

    if undo:
        return adopting.take_back(session, root, sources, defaults=defaults)
    adoption = None
    if not (root / MANIFEST).exists():
        adoption = adopt.look(files, sources, session.environ, scaffold.project_name(root))
        if adoption is not None and not session.as_json:
            adopting.show(adoption)
        if not (defaults or _create(root)):
            output.words("Nothing was written.")
            return 1
    opened = init.open_project(files, sources, session.lookup, adoption.manifest if adoption else None)
    if wanted:
        adopting.decide(session, root, sources, wanted)
        opened = init.open_project(files, sources, session.lookup)
    code = 0
    if session.as_json:
        _show_json(opened, adoption)
    else:
        _show(session, opened)
        if adoption is not None:
            adopting.show_owners(adoption)
        adopting.show_lacking(files, session.committed_project)
        if not defaults and sys.stdin.isatty():
            code = _offer(session, root)
        output.words()
        output.words(_next(opened))
    raise_blocked(opened.rendering)
    return code


def _offer(session: Session, root: Path) -> int:
    missing = [
        name
        for name, services in readers(session.project).items()
        if services and name not in OPTIONAL and session.lookup(name) is None
    ]
    code = offer_secrets(session, missing)
    offer_hook(root_of(root) or root)
    return code


def _create(root: Path) -> bool:
    """Ask, where there is somebody to ask; without a terminal, typing `init` was the answer."""
    if not sys.stdin.isatty():
        return True
    output.words(f"There is no {MANIFEST} in {root} yet.")
    return click.confirm("Create one?", default=True, err=True)


def _sources(session: Session, root: Path, data: bytes) -> render.Sources:
    project = manifest.loads(data, OPTIONS, root=root)
    return render.Sources(project, manifest.with_local(project, root), session.workspace)


def _show(session: Session, opened: init.Opened) -> None:
    if opened.manifest is not None:
        output.words(f"bootstrap.toml was {opened.manifest}.")
    for path in opened.lists:
        output.words(f"{path} has what it needs.")
    show_rendering(session, opened.rendering, diff=False, check=False)
    _show_vendors(opened.vendors)
    if opened.urls:
        output.words()
        output.words("Your services, once they run:", bold=True)
        for name, url in opened.urls:
            output.words(f"  {name:<20} {url}")


def _next(opened: init.Opened) -> str:
    if opened.without_command and not opened.containers_only:
        return f'Next: add command = "..." to [services.{opened.without_command[0]}], then: bootstrap up'
    added = opened.urls or opened.vendors or opened.containers_only
    return "Next: bootstrap up" if added else "Next: bootstrap service add NAME --template flask"


def _show_vendors(vendors: Sequence[init.VendorState]) -> None:
    if not vendors:
        return
    output.words()
    output.words("Telemetry stays on this machine; what the vendors themselves need:", bold=True)
    width = max(len(vendor.title) for vendor in vendors)
    for vendor in vendors:
        needs = "bootstrap secrets set " + " ".join(vendor.missing) if vendor.missing else _READY
        output.words(f"  {vendor.title:<{width}}  {needs}")


def _show_json(opened: init.Opened, adoption: adopt.Adoption | None) -> None:
    output.json_document(
        {
            "manifest": opened.manifest,
            "files": [
                {"path": change.path, "change": change.kind.name.lower()}
                for change in opened.rendering.changes
            ],
            "urls": dict(opened.urls),
            "vendors": [
                {"name": vendor.name, "services": list(vendor.services), "missing": list(vendor.missing)}
                for vendor in opened.vendors
            ],
            "adopted": adopting.as_json(adoption),
        }
    )
