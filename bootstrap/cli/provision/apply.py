"""`bootstrap provision apply`."""

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


@verb()
@vendors_argument()
@profile_option()
@adopt_option()
@yes_option()
def command(
    session: Session, vendors: tuple[str, ...], *, profile: str | None, adopt: tuple[str, ...], yes: bool
) -> int:
    r"""
    Plan, show it, and after a question make it so.

    What was made from another repository, or by hand, is left as it is until --adopt names it; what you have
    made for this project and the manifest has no longer, such as the sampling rule of a service that is gone,
    is removed. Run it again
    after whatever has stopped it: it goes on from there. Exits 4 when something was refused, saying what was
    done and what was not; 2 where nobody can be asked and --yes is missing.

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
    if work.plan.pending and not agreed(session, f"{summary(work)}. Go on?", yes=yes):
        output.words("Nothing was changed.")
        return 0
    named = [word for name in adopt for word in ("--adopt", name)]
    return carry_out(session, work, again("apply", vendors, profile, *named))
