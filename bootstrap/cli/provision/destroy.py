"""`bootstrap provision destroy`."""

import click

from bootstrap.cli import output
from bootstrap.cli.provision.carrying import carry_out
from bootstrap.cli.provision.shared import (
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
@click.option("--with-logs", is_flag=True, help="Remove the log group with the events that it holds, too.")
@yes_option()
def command(
    session: Session, vendors: tuple[str, ...], *, profile: str | None, with_logs: bool, yes: bool
) -> int:
    r"""
    Remove what was made from this repository by whoever runs this, and list what stays.

    What somebody else has made for this repository stays, and so does what was adopted, and a log group that
    holds events. Exits 4 when something was refused, 2 where nobody can be asked and --yes is missing.

    With --json: as for `apply`, with the action "delete".

    \b
    Examples:
      bootstrap provision destroy
      bootstrap provision destroy xray --yes
      bootstrap provision destroy cloudwatch --with-logs
    """
    work = work_for(session, vendors, profile=profile, direction="destroy", with_logs=with_logs)
    if not session.as_json:
        show(work)
    if work.plan.pending and not agreed(session, f"{summary(work)}. Go on?", yes=yes):
        output.words("Nothing was changed.")
        return 0
    more = ("--with-logs",) if with_logs else ()
    return carry_out(session, work, again("destroy", vendors, profile, *more))
