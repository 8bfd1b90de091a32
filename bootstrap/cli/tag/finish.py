"""`bootstrap tag finish`."""

from typing import Any

from bootstrap.cli.session import Session
from bootstrap.cli.tag.making import making_options, run
from bootstrap.cli.verb import verb


@verb()
@making_options
def command(session: Session, week: int, **options: Any) -> int:
    r"""
    Tag where week WEEK is finished, as week2.

    The tag is annotated. Its message lists the commits since the milestone before, unless you write one. With
    --push, the commits since then are looked through for secrets, and then it goes to the remote first.

    \b
    Examples:
      bootstrap tag finish 2
      bootstrap tag finish 2 --push -m "What week 2 is about"
      bootstrap tag finish 2 --at HEAD~3 --edit --dry-run
    """
    return run(session, week, finished=True, options=options)
