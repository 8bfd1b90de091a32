"""One run of containers: its main thread, which hears of everything and decides what ends it."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.stack import logfile
from bootstrap.stack.compose.client import Client
from bootstrap.stack.compose.commands import Commands
from bootstrap.stack.compose.events import Happened
from bootstrap.stack.compose.life import Again, Crashed, Event, Failed, Gone, Life, Signalled, Told, Up
from bootstrap.stack.compose.teller import COMPOSE, Teller
from bootstrap.stack.compose.work import Work
from bootstrap.stack.interface import (
    NOT_ENDED,
    Containers,
    Launch,
    LogLine,
    Observer,
    Phase,
    PortLostError,
    Renewal,
    Renewals,
)
from bootstrap.stack.limits import PATIENCE, Limits
from bootstrap.stack.output import Output
from bootstrap.stack.readiness import ended
from bootstrap.stack.record import Recorder
from bootstrap.stack.service import DRAIN
from bootstrap.stack.signals import collected
from bootstrap.stack.watching import Watcher
from bootstrap.system.state import State

_TICK = 0.5
_POLL = 0.05


class ComposeRun:
    """Runs `launches` in containers until something ends it."""

    def __init__(
        self,
        client: Client,
        state: State,
        launches: Sequence[Launch],
        containers: Containers,
        *,
        observer: Observer,
        root: Path,
        limits: Limits,
    ) -> None:
        self._client = client
        self._own_restart = containers.own_restart
        self._limits = limits
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._mask = Mask(containers.hidden)
        self._logs = logfile.folder(state.directory)
        run_id = secrets.token_hex(16)
        self._recorder = Recorder(state, run_id, {launch.name: launch.port for launch in launches})
        self._teller = Teller(observer, self._recorder, self._mask, self._crashed)
        tell = self._teller.tell
        self._lives = {
            launch.name: Life(launch, self._output(launch.name, tell), self._events.put)
            for launch in launches
        }
        self._commands = Commands(
            client, run_id, containers.values, tell, lambda hear: self._output(COMPOSE, hear)
        )
        self._work = Work(
            client,
            self._commands,
            self._teller,
            self._lives,
            containers=containers,
            limits=limits,
            put=self._events.put,
        )
        self._watcher = Watcher(root, self._lives.values(), limits, say=tell, crashed=self._crashed)

    def _output(self, name: str, emit: Callable[[LogLine], None]) -> Output:
        return Output(name, self._mask, logfile.LogWriter(self._logs, name), emit)

    def _crashed(self, error: Exception) -> None:
        self._events.put(Crashed(error))

    def run(self, ready: Callable[[], None] | None, renewals: Renewals = tuple) -> int:
        """Run until something ends it; without `ready` only the images are built. Returns the exit code."""
        code: int | None = None
        thread = self._work.thread(self._work.bring_up if ready else self._work.build_all)
        with collected(lambda number: self._events.put(Signalled(number))):
            try:
                thread.start()
                code = self._watch(ready, renewals)
            finally:
                self._stop(thread, started=ready is not None)
                self._recorder.end(code)
        return code

    def _watch(self, ready: Callable[[], None] | None, renewals: Renewals) -> int:
        """Wait for what ends the run and return its exit code."""
        up = False
        while True:
            event = self._next(_TICK)
            if isinstance(event, Up):
                if ready is None:
                    return 0
                up = True
                self._watcher.start()
                self._watcher.begin()
                ready()
            code = self._verdict(event)
            if code is not None:
                return code
            for name in self._recorder.restarts_requested():
                self._told(Told(name, "asked to start again", Again.RESTART))
            for renewal in renewals() if up else ():
                self._renew(renewal)
            self._begin_what_waited()
            if self._recorder.stop_requested():
                return 0

    def _verdict(self, event: Event | None) -> int | None:
        """The exit code if this event ends the run."""
        match event:
            case Signalled(number):
                return 128 + number
            case Crashed(fault):
                raise fault
            case Failed(error=PortLostError() as lost):
                raise lost
            case Failed(service, error, last):
                self._fail(service, error, last)
                return 1
            case Happened("start"):
                self._work.followers.started(event)
            case Happened("die"):
                self._work.followers.died(event)
                life = self._lives[event.service]
                # One that is in no other phase is watched by nobody else.
                if life.phase is Phase.HEALTHY and not life.busy:
                    return self._gone(life, ended(event.exit_code), event.container)
            case Gone(service, detail, container):
                return self._gone(self._lives[service], detail, container)
            case Told():
                self._told(event)
        return None

    def _fail(self, service: str, error: BootstrapError, last: tuple[str, ...]) -> None:
        if service in self._lives:
            self._work.fail(self._lives[service], error, last)
        else:
            self._teller.fail_compose(error, last or self._commands.output.last())

    def _told(self, told: Told) -> None:
        life = self._lives[told.service]
        self._teller.enter(life, Phase.RESTARTING, told.why, told=True)
        if life.waiting is None or told.again.value >= life.waiting.again.value:
            life.waiting = told

    def _renew(self, renewal: Renewal) -> None:
        """Let the services that a renewal concerns start again with it, in containers of their own."""
        self._mask.learn(renewal.hidden)
        self._commands.renew(renewal.values)
        for name in renewal.services:
            if name in self._lives:
                self._told(Told(name, renewal.why, Again.RECREATE))

    def _begin_what_waited(self) -> None:
        for life in self._lives.values():
            if life.waiting is not None and not life.busy:
                told, life.waiting = life.waiting, None
                self._begin(life, self._work.start_anew, told)

    def _begin(self, life: Life, work: Callable[..., None], *arguments: object) -> None:
        life.busy = True
        self._work.thread(work, life, *arguments).start()

    def _gone(self, life: Life, detail: str, container: str) -> int | None:
        """Start a service again, unless its own Compose file says what to do, or it has failed too often."""
        if life.launch.name in self._own_restart:
            return self._left_to_docker(life, detail)
        if time.monotonic() - life.healthy > self._limits.recovered:
            life.attempts = 0
        attempts = len(self._limits.pauses)
        if life.attempts == attempts:
            self._work.fail(life, BootstrapError(f"{detail}, after {attempts} new starts"))
            return 1
        pause = self._limits.pauses[life.attempts]
        life.attempts += 1
        again = f"starting again in {pause:g} s (attempt {life.attempts} of {attempts})"
        self._teller.enter(life, Phase.RESTARTING, f"{detail}; {again}")
        self._begin(life, self._work.start_again, container, pause)
        return None

    def _left_to_docker(self, life: Life, detail: str) -> int | None:
        container = self._work.find(life.launch.name)
        if container is None or not container.over:
            self._teller.enter(life, Phase.RESTARTING, detail)
            self._begin(life, self._work.come_back, "")
        elif container.exit_code:
            self._work.fail(life, BootstrapError(detail))
            return 1
        else:
            self._teller.enter(life, Phase.STOPPED, detail)
        return None

    def _next(self, timeout: float) -> Event | None:
        try:
            return self._events.get(timeout=timeout)
        except Empty:
            return None

    def _stop(self, thread: threading.Thread, *, started: bool) -> None:
        """End every command of ours, then the containers; a second signal is the end of patience."""
        self._teller.hurry()
        self._commands.begin_to_stop()
        self._watcher.stop()
        if started:
            self._stop_containers()
        self._commands.end()
        if thread.ident is not None:
            thread.join(DRAIN)
        for life in self._lives.values():
            if life.phase is not Phase.FAILED:
                self._teller.enter(life, Phase.STOPPED)
            life.output.close()

    def _stop_containers(self) -> None:
        asked = threading.Thread(target=self._quietly, args=("stop",), daemon=True)
        asked.start()
        late = threading.Timer(PATIENCE, self._say_who_is_left)
        late.daemon = True
        late.start()
        while asked.is_alive():
            if isinstance(self._next(_POLL), Signalled):
                self._quietly("kill")
                break
        late.cancel()

    def _say_who_is_left(self) -> None:
        with contextlib.suppress(BootstrapError):
            for container in self._client.containers():
                if container.running and container.service in self._lives:
                    self._teller.tell(LogLine(container.service, NOT_ENDED))

    def _quietly(self, verb: str) -> None:
        with contextlib.suppress(BootstrapError):
            self._client.by_name(verb)
