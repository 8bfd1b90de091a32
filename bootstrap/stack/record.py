"""What is remembered about a run, so that another process can see it and stop it, also when it was killed."""

import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.stack.interface import Phase, ServiceStatus
from bootstrap.system.identity import Identity
from bootstrap.system.state import State

_RUN = "run"
_STOP = "stop"
_RESTART = "restart"
_POLL = 0.05
#: seconds in which a supervisor that is not stuck has seen what it is asked
_PATIENCE = 10.0
_OVER = (Phase.FAILED, Phase.STOPPED)


class ServiceRecord(msgspec.Struct):
    """One service of a run."""

    phase: Phase = Phase.STOPPED
    detail: str = ""
    port: int | None = None
    #: its leader; during setup that is the setup's
    process: Identity | None = None
    #: seconds since the epoch
    started: float | None = None
    #: how many times it was told to start again
    restarts: int = 0


class RunRecord(msgspec.Struct):
    """One run; times are seconds since the epoch."""

    run_id: str
    supervisor: Identity
    started: float
    services: dict[str, ServiceRecord]
    ended: float | None = None
    code: int | None = None

    def live(self) -> bool:
        """Whether its supervisor is at work."""
        return self.ended is None and self.supervisor.alive()

    def processes(self) -> list[Identity]:
        """The leaders of all its services."""
        return [service.process for service in self.services.values() if service.process]

    def running(self) -> list[str]:
        """The names of the services that it has not seen end."""
        return [name for name, service in self.services.items() if service.phase not in _OVER]

    def statuses(self) -> list[ServiceStatus]:
        """Every service as it is now; one whose process is gone is not called healthy."""
        live = self.live()
        return [_status(name, service, live=live) for name, service in self.services.items()]


def _status(name: str, service: ServiceRecord, *, live: bool) -> ServiceStatus:
    process = service.process
    if service.phase in _OVER:
        return ServiceStatus(name, service.phase, port=service.port, detail=service.detail)
    if process is not None and (process.alive() if live else process.matches()):
        uptime = time.time() - service.started if service.started else None
        detail = service.detail if live else "left behind by a run that was killed"
        return ServiceStatus(name, service.phase, process.pid, service.port, uptime, detail)
    phase = service.phase if live else Phase.STOPPED
    return ServiceStatus(name, phase, port=service.port, detail=service.detail)


def load(state: State) -> RunRecord | None:
    """The current or last run; None where there was none or its record cannot be read."""
    try:
        return msgspec.convert(state.read(_RUN), RunRecord)
    except msgspec.ValidationError:
        return None


def request_stop(state: State, run_id: str) -> None:
    """Ask the supervisor of this run to stop everything."""
    state.write(_STOP, {"run_id": run_id})


def request_restart(state: State, record: RunRecord, services: Sequence[str]) -> None:
    """Have the supervisor of this run start these services again; returns once it has told each of them.

    Raises BootstrapError when the run ends meanwhile, or does not answer.
    """
    before = {name: record.services[name].restarts for name in services}
    deadline = time.monotonic() + _PATIENCE
    while True:
        run = load(state)
        if run is None or run.run_id != record.run_id or not run.live():
            raise NotConfiguredError("the run has ended meanwhile", "Start it: bootstrap up")
        left = [name for name in services if run.services[name].restarts == before[name]]
        if not left:
            return
        if time.monotonic() > deadline:
            raise BootstrapError(
                f"the supervisor (pid {run.supervisor.pid}) does not answer", "Stop it: bootstrap down"
            )
        # Somebody else may have asked at the same moment, and written over it.
        if state.read(_RESTART) is None:
            state.write(_RESTART, {"run_id": record.run_id, "services": left})
        time.sleep(_POLL)


def end(state: State, record: RunRecord, code: int | None) -> None:
    """Write that this run is over."""
    record.ended = time.time()
    record.code = code
    for service in record.services.values():
        if service.phase is not Phase.FAILED:
            service.phase = Phase.STOPPED
    state.write(_RUN, _plain(record))


def _plain(record: RunRecord) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


class Recorder:
    """Writes the record of the run that this process supervises, at every change."""

    def __init__(self, state: State, run_id: str, ports: dict[str, int | None]) -> None:
        self._state = state
        self._lock = threading.Lock()
        services = {name: ServiceRecord(port=port) for name, port in ports.items()}
        self._record = RunRecord(run_id, Identity.of(os.getpid()), time.time(), services)
        state.forget(_STOP)
        state.forget(_RESTART)
        self._write()

    def started(self, service: str, process: Identity) -> None:
        """The service has a new leader."""
        with self._lock:
            record = self._record.services[service]
            record.process, record.started = process, time.time()
            self._write()

    def entered(self, service: str, phase: Phase, detail: str, *, told: bool = False) -> None:
        """The service is in another phase, possibly because it was `told` to start again."""
        with self._lock:
            record = self._record.services[service]
            record.phase, record.detail = phase, detail
            record.restarts += told
            self._write()

    def _write(self) -> None:
        if self._record.ended is None:
            self._state.write(_RUN, _plain(self._record))

    def stop_requested(self) -> bool:
        """Whether another process has asked this run to stop."""
        return (self._state.read(_STOP) or {}).get("run_id") == self._record.run_id

    def restarts_requested(self) -> list[str]:
        """Take the names of the services that another process wants to be started again."""
        asked = self._state.read(_RESTART)
        if asked is None:
            return []
        self._state.forget(_RESTART)
        named = asked.get("services") if asked.get("run_id") == self._record.run_id else None
        return [name for name in named if name in self._record.services] if isinstance(named, list) else []

    def end(self, code: int | None) -> None:
        """The run is over."""
        with self._lock:
            end(self._state, self._record, code)
        self._state.forget(_STOP)
        self._state.forget(_RESTART)
