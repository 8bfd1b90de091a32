"""An `up` of the Compose engine in a process of its own; its arguments: ROOT LAUNCHES CONTAINERS."""

import json
import os
import signal
import sys
from pathlib import Path

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.stack.interface import Containers, Launch, LogLine, PhaseChanged, Renewal
from bootstrap.stack.limits import Limits
from bootstrap.system.state import State

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would stay ignored, as it should
signal.signal(signal.SIGINT, signal.default_int_handler)
root = Path(sys.argv[1])
launches = [
    Launch(
        **{
            **each,
            "directory": root,
            "depends_on": tuple(each["depends_on"]),
            "watch": Path(each["watch"]) if each["watch"] else None,
        }
    )
    for each in json.loads(sys.argv[2])
]
given = json.loads(sys.argv[3])
engine = ComposeEngine(root, State(root, os.environ), os.environ, Limits(health=20, pauses=(0.2, 0.4)))


def check() -> None:
    """Refuse Compose files with a privileged container."""
    for name, definition in json.loads((root / "docker-compose.yml").read_text())["services"].items():
        if definition.get("privileged"):
            raise BootstrapError(f"{name} is privileged")


containers = Containers(
    overlay=given["overlay"],
    values=given["values"],
    hidden=tuple(given["hidden"]),
    built=frozenset(given["built"]),
    check=check,
)


def observe(event: PhaseChanged | LogLine) -> None:
    """Print an event as a line."""
    what = event.text if isinstance(event, LogLine) else f"{event.phase.name} {event.detail}".rstrip()
    print(f"{event.service}: {what}", flush=True)  # noqa: T201
    for line in event.output if isinstance(event, PhaseChanged) else ():
        print(f"{event.service}> {line}", flush=True)  # noqa: T201


due = [
    Renewal({name: {} for name in names}, values, tuple(values.values()), why)
    for names, values, why in given["renewals"]
]


def renewals() -> list[Renewal]:
    """Give what is to be renewed, once."""
    found = list(due)
    due.clear()
    return found


try:
    sys.exit(
        engine.up(
            launches,
            observe,
            ready=lambda: print("ready", flush=True),  # noqa: T201
            containers=containers,
            renewals=renewals,
        )
    )
except BootstrapError as error:
    print(f"refused: {error.message}", flush=True)  # noqa: T201
    sys.exit(9)
