"""Reads what containers write, each from its first line to its last, through all its lives."""

import contextlib
import threading
from collections.abc import Iterable, Mapping

from bootstrap.stack.compose.client import Container
from bootstrap.stack.compose.commands import Commands
from bootstrap.stack.compose.events import Happened
from bootstrap.stack.output import Output
from bootstrap.stack.service import StoppingError

#: characters of a container's id that all of Docker's commands print
_SHORT = 12


class Followers:
    """Hands what each service's container writes to its output. Any thread may call any method."""

    def __init__(self, commands: Commands, outputs: Mapping[str, Output]) -> None:
        self._commands = commands
        self._outputs = outputs
        self._lock = threading.Lock()
        #: containers whose output is being read
        self._followed: set[str] = set()
        #: when each container last ended, in seconds since the epoch by Docker's clock
        self._died: dict[str, float] = {}

    def follow(self, containers: Iterable[Container], *window: str) -> None:
        """Read what those that run write, unless somebody does; `window` are options of docker logs."""
        for container in containers:
            if container.running:
                self._follow(container.service, container.id, window)

    def started(self, event: Happened) -> None:
        """A container runs, for the first time or again."""
        self._follow(event.service, event.container, ())

    def died(self, event: Happened) -> None:
        """A container has ended; what it writes from now on is another life's."""
        with self._lock:
            self._followed.discard(event.container[:_SHORT])
            self._died[event.container[:_SHORT]] = event.when

    def _follow(self, service: str, container: str, window: tuple[str, ...]) -> None:
        container = container[:_SHORT]
        with self._lock:
            if container in self._followed or service not in self._outputs:
                return
            self._followed.add(container)
            # Docker keeps one log through all lives of a container.
            before = self._died.get(container)
        since = ("--since", f"{before:.6f}") if before else window
        with contextlib.suppress(StoppingError):
            group = self._commands.spawn(("docker", "logs", "--follow", *since, container))
            self._outputs[service].attach(group.output)
