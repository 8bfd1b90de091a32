"""`bootstrap down`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import engines, up


@verb()
@click.option(
    "--volumes", is_flag=True, help="Remove the data of containers, too. It cannot be brought back."
)
def command(session: Session, *, volumes: bool) -> None:
    r"""
    Stop what `bootstrap up` runs, also what a run that was killed has left behind.

    Containers and networks are removed; volumes, which hold data, stay.

    \b
    Examples:
      bootstrap down
      bootstrap down --volumes
    """
    engine = engines.current(session.root, session.state, session.environ, None)
    with waiting("what runs to stop"):
        stopped = up.down(engine, session.state, volumes=volumes)
    if session.as_json:
        output.json_document({"stopped": list(stopped)})
    elif stopped:
        output.words(f"Stopped {', '.join(stopped)}.")
    else:
        output.words("Nothing was running.")
