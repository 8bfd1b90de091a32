"""What every look for leaked secrets knows: the project's own values, and the vendors' tokens."""

from pathlib import Path

from bootstrap.cli.session import Session
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets.known import Known, known
from bootstrap.flows.secrets.place import make_place
from bootstrap.model.errors import BootstrapError
from bootstrap.secrets.scanning.scanner import Scanner
from bootstrap.system.worktree import repository
from bootstrap.vendors import VENDORS


def scanner_of(session: Session, root: Path, *, silent: bool) -> tuple[Scanner, list[str]]:
    """Make the scanner of the project, and sentences about what it does not know.

    `silent` asks no store that may prompt.
    """
    values = _known(session, root, silent=silent)
    shapes = (shape for vendor in VENDORS.values() for shape in vendor.tokens)
    return Scanner(values.values, shapes), values.notes


def _known(session: Session, root: Path, *, silent: bool) -> Known:
    """Read the values; without a manifest that can be read, those of the vendors' secrets."""
    try:
        return known(session.place, secret_specs(session.project), silent=silent)
    except BootstrapError as error:
        place = make_place(
            repository(root), root, session.environ, session.workspace, services={}, region="us-east-1"
        )
        found = known(place, (), silent=silent)
        found.notes.insert(0, f"{error.message}: only the vendors' secrets and tokens were looked for")
        return found
