"""One run of containers: builds, starts, follows and restarts them, and stops all whatever happens."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.stack import compose_events, logfile
from bootstrap.stack.compose_client import Client, Container
from bootstrap.stack.compose_commands import Commands
from bootstrap.stack.compose_events import Happened
from bootstrap.stack.compose_readiness import wait_until_ready
from bootstrap.stack.interface import Containers, Launch, LogLine, Observer, Phase, PhaseChanged
from bootstrap.stack.limits import Limits
from bootstrap.stack.output import Output
from bootstrap.stack.readiness import ended
from bootstrap.stack.record import Recorder
from bootstrap.stack.service import DRAIN, StoppingError
from bootstrap.stack.signals import collected
from bootstrap.stack.watching import Watcher
from bootstrap.system.state import State

_TICK = 0.5
_POLL = 0.05
_LAST_LINES = 15
#: under whose name Docker's own words appear
COMPOSE = "compose"
_NEXT_CHANGE = "Correct it and save: the next change is tried again."


@dataclass(frozen=True, slots=True)
class _Signalled:
    number: int


@dataclass(frozen=True, slots=True)
class _Up:
    """All services are healthy for the first time, or all images are built."""


@dataclass(frozen=True, slots=True)
class _Failed:
    service: str
    error: BootstrapError


@dataclass(frozen=True, slots=True)
class _Gone:
    """A service that was healthy has ended, or did not come back."""

    service: str
    detail: str
    container: str


@dataclass(frozen=True, slots=True)
class _Told:
    """A service is to start again: its source changed, or somebody asked for it."""

    service: str
    why: str
    rebuild: bool


@dataclass(frozen=True, slots=True)
class _Crashed:
    """There is a fault in the observer, or in this program."""

    error: Exception


_Event = _Signalled | _Up | _Failed | _Gone | _Told | _Crashed | Happened


@dataclass(slots=True)
class _Life:
    """What a run knows about one service."""

    launch: Launch
    output: Output
    put: Callable[[_Told], None]
    phase: Phase = Phase.STOPPED
    #: when its container was last on its way up (time.time)
    started: float = 0.0
    #: since when it is healthy, on the monotonic clock; 0 before it ever was
    healthy: float = 0.0
    attempts: int = 0
    #: a thread of ours is at work on it: what Docker says about it meanwhile is no surprise
    busy: bool = False
    #: what was wanted while it was busy
    waiting: _Told | None = None

    def restart(self, why: str) -> None:
        """Have it built and started again; see Reloadable."""
        self.put(_Told(self.launch.name, why, rebuild=True))


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
        self._observer = observer
        self._observing = threading.Lock()
        self._limits = limits
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._built = containers.built
        self._mask = Mask(containers.hidden)
        self._logs = logfile.folder(state.directory)
        run_id = secrets.token_hex(16)
        self._recorder = Recorder(state, run_id, {launch.name: launch.port for launch in launches})
        self._lives = {
            launch.name: _Life(launch, self._output(launch.name, self._tell), self._events.put)
            for launch in launches
        }
        self._commands = Commands(
            client, run_id, containers.values, self._tell, lambda hear: self._output(COMPOSE, hear)
        )
        self._watcher = Watcher(root, self._lives.values(), limits, say=self._tell, crashed=self._crashed)
        #: containers whose output is being read
        self._followed: set[str] = set()
        #: when each container last ended, by Docker's clock
        self._died: dict[str, float] = {}
        self._following = threading.Lock()

    def _output(self, name: str, emit: Callable[[LogLine], None]) -> Output:
        return Output(name, self._mask, logfile.LogWriter(self._logs, name), emit)

    def run(self, ready: Callable[[], None] | None) -> int:
        """Run until something ends it; without `ready` only the images are built. Returns the exit code."""
        code: int | None = None
        work = self._thread(self._bring_up, ready is not None)
        with collected(lambda number: self._events.put(_Signalled(number))):
            try:
                work.start()
                code = self._watch(ready)
            finally:
                self._stop(work, started=ready is not None)
                self._recorder.end(code)
        return code

    # What happens in threads; they speak to the main one through events.

    def _thread(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        def guarded() -> None:
            try:
                work(*arguments)
            except StoppingError:
                return
            except BootstrapError as error:
                self._events.put(_Failed(COMPOSE, error))
            except Exception as error:  # noqa: BLE001  the main thread raises it
                self._events.put(_Crashed(error))

        return threading.Thread(target=guarded, daemon=True)

    def _bring_up(self, wanted: bool) -> None:  # noqa: FBT001  a thread's argument
        self._build([life for life in self._lives.values() if life.launch.name in self._built])
        if wanted:
            self._listen()
            for life in self._lives.values():
                self._enter(life, Phase.STARTING)
            self._follow_running("--tail", "0")
            self._start([life.launch.name for life in self._lives.values()])
            self._follow_running()
            for life in self._lives.values():
                self._first_time(life)
        self._events.put(_Up())

    def _build(self, lives: Sequence[_Life]) -> None:
        if not lives:
            return
        for life in lives:
            self._enter(life, Phase.SETUP, "building its image")
        names = [life.launch.name for life in lives]
        said = self._commands.compose("--progress", "plain", "build", *names, quiet=False)
        if said.code:
            guilty = next(
                (name for name in names if any(_is_blamed(name, line) for line in said.lines)), COMPOSE
            )
            hint = "Read the last lines; correct its Dockerfile." if guilty != COMPOSE else ""
            error = BootstrapError(f"its image cannot be built ({ended(said.code)})", hint)
            self._events.put(_Failed(guilty, error))
            raise StoppingError

    def _start(self, names: Sequence[str], *options: str) -> None:
        """Create and start what is not as it should be; what is, is left running."""
        said = self._commands.compose("up", "--detach", "--no-build", *options, *names, quiet=True)
        if said.code:
            last = said.lines[-1].strip() if said.lines else ended(said.code)
            raise BootstrapError(f"docker compose up: {last}")

    def _listen(self) -> None:
        """Hear from Docker what becomes of containers."""
        stream = self._commands.spawn(self._client.events()).output

        def read() -> None:
            with stream:
                for line in iter(stream.readline, b""):
                    event = compose_events.parse(line)
                    if event is not None and event.service in self._lives:
                        self._events.put(event)

        threading.Thread(target=read, name="docker events", daemon=True).start()

    def _follow_running(self, *window: str) -> None:
        for container in self._client.containers():
            if container.running and container.service in self._lives:
                self._follow(container.service, container.id, *window)

    def _follow(self, service: str, container: str, *window: str) -> None:
        """Read what a container writes, until it ends; without `window` all of it."""
        container = container[:12]
        with self._following:
            if container in self._followed:
                return
            self._followed.add(container)
            # Docker keeps one log through all lives of a container.
            before = self._died.get(container)
        since = ("--since", f"{before:.6f}") if before else window
        with contextlib.suppress(StoppingError):
            group = self._commands.spawn(("docker", "logs", "--follow", *since, container))
            self._lives[service].output.attach(group.output)

    def _first_time(self, life: _Life) -> None:
        try:
            self._until_ready(life)
        except BootstrapError as error:
            self._events.put(_Failed(life.launch.name, error))
            raise StoppingError from None

    def _until_ready(self, life: _Life) -> None:
        """Wait until the service is healthy, and say so; raises BootstrapError where it never is."""
        wait_until_ready(life.launch, self._find, self._limits.health, self._commands.stopping)
        if self._commands.stopping.is_set():
            raise StoppingError
        life.healthy = time.monotonic()
        self._enter(life, Phase.HEALTHY)

    def _find(self, service: str) -> Container | None:
        found = [each for each in self._client.containers() if each.service == service]
        return found[-1] if found else None

    def _start_again(self, life: _Life, container: str, pause: float) -> None:
        """Start the container of a service that has ended."""
        if not self._commands.stopping.wait(pause):
            self._commands.docker("start", container)
            self._come_back(life, container)

    def _come_back(self, life: _Life, container: str) -> None:
        """Wait for a service that is on its way again."""
        try:
            self._until_ready(life)
        except BootstrapError as error:
            self._events.put(_Gone(life.launch.name, error.message, container))
        finally:
            life.busy = False

    def _start_anew(self, life: _Life, told: _Told) -> None:
        """Replace the container of one service, from its image built anew, or start it again as it is."""
        name = life.launch.name
        try:
            if told.rebuild:
                life.started = time.time()
                said = self._commands.compose("--progress", "plain", "build", name, quiet=True)
                if said.code:
                    error = BootstrapError("its image cannot be built", _NEXT_CHANGE)
                    self._fail(life, error, said.lines[-_LAST_LINES:])
                    return
                self._start([name], "--no-deps")
            else:
                self._commands.compose("restart", "--no-deps", name, quiet=True)
            life.attempts = 0
            self._until_ready(life)
        except BootstrapError as error:
            self._fail(life, BootstrapError(error.message, _NEXT_CHANGE))
        finally:
            life.busy = False

    # What happens in the main thread.

    def _watch(self, ready: Callable[[], None] | None) -> int:
        """Wait for what ends the run and return its exit code."""
        while True:
            event = self._next(_TICK)
            if isinstance(event, _Up):
                if ready is None:
                    return 0
                self._watcher.start()
                self._watcher.begin()
                ready()
            code = self._verdict(event)
            if code is not None:
                return code
            for name in self._recorder.restarts_requested():
                self._told(_Told(name, "asked to start again", rebuild=False))
            self._begin_what_waited()
            if self._recorder.stop_requested():
                return 0

    def _verdict(self, event: _Event | None) -> int | None:
        """The exit code if this event ends the run."""
        match event:
            case _Signalled(number):
                return 128 + number
            case _Crashed(fault):
                raise fault
            case _Failed(service, error):
                self._fail(self._lives.get(service), error)
                return 1
            case Happened("start"):
                self._follow(event.service, event.container)
            case Happened("die"):
                with self._following:
                    self._followed.discard(event.container[:12])
                    self._died[event.container[:12]] = event.when
                life = self._lives[event.service]
                # A service that has never been healthy is watched by whoever waits for it.
                if life.healthy and not life.busy:
                    return self._gone(life, ended(event.exit_code), event.container)
            case _Gone(service, detail, container):
                return self._gone(self._lives[service], detail, container)
            case _Told():
                self._told(event)
        return None

    def _told(self, told: _Told) -> None:
        life = self._lives[told.service]
        self._enter(life, Phase.RESTARTING, told.why, told=True)
        life.waiting = told

    def _begin_what_waited(self) -> None:
        for life in self._lives.values():
            if life.waiting is not None and not life.busy:
                told, life.waiting = life.waiting, None
                self._begin(life, self._start_anew, told)

    def _begin(self, life: _Life, work: Callable[..., None], *arguments: object) -> None:
        life.busy = True
        self._thread(work, life, *arguments).start()

    def _gone(self, life: _Life, detail: str, container: str) -> int | None:
        """Start a service again, unless its own Compose file says what to do, or it has failed too often."""
        if life.launch.name in self._own_restart:
            return self._left_to_docker(life, detail)
        if time.monotonic() - life.healthy > self._limits.recovered:
            life.attempts = 0
        attempts = len(self._limits.pauses)
        if life.attempts == attempts:
            self._fail(life, BootstrapError(f"{detail}, after {attempts} new starts"))
            return 1
        pause = self._limits.pauses[life.attempts]
        life.attempts += 1
        again = f"starting again in {pause:g} s (attempt {life.attempts} of {attempts})"
        self._enter(life, Phase.RESTARTING, f"{detail}; {again}")
        self._begin(life, self._start_again, container, pause)
        return None

    def _left_to_docker(self, life: _Life, detail: str) -> int | None:
        container = self._find(life.launch.name)
        if container is None or not container.over:
            self._enter(life, Phase.RESTARTING, detail)
            self._begin(life, self._come_back, "")
        elif container.exit_code:
            self._fail(life, BootstrapError(detail))
            return 1
        else:
            self._enter(life, Phase.STOPPED, detail)
        return None

    def _next(self, timeout: float) -> _Event | None:
        try:
            return self._events.get(timeout=timeout)
        except Empty:
            return None

    def _stop(self, work: threading.Thread, *, started: bool) -> None:
        """End every command of ours, then the containers; a second signal is the end of patience."""
        self._commands.begin_to_stop()
        self._watcher.stop()
        if started:
            self._stop_containers()
        self._commands.end()
        if work.ident is not None:
            work.join(DRAIN)
        for life in self._lives.values():
            if life.phase is not Phase.FAILED:
                self._enter(life, Phase.STOPPED)
            life.output.close()

    def _stop_containers(self) -> None:
        asked = threading.Thread(target=self._quietly, args=("stop",), daemon=True)
        asked.start()
        while asked.is_alive():
            if isinstance(self._next(_POLL), _Signalled):
                self._quietly("kill")
                return

    def _quietly(self, verb: str) -> None:
        with contextlib.suppress(BootstrapError):
            self._client.by_name(verb)

    # What people see.

    def _fail(self, life: _Life | None, error: BootstrapError, last: Iterable[str] | None = None) -> None:
        """Say that something failed, with the last lines that it wrote."""
        if life is None:
            output = self._commands.output.last()
            self._tell(PhaseChanged(COMPOSE, Phase.FAILED, self._mask(error.message), error.hint, output))
            return
        if life.output.last() == () and last is None:
            container = self._find(life.launch.name)
            last = self._client.tail(container.id, _LAST_LINES) if container else ()
        output = tuple(map(self._mask, last)) if last is not None else life.output.last()
        self._enter(life, Phase.FAILED, error.message, error.hint, output)

    def _crashed(self, error: Exception) -> None:
        self._events.put(_Crashed(error))

    def _enter(
        self,
        life: _Life,
        phase: Phase,
        detail: str = "",
        hint: str = "",
        output: tuple[str, ...] = (),
        *,
        told: bool = False,
    ) -> None:
        life.phase = phase
        detail = self._mask(detail)
        if phase is Phase.FAILED:
            hint = hint or f"`bootstrap logs {life.launch.name}` shows all that it wrote."
        if phase in (Phase.SETUP, Phase.STARTING):
            life.started = time.time()
        self._recorder.entered(life.launch.name, phase, detail, told=told)
        self._tell(PhaseChanged(life.launch.name, phase, detail, hint, output))

    def _tell(self, event: PhaseChanged | LogLine) -> None:
        """Tell the observer; one that is stuck (a paused terminal) holds up lines, never the end."""
        patient = isinstance(event, LogLine) and not self._commands.stopping.is_set()
        if not self._observing.acquire(timeout=-1 if patient else DRAIN):
            return
        try:
            self._observer(event)
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self._events.put(_Crashed(error))
        finally:
            self._observing.release()


def _is_blamed(service: str, line: str) -> bool:
    """Whether BuildKit says in this line that a step of this service's image has failed."""
    return line.startswith((f" > [{service} ", f"target {service}: failed", f"failed to solve: {service}"))
