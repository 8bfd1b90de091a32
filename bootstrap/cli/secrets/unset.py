"""`bootstrap secrets unset`."""

from bootstrap.cli import output
from bootstrap.cli.secrets.shared import (
    Report,
    names_argument,
    next_command,
    profile_option,
    shadowed,
    store_for,
    store_option,
)
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets.keep import check_forms, forget, undeclared_name
from bootstrap.secrets.interface import Fate


@verb()
@names_argument(required=True)
@store_option(help="Forget them there, this time.")
@profile_option()
def command(session: Session, names: tuple[str, ...], *, store: str | None, aws_profile: str | None) -> int:
    r"""
    Forget the values of NAMEs.

    Where shells see a change only at the next start of the workspace, what runs next sees it all the same.

    \b
    Examples:
      bootstrap secrets unset HONEYCOMB_API_KEY
      bootstrap secrets unset HONEYCOMB_API_KEY ROLLBAR_ACCESS_TOKEN --store keyring
    """
    specs = secret_specs(session.project)
    check_forms(names, specs)
    target = store_for(session, store, aws_profile)
    report = Report(session, target, total=len(names))
    report.follow(forget(session.place, target, names), names)
    for outcome in report.outcomes:
        if outcome.fate is Fate.ABSENT and outcome.name not in specs:
            output.words(undeclared_name(outcome.name, specs), style="yellow")
    shadowed(session, report.done, None)
    return report.finish(next_command(session, report.done))
