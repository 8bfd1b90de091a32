"""`bootstrap provision apply`."""

import click

from bootstrap.cli import output
from bootstrap.cli.provision.carrying import carry_out
from bootstrap.cli.provision.shared import (
    adopt_option,
    again,
    agreed,
    profile_option,
    show,
    summary,
    vendors_argument,
    work_for,
    yes_option,
)
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.model.errors import UsageError


@verb()
@vendors_argument()
@profile_option()
@adopt_option()
@click.option(
    "--trust",
    metavar="ACCOUNT",
    multiple=True,
    help="Let in the manifest's principal though it is of this other account. May be given several times.",
)
@yes_option()
def command(
    session: Session,
    vendors: tuple[str, ...],
    *,
    profile: str | None,
    adopt: tuple[str, ...],
    trust: tuple[str, ...],
    yes: bool,
) -> int:
    r"""
    Plan, show it, and after a question make it so.

    What was made from another repository, or by hand, is left as it is until --adopt names it; what you have
    made for this project and the manifest has no longer, such as the sampling rule of a service that is gone,
    is removed. Run it again
    after whatever has stopped it: it goes on from there. Exits 4 when something was refused, saying what was
    done and what was not; 2 where nobody can be asked and --yes is missing, or where a principal of another
    account would be let in, whatever the question's answer, and --trust does not name that account.

    With --json: what `plan --json` prints, and "done", "failed" (each with "error": {"message", "hint"}) and
    "skipped", which are lists of changes.

    \b
    Examples:
      bootstrap provision apply
      bootstrap provision apply xray cloudwatch --yes
      bootstrap provision apply --adopt cruddur --profile work
    """
    work = work_for(session, vendors, profile=profile, adopt=adopt)
    if not session.as_json:
        show(work)
    named = [word for name in adopt for word in ("--adopt", name)]
    named += [word for account in trust for word in ("--trust", account)]
    _check_trust(work.admitted, trust, again("apply", vendors, profile, *named))
    if work.plan.pending and not agreed(session, f"{summary(work)}. Go on?", yes=yes):
        output.words("Nothing was changed.")
        return 0
    return carry_out(session, work, again("apply", vendors, profile, *named))


def _check_trust(admitted: tuple[str, ...], trust: tuple[str, ...], command: str) -> None:
    """Refuse to let in another account that nobody has named here: a manifest may be a stranger's."""
    for account in admitted:
        if account not in trust:
            raise UsageError(
                f"provision.principal is of another account, {account}, and would be let into this one",
                f"Is it yours? Then say so: {command} --trust {account}",
            )
