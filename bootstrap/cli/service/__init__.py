"""`bootstrap service`: one verb a file."""

from bootstrap.cli.commands import SERVICE
from bootstrap.cli.verb import verbs


@verbs(SERVICE, "bootstrap.cli.service")
def command() -> None:
    r"""
    Add services to the project.

    \b
    Examples:
      bootstrap service add gateway --template flask
    """
