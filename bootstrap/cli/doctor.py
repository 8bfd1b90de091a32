"""`bootstrap doctor`."""

from collections.abc import Iterator

from bootstrap.cli import output
from bootstrap.cli.session import OPTIONS, Session
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows.doctor import Place, examine
from bootstrap.model.errors import ProblemsFoundError
from bootstrap.model.remark import Mark, Remark

_STYLES = {Mark.OK: "green", Mark.NOTE: "yellow", Mark.PROBLEM: "red"}


@verb()
def command(session: Session) -> int:
    r"""
    Check this machine and this project, and say what to type next.

    Changes nothing. Exits 5 when something is a problem.

    \b
    Examples:
      bootstrap doctor
      bootstrap doctor --json
    """
    place = Place(
        session.start, session.environ, session.workspace, session.lookup, OPTIONS, lambda: session.place
    )
    findings = []
    looking = examine(place)
    while (finding := _next(looking)) is not None:
        findings.append(finding)
        if not session.as_json:
            _show(finding)
    if session.as_json:
        output.json_document(
            [
                {"subject": item.subject, "mark": item.mark.value, "text": item.text, "hint": item.hint}
                for item in findings
            ]
        )
    problems = [item for item in findings if item.mark is Mark.PROBLEM]
    if session.as_json:
        return ProblemsFoundError.exit_code if problems else 0
    if problems:
        raise ProblemsFoundError(
            f"{len(problems)} problem{'s' * (len(problems) > 1)} found", f"First: {problems[0].hint}"
        )
    return 0


def _next(looking: Iterator[Remark]) -> Remark | None:
    with waiting("whoever is asked next"):
        return next(looking, None)


def _show(finding: Remark) -> None:
    output.data(
        f"{finding.mark.value:<8} {finding.subject:<12} {output.clean_value(finding.text)}",
        style=_STYLES[finding.mark],
    )
    if finding.hint:
        output.data(f"{'':<21} {output.clean_value(finding.hint)}")
