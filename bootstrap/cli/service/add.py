"""`bootstrap service add`."""

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.render import raise_blocked
from bootstrap.cli.render import show as show_rendering
from bootstrap.cli.session import OPTIONS, Session
from bootstrap.cli.verb import verb
from bootstrap.config import manifest
from bootstrap.config.location import MANIFEST
from bootstrap.flows import render, service
from bootstrap.rendering.skeletons import SKELETONS
from bootstrap.vendors import VENDORS

_NONE = "none"


def _vendors(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Read a list with commas; its names are checked where the others are."""
    if value is None or value.strip() == _NONE:
        return None if value is None else ()
    return tuple(dict.fromkeys(name.strip() for name in value.split(",")))


@verb()
@click.argument("name")
@click.option(
    "--template", type=click.Choice(list(SKELETONS)), help="Write an instrumented example into NAME/."
)
@click.option("--image", metavar="IMAGE", help="A container image, instead of a folder of your own.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where it listens; default: the next free one.")
@click.option("--public", is_flag=True, help="A browser or a stranger may reach it.")
@click.option(
    "--calls",
    metavar="SERVICE[/PATH]",
    shell_complete=complete_service,
    help=f"Give it the address of another service, in {service.UPSTREAM}.",
)
@click.option(
    "--telemetry",
    metavar="VENDOR,...",
    callback=_vendors,
    help=f"Of {', '.join(VENDORS)}, or {_NONE}; default: all, for what is built here.",
)
def command(
    session: Session,
    name: str,
    *,
    template: str | None,
    image: str | None,
    port: int | None,
    public: bool,
    calls: str | None,
    telemetry: tuple[str, ...] | None,
) -> None:
    r"""
    Add the service NAME to bootstrap.toml, and render everything.

    Comments and order stay. With --template its folder NAME/ is written, too; one that holds anything is left
    alone, and then nothing else is written either.

    \b
    Examples:
      bootstrap service add gateway --template flask
      bootstrap service add gateway --template flask --public --calls backend-flask
      bootstrap service add db --image postgres:16-alpine --port 5432
      bootstrap service add worker --telemetry honeycomb,rollbar
    """
    wanted = service.Wanted(name, template, image, port, public, calls, telemetry)
    added = service.add(session.files, lambda data: _sources(session, data), wanted)
    if session.as_json:
        _show_json(added)
    else:
        _show(session, added)
    raise_blocked(added.rendering)


def _sources(session: Session, data: bytes) -> render.Sources:
    project = manifest.loads(data, OPTIONS, root=session.root)
    return render.Sources(project, manifest.with_local(project, session.root), session.workspace)


def _show(session: Session, added: service.Added) -> None:
    at = f" at port {added.port}" if added.port is not None else ""
    output.words(f"{MANIFEST} has [services.{added.name}]{at}.")
    if added.written:
        output.words(f"{added.name}/ has {len(added.written)} files; begin with {added.name}/README.md.")
    show_rendering(session, added.rendering, diff=False, check=False)
    output.words()
    output.words(f"Next: {added.missing}" if added.missing else "Next: bootstrap up")


def _show_json(added: service.Added) -> None:
    output.json_document(
        {
            "service": added.name,
            "port": added.port,
            "written": [MANIFEST, *added.written],
            "files": [
                {"path": change.path, "change": change.kind.name.lower()}
                for change in added.rendering.changes
            ],
            "missing": added.missing,
        }
    )
