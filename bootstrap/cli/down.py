"""`bootstrap down`."""

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.stack import engine_for


@verb()
def command(session: Session) -> None:
    r"""
    Stop what `bootstrap up` runs, also what a run that was killed has left behind.

    \b
    Examples:
      bootstrap down
    """
    stopped = engine_for(session.root, session.state, session.environ, None).down()
    if session.as_json:
        output.json_document({"stopped": stopped})
    elif stopped:
        output.words(f"Stopped {', '.join(stopped)}.")
    else:
        output.words("Nothing was running.")
