"""`bootstrap secrets`: one verb a file."""

from bootstrap.cli.commands import SECRETS
from bootstrap.cli.verb import verbs


@verbs(SECRETS, "bootstrap.cli.secrets")
def command() -> None:
    r"""
    Keep, show, check, copy and scan for the project's secrets.

    Which secrets there are follows from bootstrap.toml. Their values belong to this repository, as its remote
    names it, and are kept outside of it: in Gitpod's variables, the system's keyring, a private file, or AWS.

    \b
    Examples:
      bootstrap secrets list
      bootstrap secrets set HONEYCOMB_API_KEY
      bootstrap secrets check --online
    """
