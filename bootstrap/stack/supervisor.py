"""Supervises one run: brings the services up, watches them, and stops all of it whatever happens."""

import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.stack import logfile
from bootstrap.stack.interface import NOT_ENDED, Launch, LogLine, Observer, PhaseChanged, Renewal, Renewals
from bootstrap.stack.limits import PATIENCE, Limits
from bootstrap.stack.output import Output
from bootstrap.stack.record import Recorder
from bootstrap.stack.service import DRAIN, Run, Service, StoppingError
from bootstrap.stack.setup import Preparation
from bootstrap.stack.signals import collected
from bootstrap.stack.watching import Watcher
from bootstrap.system.identity import living, sweep
from bootstrap.system.state import State

_TICK = 0.2
_POLL = 0.02


@dataclass(frozen=True, slots=True)
class _Signalled:
    number: int


@dataclass(frozen=True, slots=True)
class _Done:
    """A service reached what was asked for: its health, or the end of its setup."""

    service: Service


@dataclass(frozen=True, slots=True)
class _Failed:
    service: Service
    error: BootstrapError


@dataclass(frozen=True, slots=True)
class _Crashed:
    """There is a fault in the observer, or in this program."""

    error: Exception


_Event = _Signalled | _Done | _Failed | _Crashed


class Supervisor:
    """One run of `waves`, each of which depends on earlier ones only."""

    def __init__(
        self,
        root: Path,
        state: State,
        waves: Sequence[Sequence[Launch]],
        *,
        base: Mapping[str, str],
        observer: Observer,
        limits: Limits,
    ) -> None:
        self._observer = observer
        self._observing = threading.Lock()
        self._grace = limits.grace
        self._events: SimpleQueue[_Event] = SimpleQueue()
        launches = [launch for wave in waves for launch in wave]
        mask = Mask(value for launch in launches for value in launch.hidden)
        run_id = secrets.token_hex(16)
        recorder = Recorder(state, run_id, {launch.name: launch.port for launch in launches})
        self._run = Run(run_id, base, limits, mask, recorder, self._tell)
        logs = logfile.folder(state.directory)
        self._waves = [[self._service(root, logs, launch) for launch in wave] for wave in waves]
        self._services = {service.launch.name: service for wave in self._waves for service in wave}
        self._waiting = set(self._services.values())
        self._announced = False
        self._watcher = Watcher(root, self._services.values(), limits, say=self._tell, crashed=self._crashed)

    def _service(self, root: Path, logs: Path, launch: Launch) -> Service:
        output = Output(launch.name, self._run.mask, logfile.LogWriter(logs, launch.name), self._tell)
        return Service(launch, Preparation(root, launch), output, self._run)

    def run(self, ready: Callable[[], None] | None, renewals: Renewals = tuple) -> int:
        """Run until something ends it; without `ready` only the setups run. Returns the exit code."""
        code: int | None = None
        threads = [
            threading.Thread(
                target=self._live, args=(service,), kwargs={"serve": ready is not None}, daemon=True
            )
            for service in self._services.values()
        ]
        with collected(lambda number: self._events.put(_Signalled(number))):
            try:
                for thread in threads:
                    thread.start()
                if ready is not None:
                    self._watcher.start()
                code = self._watch(ready, renewals)
            finally:
                self._stop(threads)
                self._run.recorder.end(code)
        return code

    def _live(self, service: Service, *, serve: bool) -> None:
        """The life of a service, in its own thread."""
        try:
            service.prepare()
            if serve:
                service.start(self._needed(service))
            self._events.put(_Done(service))
            if serve:
                service.keep()
        except StoppingError:
            return
        except BootstrapError as error:
            self._events.put(_Failed(service, error))
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self._events.put(_Crashed(error))

    def _needed(self, service: Service) -> list[Service]:
        """What has to be healthy first; inherited sockets queue what comes before their service is."""
        others = [self._services[name] for name in service.launch.depends_on]
        return [other for other in others if not other.launch.descriptors]

    def _watch(self, ready: Callable[[], None] | None, renewals: Renewals) -> int:
        """Wait for what ends the run and return its exit code."""
        while True:
            code = self._verdict(self._next(_TICK))
            if code is not None:
                return code
            if self._waiting:
                continue
            if ready is None:
                return 0
            if not self._announced and all(service.healthy for service in self._services.values()):
                self._announced = True
                self._watcher.begin()
                ready()
            for renewal in renewals() if self._announced else ():
                self._renew(renewal)

    def _renew(self, renewal: Renewal) -> None:
        """Let the services that a renewal concerns start again with it."""
        self._run.mask.learn(renewal.hidden)
        for name, values in renewal.services.items():
            if name in self._services:
                self._services[name].renew(values, renewal.why)

    def _verdict(self, event: _Event | None) -> int | None:
        """The exit code if this event, or what another process has asked for, ends the run."""
        match event:
            case _Signalled(number):
                return 128 + number
            case _Failed(service, error):
                service.fail(error)
                return 1
            case _Crashed(fault):
                raise fault
            case _Done(service):
                self._waiting.discard(service)
        for name in self._run.recorder.restarts_requested():
            self._services[name].restart("asked to start again")
        return 0 if self._run.recorder.stop_requested() else None

    def _next(self, timeout: float) -> _Event | None:
        try:
            return self._events.get(timeout=timeout)
        except Empty:
            return None

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        """Stop everything, dependants first, within the grace period and a little."""
        with self._run.spawning:
            self._run.stopping.set()
        for service in self._services.values():
            service.wake()
        late = threading.Timer(PATIENCE, self._say_who_is_left)
        late.daemon = True
        late.start()
        hurried = self._ask()
        late.cancel()
        self._watcher.stop()
        groups = [service.group for service in self._services.values() if service.group is not None]
        for group in groups:
            group.signal(signal.SIGKILL)
        sweep(self._run.run_id, 0 if hurried else min(1.0, self._grace))
        for group in groups:
            group.release()
        deadline = time.monotonic() + DRAIN
        readers = [service.reader for service in self._services.values() if service.reader is not None]
        for thread in (*threads, *readers):
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        for service in self._services.values():
            service.close()

    def _ask(self) -> bool:
        """Ask each group to end, the last started first; returns whether somebody was in a hurry."""
        pause = self._grace / max(1, len(self._waves))
        asked: set[int] = set()
        for wave in reversed(self._waves):
            groups = [service.group for service in wave if service.group is not None]
            for group in groups:
                group.signal(signal.SIGTERM)
            asked |= {group.pid for group in groups}
            deadline = time.monotonic() + pause
            while living(asked) and time.monotonic() < deadline:
                if isinstance(self._next(_POLL), _Signalled):
                    return True
        return False

    def _say_who_is_left(self) -> None:
        for service in self._services.values():
            if service.group is not None and living({service.group.pid}):
                self._tell(LogLine(service.launch.name, NOT_ENDED))

    def _tell(self, event: PhaseChanged | LogLine) -> None:
        """Tell the observer; one that is stuck (a paused terminal) holds up lines, never the end."""
        patient = isinstance(event, LogLine) and not self._run.stopping.is_set()
        if not self._observing.acquire(timeout=-1 if patient else DRAIN):
            return
        try:
            self._observer(event)
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self._events.put(_Crashed(error))
        finally:
            self._observing.release()

    def _crashed(self, fault: Exception) -> None:
        self._events.put(_Crashed(fault))
