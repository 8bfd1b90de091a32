"""`bootstrap up`."""

import sys
from collections.abc import Sequence

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows import stack
from bootstrap.flows.detach import detach as start_detached
from bootstrap.flows.run import COLLECTOR
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import LogLine, Phase, PhaseChanged

_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
_WAIT = 120.0


@verb()
@click.argument("services", nargs=-1)
@click.option("-d", "--detach", is_flag=True, help="Return once everything is healthy, and leave it running.")
@click.option("--prepare", is_flag=True, help="Only run the services' set-up; start nothing.")
def command(session: Session, services: tuple[str, ...], *, detach: bool, prepare: bool) -> int:
    r"""
    Run the services (or only SERVICES and what they need) and the telemetry collector.

    No account is needed: what the services report stays on this machine, where you can read it. Ctrl-C stops
    everything.

    \b
    Examples:
      bootstrap up
      bootstrap up --detach
      bootstrap up backend-flask
    """
    if detach:
        code = start_detached(
            session.root, session.state, session.environ, services, output.words, timeout=_WAIT
        )
        if code == 0:
            _announce(session, ())
        return code
    engine = stack.engine_for(session.root, session.state, session.environ, session.project)
    screen = _Screen(session)
    if prepare:
        return screen.verdict(
            engine.prepare(stack.preparation(session.root, session.project, services), screen.show)
        )
    engine.reclaim()
    run = stack.plan_run(session.root, session.project, session.workspace, session.stores, services)
    screen.names([launch.name for launch in run.launches])
    for name in run.skipped:
        output.words(f"{name} is only an image, which needs a container engine: skipped.", style="yellow")
    output.words(f"Starting {len(run.launches)} processes with the {engine.name} engine.")
    code = engine.up(run.launches, screen.show, ready=lambda: _announce(session, run.telemetry))
    return screen.verdict(code)


class _Screen:
    """Prints what the services write, each line under its service's name."""

    def __init__(self, session: Session) -> None:
        self._json = session.as_json
        self._colours: dict[str, str] = {}
        self._width = 0
        self._failures: list[PhaseChanged] = []

    def verdict(self, code: int) -> int:
        """Raise the first failure in the words of an error, so that it is the last thing to be read."""
        if code == 1 and self._failures:
            first = self._failures[0]
            raise BootstrapError(
                f"{first.service} failed: {first.detail}",
                first.hint or f"Read it all: bootstrap logs {first.service}",
            )
        return code

    def names(self, names: Sequence[str]) -> None:
        """Give each service its colour, and all of them one width."""
        self._colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
        self._width = max(map(len, names), default=0)

    def show(self, event: PhaseChanged | LogLine) -> None:
        """Print one event."""
        if isinstance(event, PhaseChanged) and event.phase is Phase.FAILED:
            self._failures.append(event)
        if self._json:
            output.json_line(_as_json(event))
        elif isinstance(event, LogLine):
            self._line(event.service, event.text)
        else:
            detail = f": {event.detail}" if event.detail else ""
            style = {Phase.HEALTHY: "green", Phase.FAILED: "red"}.get(event.phase)
            self._line(event.service, f"[{event.phase.value}{detail}]", style)

    def _line(self, service: str, text: str, style: str | None = None) -> None:
        prefix = f"{service:<{self._width}} | "
        if output.colour_wanted(sys.stdout):
            prefix = click.style(prefix, fg=self._colours.get(service))
            output.raw(prefix + click.style(output.clean(text), fg=style) + "\n")
        else:
            output.raw(prefix + output.clean(text) + "\n")


def _as_json(event: PhaseChanged | LogLine) -> dict[str, str]:
    if isinstance(event, LogLine):
        return {"event": "log", "service": event.service, "text": event.text}
    return {
        "event": "phase",
        "service": event.service,
        "phase": event.phase.name.lower(),
        "detail": event.detail,
    }


def _announce(session: Session, telemetry: Sequence[stack.Telemetry]) -> None:
    """Say where everything is, once it is healthy."""
    collector = session.state.read(COLLECTOR) or {}
    urls = [
        (service.name, session.workspace.url(service.port))
        for service in session.project.services.values()
        if service.port is not None and service.build is not None
    ]
    if session.as_json:
        output.json_line(
            {
                "event": "ready",
                "urls": dict(urls),
                "collector": {k: collector.get(k) for k in ("url", "token")},
            }
        )
        return
    lines = [(name, url + (session.project.services[name].health or "/")) for name, url in urls]
    if collector:
        lines.append(("traces", _traces(str(collector["page"]))))
        lines.append(("collector", f"{collector['url']} (OTLP/HTTP), {collector['daemon']} (X-Ray)"))
    lines += [(item.title, f"{item.route}: {item.reason}") for item in telemetry]
    width = max(len(name) for name, _ in lines)
    output.words()
    output.words("Everything is healthy.", style="green", bold=True)
    for name, text in lines:
        output.words(f"  {name:<{width}}  {text}")


def _traces(page: str) -> str:
    return page.replace("/?token=", "/api/traces?token=")
