"""`bootstrap provision plan`."""

from bootstrap.cli import output
from bootstrap.cli.provision.shared import (
    adopt_option,
    again,
    as_json,
    left,
    profile_option,
    show,
    summary,
    vendors_argument,
    work_for,
)
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.model.errors import ProblemsFoundError


@verb()
@vendors_argument()
@profile_option()
@adopt_option()
def command(
    session: Session, vendors: tuple[str, ...], *, profile: str | None, adopt: tuple[str, ...]
) -> int:
    r"""
    Show what `apply` would make or change, field by field. Only reads.

    Without VENDOR, everything. Says first whose account it is, as whom, and where. Exits 5 when something is
    to be done, 0 when nothing is.

    With --json: {"accounts": [{"provider", "identity", "region", "repository", "maker", "remarks", of AWS
    "account", of Honeycomb "team" and "environment"}], "pending": NUMBER, "changes": [{"action": "create" |
    "update" | "adopt" | "delete" | "keep" | "leave", "kind", "name", "vendors", "drift": [{"field", "before",
    "after"}], "reason", "hint"}]}.

    \b
    Examples:
      bootstrap provision plan
      bootstrap provision plan xray --profile work
      bootstrap provision plan --json
    """
    work = work_for(session, vendors, profile=profile, adopt=adopt)
    pending = len(work.plan.pending)
    if session.as_json:
        output.json_document(as_json(work))
        return ProblemsFoundError.exit_code if pending else 0
    show(work)
    if pending:
        named = [word for name in adopt for word in ("--adopt", name)]
        output.words(f"{summary(work)}. Do it: {again('apply', vendors, profile, *named)}{left(work)}")
        return ProblemsFoundError.exit_code
    output.words(f"Nothing is to be done.{left(work)}")
    return 0
