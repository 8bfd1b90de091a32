"""`bootstrap secrets copy`."""

import click

from bootstrap.cli import output
from bootstrap.cli.secrets.shared import Report, names_argument, nothing, profile_option, store_option, warn
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets import choice, copying
from bootstrap.flows.secrets.keep import check_names, check_takes


@verb()
@names_argument()
@store_option("--from", "origin", help="Where the values are.", required=True)
@store_option("--to", "target", help="Where they are to be.", required=True)
@profile_option()
@click.option("--dry-run", is_flag=True, help="Only say what would be copied.")
@click.option("--again", is_flag=True, help="Send again what a store that cannot be read was sent before.")
def command(
    session: Session,
    names: tuple[str, ...],
    *,
    origin: str,
    target: str,
    aws_profile: str | None,
    dry_run: bool,
    again: bool,
) -> int:
    r"""
    Copy NAMEs, or all secrets, from one store to another.

    What is there already is not written again, so the same command finishes what an interrupted one began.
    The store that this project uses stays the same: see `bootstrap secrets use`.

    \b
    Examples:
      bootstrap secrets copy --from gitpod --to keyring --dry-run
      bootstrap secrets copy --from keyring --to ssm --aws-profile admin
      bootstrap secrets copy --from environment --to file HONEYCOMB_API_KEY
    """
    specs = secret_specs(session.project)
    check_names(names, specs, undeclared=True)
    session.use_profile(aws_profile)
    source = choice.named(session.place, origin)
    goal = choice.named(session.place, target)
    check_takes(goal)
    copy = copying.prepare(session.place, source, goal, names=names, declared=tuple(specs), again=again)
    if copy.left:
        output.words(f"No secrets, left out: {', '.join(copy.left)}")
    if copy.missing and names:
        output.words(f"Not in {source.name}: {', '.join(copy.missing)}", style="yellow")
    if not copy.values:
        output.words(f"{source.name} has nothing to copy.")
        return nothing(session) or int(bool(names))
    if dry_run:
        _show(session, copying.plan(copy))
        return 0
    warn(goal)
    report = Report(session, goal, total=len(copy.values), quiet=len(copy.values) > _MANY)
    report.follow(copying.run(session.place, copy), tuple(copy.values))
    if not session.as_json:
        output.words(f"{len(report.done)} of {len(copy.values)} are in {goal.name} now.")
    return report.finish()


#: with more names than this only failures are printed one by one
_MANY = 20


def _show(session: Session, plan: dict[str, copying.Step]) -> None:
    if session.as_json:
        output.json_document({name: step.name.lower() for name, step in plan.items()})
        return
    output.table(("NAME", "WOULD BE"), [(name, step.value) for name, step in plan.items()])
