"""`bootstrap tag delete`."""

from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.model.errors import BootstrapError


@verb()
def command(session: Session) -> None:
    """Not there yet."""
    raise BootstrapError(f"not there yet: {session.start}")
