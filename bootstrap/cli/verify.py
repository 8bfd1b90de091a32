"""`bootstrap verify`."""

from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.names import complete_service
from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import handing_out, raw_keys_option
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import engines
from bootstrap.flows.verify import Surroundings, lines_of, verify
from bootstrap.model.errors import BootstrapError, ProblemsFoundError
from bootstrap.verification.interface import Arrival, Finding, Probe, Report

_STYLES = {Arrival.ARRIVED: "green", Arrival.ACCEPTED: "yellow", Arrival.MISSING: "red"}


@verb()
@click.option(
    "--service",
    "services",
    metavar="SERVICE",
    multiple=True,
    shell_complete=complete_service,
    help="Only this service; may be given several times.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    metavar="SECONDS",
    help="How long to wait for what has not arrived: 30 here, 90 where a vendor itself is asked.",
)
@click.option(
    "--profile", metavar="NAME", help="Ask with the keys of this AWS profile, instead of the project's own."
)
@raw_keys_option()
@click.option("--strict", is_flag=True, help="What was accepted and cannot be read back is a problem, too.")
def command(
    session: Session,
    services: tuple[str, ...],
    *,
    timeout: float | None,
    profile: str | None,
    raw_aws_keys: bool,
    strict: bool,
) -> int:
    r"""
    Send each service marked requests, and read back what arrived from every vendor.

    The requests (`probe` in the manifest says which) all belong to one trace, whose id is looked up in the
    collector on this machine or at the vendors themselves, wherever the current run reports to. Exits 5 when
    something has not arrived, 3 when nothing runs.

    \b
    Examples:
      bootstrap verify
      bootstrap verify --service backend-flask --timeout 60
      bootstrap verify --strict --json
    """
    refusals: list[BootstrapError] = []
    here = Surroundings(
        project=session.project,
        state=session.state,
        give=handing_out(
            session, profile=profile, raw=raw_aws_keys, fail=lambda _, error: refusals.append(error)
        ),
        refused=lambda: next(iter(refusals), None),
        environ=session.environ,
        patiently=waiting,
        say=output.words,
        sidecar_lines=lines_of(engines.current(session.root, session.state, session.environ, None)),
    )
    report = verify(here, only=services, timeout=timeout)
    problems = report.problems(strict=strict)
    if session.as_json:
        output.json_document(_document(report, len(problems)))
        return ProblemsFoundError.exit_code if problems else 0
    _show(report)
    if problems:
        first = problems[0]
        raise ProblemsFoundError(
            f"{first.title} of {first.service}: {first.detail}"
            + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            first.hint,
        )
    return 0


def _show(report: Report) -> None:
    rows = [_row(finding) for finding in report.findings]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for finding, row in zip(report.findings, rows, strict=True):
        cells = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        output.data(f"{cells}  {output.clean_value(finding.detail)}", style=_STYLES.get(finding.state))
        for line in _below(finding):
            output.data(f"{'':<{sum(widths) + 8}}{output.clean_value(line)}")
    arrived = sum(finding.state is Arrival.ARRIVED for finding in report.findings)
    output.words(f"{arrived} of {len(report.findings)} arrived: {_traces(report.probes)}")


def _row(finding: Finding) -> tuple[str, str, str, str]:
    after = "" if finding.latency is None else f"{finding.latency:.1f} s"
    return finding.service, finding.title or "-", finding.state.value, after


def _below(finding: Finding) -> list[str]:
    """What a finding has beside its one line."""
    shown = [f"{name} = {value}" for name, value in finding.evidence]
    return [*shown, *filter(None, (finding.link, finding.hint))]


def _traces(probes: tuple[Probe, ...]) -> str:
    return ", ".join(f"{probe.service} in {probe.trace_id}" for probe in probes) or "nothing was asked"


def _document(report: Report, problems: int) -> dict[str, Any]:
    return {
        "problems": problems,
        "probes": [
            {
                "service": probe.service,
                "otel_service_name": probe.otel_name,
                "trace_id": probe.trace_id,
                "xray_trace_id": probe.xray_id,
                "sent_at": probe.sent_at,
                "requests": [
                    {"path": reply.path, "status": reply.status, "problem": reply.problem}
                    for reply in probe.replies
                ],
            }
            for probe in report.probes
        ],
        "findings": [
            {
                "service": finding.service,
                "vendor": finding.vendor or None,
                "state": finding.state.value,
                "detail": finding.detail,
                "seconds": None if finding.latency is None else round(finding.latency, 2),
                "link": finding.link or None,
                "hint": finding.hint or None,
                "evidence": dict(finding.evidence),
            }
            for finding in report.findings
        ],
    }
