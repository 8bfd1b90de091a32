"""`bootstrap provision`: one verb a file."""

from bootstrap.cli.commands import PROVISION
from bootstrap.cli.verb import verbs


@verbs(PROVISION, "bootstrap.cli.provision")
def command() -> None:
    r"""
    Make what AWS and Honeycomb need for this project, keep it as the manifest says, and remove it again.

    X-Ray group and sampling rules, the log group, IAM policies and roles, Honeycomb's columns, queries and
    board. Each carries a mark that names the repository and who made it; what has no such mark is somebody
    else's, and is left alone.

    \b
    Examples:
      bootstrap provision plan
      bootstrap provision apply
      bootstrap provision destroy xray
    """
