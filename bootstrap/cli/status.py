"""`bootstrap status`."""

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.cli.waiting import waiting
from bootstrap.flows import engines
from bootstrap.flows.run import COLLECTOR
from bootstrap.flows.sessions import standing
from bootstrap.stack.interface import Phase

_ALIVE = (Phase.STARTING, Phase.HEALTHY, Phase.RESTARTING)


@verb()
def command(session: Session) -> None:
    r"""
    Show every service of the current or the last run, and when the AWS sessions of services end.

    \b
    Examples:
      bootstrap status
      bootstrap status --json
    """
    with waiting("the engine"):
        statuses = engines.current(session.root, session.state, session.environ, None).status()
    alive = any(status.phase in _ALIVE for status in statuses)
    standings = standing.recorded(session.state) if alive else []
    if session.as_json:
        output.json_document(
            [
                {
                    "service": status.name,
                    "phase": status.phase.name.lower(),
                    "detail": status.detail,
                    "pid": status.pid,
                    "port": status.port,
                    "uptime": status.uptime,
                    "aws": [standing.as_json(each) for each in standings if status.name in each.consumers],
                }
                for status in statuses
            ]
        )
    elif statuses:
        rows = [
            (
                status.name,
                _text(status.port),
                _text(status.pid),
                _duration(status.uptime),
                f"{status.phase.value}: {status.detail}" if status.detail else status.phase.value,
            )
            for status in statuses
        ]
        output.table(("SERVICE", "PORT", "PID", "UP FOR", "STATE"), rows)
        collector = session.state.read(COLLECTOR) or {}
        if "page" in collector and any(status.phase is Phase.HEALTHY for status in statuses):
            output.words(f"The dashboard: {collector['page']}")
        for each in standings:
            output.words(f"AWS key of {output.clean_value(standing.words(each))}")
    else:
        output.words("Nothing has run here yet. Start it: bootstrap up")


def _text(number: int | None) -> str:
    return "-" if number is None else str(number)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"
