"""What people see of a run: each service's lines under its name, and where everything is."""

import sys
from collections.abc import Sequence

import click

from bootstrap.cli import output, telemetry
from bootstrap.cli.session import Session
from bootstrap.flows import routing
from bootstrap.flows.run import COLLECTOR
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import LogLine, Phase, PhaseChanged

_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")


class Screen:
    """Prints what happens in a run, as it happens; without `lines`, not what the services write."""

    def __init__(self, *, as_json: bool, lines: bool) -> None:
        self._json = as_json
        self._lines = lines
        self._colours: dict[str, str] = {}
        self._width = 0
        self._failures: list[PhaseChanged] = []

    def names(self, names: Sequence[str]) -> None:
        """Give each service its colour, and all of them one width."""
        self._colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
        self._width = max(map(len, names), default=0)

    def show(self, event: PhaseChanged | LogLine) -> None:
        """Print one event."""
        if isinstance(event, PhaseChanged) and event.phase is Phase.FAILED:
            self._failures.append(event)
        if isinstance(event, LogLine) and not self._lines:
            return
        if self._json:
            output.json_line(_as_json(event))
        elif isinstance(event, LogLine):
            self._line(event.service, event.text)
        else:
            detail = f": {event.detail}" if event.detail else ""
            style = {Phase.HEALTHY: "green", Phase.FAILED: "red"}.get(event.phase)
            self._line(event.service, f"[{event.phase.value}{detail}]", style)

    def verdict(self, code: int) -> int:
        """Raise the first failure in the words of an error, so that it is the last thing to be read."""
        if code == 1 and self._failures:
            first = self._failures[0]
            hint = first.hint or f"Read it all: bootstrap logs {first.service}"
            raise BootstrapError(f"{first.service} failed: {first.detail}", hint)
        return code

    def _line(self, service: str, text: str, style: str | None = None) -> None:
        prefix, text = f"{service:<{self._width}} | ", output.clean(text)
        if output.colour_wanted(sys.stdout):
            prefix, text = click.style(prefix, fg=self._colours.get(service)), click.style(text, fg=style)
        output.raw(f"{prefix}{text}\n")


def _as_json(event: PhaseChanged | LogLine) -> dict[str, str]:
    if isinstance(event, LogLine):
        return {"event": "log", "service": event.service, "text": event.text}
    phase = event.phase.name.lower()
    return {"event": "phase", "service": event.service, "phase": phase, "detail": event.detail}


def announce(session: Session, running: Sequence[str]) -> None:
    """Say where the services that run are, and where their telemetry goes, once all are healthy."""
    collector = session.state.read(COLLECTOR) or {}
    services = [session.project.services[name] for name in running if name in session.project.services]
    urls = {item.name: session.workspace.url(item.port) for item in services if item.port is not None}
    if session.as_json:
        where = {key: collector.get(key) for key in ("url", "daemon", "token")}
        decisions = telemetry.as_json(routing.recorded(session.state))
        output.json_line({"event": "ready", "urls": urls, "collector": where, "telemetry": decisions})
        return
    lines = [(name, url + (session.project.services[name].health or "/")) for name, url in urls.items()]
    if collector:
        lines.append(("traces", str(collector["page"]).replace("/?token=", "/api/traces?token=")))
        daemon = f", {collector['daemon']} (X-Ray)" if collector["daemon"] else ""
        lines.append(("collector", f"{collector['url']} (OTLP/HTTP){daemon}"))
    lines += telemetry.lines(routing.recorded(session.state))
    width = max((len(name) for name, _ in lines), default=0)
    output.words()
    output.words("Everything is healthy.", style="green", bold=True)
    for name, text in lines:
        output.words(f"  {name:<{width}}  {text}")
