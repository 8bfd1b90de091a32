"""`bootstrap secrets check`."""

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets.check import check
from bootstrap.model.errors import ProblemsFoundError, RemoteRefusedError
from bootstrap.model.remark import Mark, Remark

_STYLES = {Mark.OK: "green", Mark.NOTE: "yellow", Mark.PROBLEM: "red", Mark.UNKNOWN: "magenta"}


@verb()
@click.option("--online", is_flag=True, help="Ask the vendors whether the keys work, and what they may do.")
def command(session: Session, *, online: bool) -> int:
    r"""
    Say which secrets are missing, and which cannot be right. No value is shown.

    Keys are known by their looks: which kind each one is, what that kind is good for, and what goes wrong
    with copy and paste. With --online, Honeycomb, Rollbar and AWS are asked about the keys that look right;
    nothing is changed there. Exits 5 when something is a problem, 4 when a vendor could not be asked.

    \b
    Examples:
      bootstrap secrets check
      bootstrap secrets check --online
      bootstrap secrets check --json
    """
    remarks = []
    specs = secret_specs(session.project)
    width = max(map(len, specs), default=0)
    asked_in = session.environ if online else None
    for remark in check(session.project, specs, session.lookup, online=asked_in):
        remarks.append(remark)
        if not session.as_json:
            _show(remark, width)
    if session.as_json:
        output.json_document([_as_json(remark) for remark in remarks])
    return _conclude(remarks)


def _show(remark: Remark, width: int) -> None:
    line = f"{remark.mark.value:<8} {remark.subject:<{width}}  {output.clean_value(remark.text)}"
    output.data(line, style=_STYLES[remark.mark])
    if remark.hint:
        output.data(f"{'':<{width + 11}}{output.clean_value(remark.hint)}")


def _as_json(remark: Remark) -> dict[str, str]:
    return {
        "subject": remark.subject,
        "mark": remark.mark.value,
        "text": remark.text,
        "hint": remark.hint,
    }


def _conclude(remarks: list[Remark]) -> int:
    """Put the outcome into a line and the exit code; a key that does not work is a problem, whoever said so.

    Nothing is raised, because what is raised would become a second JSON document.
    """
    problems = [remark for remark in remarks if remark.mark is Mark.PROBLEM]
    if problems:
        plural = "s" * (len(problems) > 1)
        output.error(f"{len(problems)} problem{plural} found", f"First: {problems[0].hint}")
        return ProblemsFoundError.exit_code
    unasked = [remark for remark in remarks if remark.mark is Mark.UNKNOWN]
    if unasked:
        names = ", ".join(dict.fromkeys(remark.subject for remark in unasked))
        output.error(f"nobody could be asked about {names}", unasked[0].hint)
        return RemoteRefusedError.exit_code
    return 0
