"""The commands of Docker that one run of containers starts, and what they say."""

import re
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.stack.compose.client import Client
from bootstrap.stack.interface import LogLine
from bootstrap.stack.output import Output
from bootstrap.stack.service import DRAIN, StoppingError
from bootstrap.system.identity import sweep
from bootstrap.system.process import Group

_POLL = 0.05
#: what is worth a line of what Compose and BuildKit say: the steps of a build, and what takes long or fails.
#: The rest is in the log, and its end is shown when something fails.
_TELLING = re.compile(
    r"(?:#\d+ )?(\[\S+ +\d+/\d+\] .*|.*(?:Pull|[Ee]rror|ERROR|denied|Recreated|not found).*)"
)


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    lines: tuple[str, ...]


class Commands:
    """Every process that a run starts beside its containers; all of them end with it.

    `values` is what Compose interpolates. `output` makes the Output that an emitter belongs to.
    """

    def __init__(
        self,
        client: Client,
        run_id: str,
        values: Mapping[str, str],
        tell: Callable[[LogLine], None],
        output: Callable[[Callable[[LogLine], None]], Output],
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._values = values
        self._tell = tell
        self._groups: list[Group] = []
        self._spawning = threading.Lock()
        #: held by the one Compose command that is at work
        self._working = threading.Lock()
        self._heard: list[str] = []
        #: whether nothing of what is heard is told
        self._silent = True
        self.stopping = threading.Event()
        self.output = output(self._hear)

    def renew(self, values: Mapping[str, str]) -> None:
        """Let Compose interpolate these values in the place of others from now on."""
        self._values = {**self._values, **values}

    def compose(self, *arguments: str, silent: bool = False) -> Said:
        """Run a Compose command to its end; raises StoppingError where the run ends first."""
        with self._working:
            self._heard, self._silent = [], silent
            code = self._to_its_end(self.spawn(self._client.argv(*arguments), values=True))
            return Said(code, tuple(line for line in self._heard if line.strip()))

    def docker(self, *arguments: str) -> Said:
        """Run a short command of Docker itself; as `compose`."""
        with self._working:
            self._heard, self._silent = [], True
            code = self._to_its_end(self.spawn(("docker", *arguments)))
            return Said(code, tuple(self._heard))

    def spawn(self, argv: Sequence[str], *, values: bool = False) -> Group:
        """Start a command; raises StoppingError once the run is ending."""
        with self._spawning:
            if self.stopping.is_set():
                raise StoppingError
            for group in [group for group in self._groups if group.poll() is not None]:
                group.release()
                self._groups.remove(group)
            group = self._client.start(argv, self._run_id, self._values if values else None)
            self._groups.append(group)
        return group

    def _to_its_end(self, group: Group) -> int:
        reader = self.output.attach(group.output)
        while (code := group.poll()) is None:
            time.sleep(_POLL)
        reader.join(DRAIN)
        if self.stopping.is_set():
            raise StoppingError
        return code

    def _hear(self, line: LogLine) -> None:
        self._heard.append(line.text)
        telling = None if self._silent else _TELLING.fullmatch(line.text.strip())
        if telling is not None:
            self._tell(LogLine(line.service, telling[1]))

    def begin_to_stop(self) -> None:
        """Start nothing more, and ask what runs to end."""
        with self._spawning:
            self.stopping.set()
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """Kill what is left, and reap it."""
        self._signal(signal.SIGKILL)
        sweep(self._run_id, 0)
        for group in self._groups:
            group.release()
        self.output.close()

    def _signal(self, number: int) -> None:
        for group in self._groups:
            group.signal(number)
