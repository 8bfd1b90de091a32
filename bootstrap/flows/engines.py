"""Which engine runs a project, and why that one."""

from collections.abc import Mapping
from pathlib import Path

from bootstrap.flows.environment import scrubbed
from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.project import Project
from bootstrap.stack import ENGINES
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.stack.interface import Engine
from bootstrap.system.state import State

_SUBJECT = "engine"
#: an engine of containers is chosen by itself only where there is something that it can run
_FALLBACK = "process"


def choose(
    root: Path,
    state: State,
    environ: Mapping[str, str],
    project: Project,
    *,
    wanted: str | None,
) -> tuple[Engine, str]:
    """Make the engine for a new run, and say in words why it is this one.

    `wanted` names one; without it the last one that ran here is taken again, else the first that works.
    Raises NotConfiguredError where none can.
    """
    base = scrubbed(environ, project)
    last = _last(state, healthy=True)
    names = [wanted] if wanted else [*([last] if last else []), *(name for name in ENGINES if name != last)]
    reasons: list[str] = []
    for name in names:
        engine = ENGINES[name](root, state, base)
        if isinstance(engine, ComposeEngine):
            engine.client.choice = project.files
        reason = _unfit(engine) or engine.unavailable()
        if reason is None:
            return engine, _why(name, wanted, last, reasons)
        reasons.append(f"{name}: {reason}")
    hint = f"Use the other one: bootstrap up --engine {_other(wanted)}" if wanted else ""
    raise NotConfiguredError(f"no engine can run this project ({'; '.join(reasons)})", hint)


def _unfit(engine: Engine) -> str | None:
    """Say why an engine cannot run this very project."""
    if isinstance(engine, ComposeEngine) and engine.client.file() is None:
        return "there is no docker-compose.yml (bootstrap render makes it)"
    return None


def _other(name: str) -> str:
    return next(other for other in ENGINES if other != name)


def _why(name: str, wanted: str | None, last: str | None, reasons: list[str]) -> str:
    if wanted:
        return "you chose it"
    if name == last:
        return "it ran last here"
    return "; ".join(reasons) or "a container engine answers"


def remember(state: State, engine: Engine, *, healthy: bool) -> None:
    """Keep in mind which engine runs here now, and whether everything was `healthy` with it."""
    before = state.read(_SUBJECT) or {}
    healthy = healthy or (before.get("name") == engine.name and before.get("healthy") is True)
    state.write(_SUBJECT, {"name": engine.name, "healthy": healthy})


def current(root: Path, state: State, environ: Mapping[str, str], project: Project | None) -> Engine:
    """Make the engine that ran last, for whoever asks about its run or ends it."""
    base = dict(environ) if project is None else scrubbed(environ, project)
    return ENGINES[_last(state) or _FALLBACK](root, state, base)


def _last(state: State, *, healthy: bool = False) -> str | None:
    """The name of the engine that ran last; `healthy`: only if everything was with it."""
    written = state.read(_SUBJECT) or {}
    name = written.get("name")
    return name if name in ENGINES and (written.get("healthy") is True or not healthy) else None
