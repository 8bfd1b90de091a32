"""One service of a run: brings it from nothing to healthy and keeps it there, in a thread of its own."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.stack.interface import TRIED_AGAIN, Launch, LogLine, Phase, PhaseChanged
from bootstrap.stack.limits import Limits
from bootstrap.stack.output import Output
from bootstrap.stack.readiness import check_port, ended, wait_until_ready
from bootstrap.stack.record import Recorder
from bootstrap.stack.setup import Preparation
from bootstrap.system.identity import living, part_of, sweep
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
    limits: Limits
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
    """One service of a run. `prepare`, `start` and `keep` are its own thread's; the rest is for any."""

    def __init__(self, launch: Launch, preparation: Preparation, output: Output, run: Run) -> None:
        self.launch = launch
        self.group: Group | None = None
        self.reader: threading.Thread | None = None
        self.phase = Phase.STOPPED
        #: when its process was started (time.time)
        self.started = 0.0
        self._healthy = threading.Event()
        self._healthy_since = 0.0
        self._attempts = 0
        #: set while it is to start again although it has not ended by itself, or to stop for good
        self._told = threading.Event()
        #: held while it enters a phase that a `restart` meanwhile would make untrue
        self._settling = threading.RLock()
        #: what serves, and may be told to end; None during a setup
        self._serving: Group | None = None
        #: what has changed in its environment since it was launched; its setup sees none of it
        self._renewed: dict[str, str] = {}
        self._preparation = preparation
        self._output = output
        self._run = run

    @property
    def healthy(self) -> bool:
        """Whether it is healthy now."""
        return self._healthy.is_set()

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
        while not self._attempt():
            self._end()
            self.prepare()

    def keep(self) -> None:
        """Start it again whenever it ends; raises BootstrapError when that is in vain, time and again."""
        while self._serving is not None:
            code = self._serving.wait()
            self._run.go_on()
            with self._settling:
                self._healthy.clear()
                told = self._told.is_set()
            if told:
                self._start_again()
            else:
                self._recover(ended(code))

    def restart(self, why: str) -> None:
        """Have it start again, whatever it is doing; returns at once."""
        with self._settling:
            if self._run.stopping.is_set():
                return
            self._told.set()
            self._healthy.clear()
            self._enter(Phase.RESTARTING, why, told=True)
            group = self._serving
        if group is not None:
            group.signal(signal.SIGTERM)
            impatient = threading.Timer(self._run.limits.grace, group.signal, (signal.SIGKILL,))
            impatient.daemon = True
            impatient.start()

    def renew(self, values: Mapping[str, str], why: str) -> None:
        """Have it start again with other values of some variables; returns at once."""
        self._renewed = {**self._renewed, **values}
        self.restart(why)

    def wake(self) -> None:
        """Take its thread out of a pause, to see that the run is ending."""
        self._told.set()

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

    def _attempt(self) -> bool:
        """Start its command and wait for its health; False when somebody wants another start meanwhile."""
        with self._settling:
            # What was wanted until now, this start does.
            self._told.clear()
            self._enter(Phase.STARTING)
        command = self.launch.command
        argv = ("/bin/sh", "-c", command) if isinstance(command, str) else command
        group = self._spawn(argv, serves=True)
        wait_until_ready(self.launch, group, self._run.limits.health, self._told, self._still_waiting)
        self._run.go_on()
        with self._settling:
            if self._told.is_set():
                return False
            self._enter(Phase.HEALTHY)
            self._healthy_since = time.monotonic()
            self._healthy.set()
        return True

    def _still_waiting(self, what: str) -> None:
        with self._settling:
            if not self._told.is_set():
                self._enter(Phase.STARTING, what)

    def _start_again(self) -> None:
        """Start it because somebody wants it; when that fails, wait until somebody wants it again."""
        self._attempts = 0
        while True:
            try:
                self._end()
                self.prepare()
                check_port(self.launch)
                if self._attempt():
                    return
            except BootstrapError as error:
                self._fail_for_now(error)
                self._end()
                self._told.wait()
            self._run.go_on()

    def _fail_for_now(self, error: BootstrapError) -> None:
        with self._settling:
            if not self._told.is_set():
                self.fail(BootstrapError(error.message + TRIED_AGAIN, error.hint))

    def _recover(self, what: str) -> None:
        """Start it after it has ended by itself, each time after a longer pause."""
        pauses = self._run.limits.pauses
        if time.monotonic() - self._healthy_since >= self._run.limits.recovered:
            self._attempts = 0
        while self._attempts < len(pauses):
            pause = pauses[self._attempts]
            self._attempts += 1
            attempt = f"attempt {self._attempts} of {len(pauses)}"
            self._enter(Phase.RESTARTING, f"{what}; starting again in {pause:g} s ({attempt})")
            self._end()
            if self._told.wait(pause):
                self._run.go_on()
                self._start_again()
                return
            try:
                check_port(self.launch)
                if not self._attempt():
                    self._start_again()
            except BootstrapError as error:
                what = error.message
            else:
                return
        raise BootstrapError(f"{what}, after {len(pauses)} attempts to start it again")

    def _execute(self, argv: Sequence[str]) -> None:
        """Run a command of the setup to its end."""
        code = self._spawn(argv, serves=False).wait()
        self._run.go_on()
        if code:
            hint = f"Correct services.{self.launch.name}.setup in bootstrap.toml, or what it needs."
            raise BootstrapError(f"setup {ended(code)}", hint)

    def _spawn(self, argv: Sequence[str], *, serves: bool) -> Group:
        """Start the next process of this service: what `serves` sees secrets, a setup does not."""
        environ = self._preparation.environment(self._run.base, secrets=serves)
        if serves:
            environ.update(self._renewed)
        # Python writes to a pipe in blocks, and its lines would come late.
        environ.setdefault("PYTHONUNBUFFERED", "1")
        with self._run.spawning:
            self._run.go_on()
            if self.group is not None:
                self.group.release()
            self.started = time.time()
            self.group = start(
                argv,
                environ=environ,
                directory=self.launch.directory,
                run_id=self._run_id,
                descriptors=self.launch.descriptors,
            )
            self._serving = self.group if serves else None
            self.reader = self._output.attach(self.group.output)
        self._run.recorder.started(self.launch.name, self.group.identity)
        return self.group

    @property
    def _run_id(self) -> str:
        return part_of(self._run.run_id, self.launch.name)

    def _end(self) -> None:
        """Stop all that is left of its last process: its group, and what has left that."""
        if self.group is None:
            return
        self.group.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._run.limits.grace
        while living({self.group.pid}) and time.monotonic() < deadline:
            if self._run.stopping.wait(_POLL):
                raise StoppingError
        self.group.signal(signal.SIGKILL)
        sweep(self._run_id, self._run.limits.grace)

    def _enter(
        self,
        phase: Phase,
        detail: str = "",
        hint: str = "",
        output: tuple[str, ...] = (),
        *,
        told: bool = False,
    ) -> None:
        self.phase = phase
        detail = self._run.mask(detail)
        self._run.recorder.entered(self.launch.name, phase, detail, told=told)
        self._run.tell(PhaseChanged(self.launch.name, phase, detail, hint, output))
