"""Brings one service of a run from nothing to healthy, in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.stack.interface import Launch, LogLine, Phase, PhaseChanged
from bootstrap.stack.output import Output
from bootstrap.stack.readiness import ended, wait_until_ready
from bootstrap.stack.record import Recorder
from bootstrap.stack.setup import Preparation
from bootstrap.system.process import Group, start

_TICK = 0.2
_POLL = 0.02
#: how long the last output of a process that has ended may take; a grandchild can hold its pipe open
DRAIN = 1.0


class StoppingError(Exception):
    """The run is ending: takes a thread out of what it was doing."""


@dataclass(eq=False)
class Run:
    """What the services of one run share."""

    run_id: str
    base: Mapping[str, str]
    #: seconds until a service counts as not getting healthy
    patience: float
    mask: Mask
    recorder: Recorder
    tell: Callable[[PhaseChanged | LogLine], None]
    stopping: threading.Event = field(default_factory=threading.Event)
    #: held while a process is started, and while `stopping` is set: nothing starts after that
    spawning: threading.Lock = field(default_factory=threading.Lock)

    def go_on(self) -> None:
        """Raise StoppingError once the run is ending."""
        if self.stopping.is_set():
            raise StoppingError


class Service:
    """One service of a run."""

    def __init__(self, launch: Launch, preparation: Preparation, output: Output, run: Run) -> None:
        self.launch = launch
        self.group: Group | None = None
        self.reader: threading.Thread | None = None
        self.phase = Phase.STOPPED
        self._healthy = threading.Event()
        self._preparation = preparation
        self._output = output
        self._run = run

    def prepare(self) -> None:
        """Run the setup if it is due; raises BootstrapError when it fails."""
        if self._preparation.due():
            self._enter(Phase.SETUP, self.launch.setup or "")
            self._preparation.perform(self._execute)

    def start(self, dependencies: Iterable["Service"]) -> None:
        """Start it once the others are healthy and wait for its health; raises BootstrapError without it."""
        for other in dependencies:
            while not other._healthy.wait(_TICK):  # noqa: SLF001  one of its own kind
                self._run.go_on()
        self._enter(Phase.STARTING)
        command = self.launch.command
        argv = ("/bin/sh", "-c", command) if isinstance(command, str) else command
        group = self._spawn(argv, secrets=True)
        wait_until_ready(self.launch, group, self._run.patience, self._run.stopping)
        self._run.go_on()
        self._enter(Phase.HEALTHY)
        self._healthy.set()

    def ended(self) -> int | None:
        """The exit code of a service that was healthy; None otherwise."""
        return self.group.poll() if self.group is not None and self._healthy.is_set() else None

    def fail(self, error: BootstrapError) -> None:
        """Say that it failed, with the last lines that it wrote."""
        if self.reader is not None and self.group is not None and self.group.poll() is not None:
            self.reader.join(DRAIN)
        hint = error.hint or f"`bootstrap logs {self.launch.name}` shows all that it wrote."
        self._enter(Phase.FAILED, error.message, hint, self._output.last())

    def close(self) -> None:
        """Say that it has stopped."""
        if self.phase not in (Phase.FAILED, Phase.STOPPED):
            self._enter(Phase.STOPPED)
        self._output.close()

    def _execute(self, argv: Sequence[str]) -> None:
        """Run a command of the setup to its end."""
        group = self._spawn(argv, secrets=False)
        while (code := group.poll()) is None:
            time.sleep(_POLL)
        self._run.go_on()
        if code:
            hint = f"Correct services.{self.launch.name}.setup in bootstrap.toml, or what it needs."
            raise BootstrapError(f"setup {ended(code)}", hint)

    def _spawn(self, argv: Sequence[str], *, secrets: bool) -> Group:
        """Start the next process of this service."""
        environ = self._preparation.environment(self._run.base, secrets=secrets)
        # Python writes to a pipe in blocks, and its lines would come late.
        environ.setdefault("PYTHONUNBUFFERED", "1")
        with self._run.spawning:
            self._run.go_on()
            if self.group is not None:
                self.group.release()
            self.group = start(
                argv,
                environ=environ,
                directory=self.launch.directory,
                run_id=self._run.run_id,
                descriptors=self.launch.descriptors,
            )
            self.reader = self._output.attach(self.group.output)
        self._run.recorder.started(self.launch.name, self.group.identity)
        return self.group

    def _enter(self, phase: Phase, detail: str = "", hint: str = "", output: tuple[str, ...] = ()) -> None:
        self.phase = phase
        detail = self._run.mask(detail)
        self._run.recorder.entered(self.launch.name, phase, detail)
        self._run.tell(PhaseChanged(self.launch.name, phase, detail, hint, output))
