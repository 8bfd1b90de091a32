"""What people see of a run: each service's lines under its name, and where everything is."""

import sys
from collections.abc import Iterable, Sequence
from itertools import cycle

import click

from bootstrap.cli import output, telemetry
from bootstrap.cli.session import Session
from bootstrap.flows import routing
from bootstrap.flows.run import COLLECTOR
from bootstrap.flows.sessions import standing
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import LogLine, Phase, PhaseChanged

_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
_STYLES = {Phase.HEALTHY: "green", Phase.RESTARTING: "yellow", Phase.FAILED: "red"}


class Columns:
    """Lines under the names of who wrote them: one width, and in a terminal a colour for each name."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        # By name, so that a service has one colour in every command.
        self._colours = dict(zip(sorted(names), cycle(_COLOURS), strict=False))
        self._width = max(map(len, self._colours), default=0)

    def line(self, service: str, text: str, style: str | None = None) -> None:
        """Print one line."""
        prefix, text = f"{service:<{self._width}} | ", output.clean(text)
        if output.colour_wanted(sys.stdout):
            prefix, text = click.style(prefix, fg=self._colours.get(service)), click.style(text, fg=style)
        output.raw(f"{prefix}{text}\n")


class Screen:
    """Prints what happens in a run, as it happens; without `lines`, not what the services write."""

    def __init__(self, *, as_json: bool, lines: bool) -> None:
        self._json = as_json
        self._lines = lines
        self._columns = Columns()
        self._failure: PhaseChanged | None = None

    def names(self, names: Sequence[str]) -> None:
        """Give each service its colour, and all of them one width."""
        self._columns = Columns(names)

    def show(self, event: PhaseChanged | LogLine) -> None:
        """Print one event."""
        if isinstance(event, PhaseChanged) and event.phase is Phase.FAILED:
            self._failure = event  # the last one ends the run; a reload that fails does not
        if isinstance(event, LogLine) and not self._lines:
            return
        if self._json:
            output.json_line(_as_json(event))
        elif isinstance(event, LogLine):
            self._columns.line(event.service, event.text)
        else:
            for text in event.output if not self._lines else ():
                self._columns.line(event.service, text)
            detail = f": {event.detail}" if event.detail else ""
            self._columns.line(event.service, f"[{event.phase.value}{detail}]", _STYLES.get(event.phase))

    def verdict(self, code: int) -> int:
        """Raise what has ended the run in the words of an error, so that it is the last thing to be read."""
        if code == 1 and self._failure is not None:
            name, detail = self._failure.service, self._failure.detail
            hint = self._failure.hint or f"Read it all: bootstrap logs {name}"
            raise BootstrapError(f"{name} failed: {detail}", hint)
        return code


def _as_json(event: PhaseChanged | LogLine) -> dict[str, str]:
    if isinstance(event, LogLine):
        return {"event": "log", "service": event.service, "text": event.text}
    phase = event.phase.name.lower()
    return {"event": "phase", "service": event.service, "phase": phase, "detail": event.detail}


def announce(session: Session, running: Sequence[str], *, stop: str) -> None:
    """Say where the services that run are, and where their telemetry goes, once all are healthy.

    `stop` is what ends it.
    """
    collector = session.state.read(COLLECTOR) or {}
    services = [session.project.services[name] for name in running if name in session.project.services]
    urls = {item.name: session.workspace.url(item.port) for item in services if item.port is not None}
    if session.as_json:
        where = {key: collector.get(key) for key in ("url", "daemon", "token")}
        decisions = telemetry.as_json(routing.recorded(session.state))
        keys = [standing.as_json(each) for each in standing.recorded(session.state)]
        output.json_line(
            {"event": "ready", "urls": urls, "collector": where, "telemetry": decisions, "aws": keys}
        )
        return
    lines = [(name, url + (session.project.services[name].health or "/")) for name, url in urls.items()]
    if collector:
        lines.append(("dashboard", str(collector["page"])))
        daemon = f", {collector['daemon']} (X-Ray)" if collector["daemon"] else ""
        lines.append(("collector", f"{collector['url']} (OTLP/HTTP){daemon}"))
    lines += telemetry.lines(routing.recorded(session.state))
    lines += [
        ("AWS key", output.clean_value(standing.words(each))) for each in standing.recorded(session.state)
    ]
    width = max((len(name) for name, _ in lines), default=0)
    output.words()
    output.words("Everything is healthy.", style="green", bold=True)
    for name, text in lines:
        output.words(f"  {name:<{width}}  {text}")
    arrives = "See that it arrives: bootstrap verify. " if routing.recorded(session.state) else ""
    output.words(f"{arrives}{stop} stops everything.")
