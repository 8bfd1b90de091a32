"""Watches the services' folders and the manifest in a thread of its own, and reloads what has changed."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.config.location import LOCAL_MANIFEST, MANIFEST
from bootstrap.model.errors import BootstrapError
from bootstrap.stack.changes import Pace, by_service, is_source
from bootstrap.stack.interface import Launch, LogLine, Phase
from bootstrap.stack.limits import Limits
from bootstrap.system import git

#: milliseconds without a change that end a burst, and the longest burst that is waited for
_STEP, _BURST = 150, 1500
#: milliseconds until the first answer, also where nothing changes
_FIRST = 1000
#: milliseconds between two looks where the system tells of no changes
_POLL = 1000
#: seconds in which services get the processor to themselves; what changes meanwhile is found afterwards
_LATEST_START = 3.0
#: seconds after a start in which news of changes before it may still come
_LATE = 2.0
#: who says what concerns no service
_US = "bootstrap"
#: seconds that its thread is given to end
_END = 1.0


class Reloadable(Protocol):
    """A service as whoever watches its source sees it."""

    launch: Launch
    phase: Phase
    #: when its process was started (time.time)
    started: float

    def restart(self, why: str) -> None:
        """Have it start again; returns at once."""


class Watcher:
    """Reloads each of `services` that has a folder to watch when a source file in it changes."""

    def __init__(
        self,
        root: Path,
        services: Iterable[Reloadable],
        limits: Limits,
        *,
        say: Callable[[LogLine], None],
        crashed: Callable[[Exception], None],
    ) -> None:
        watched = [service for service in services if service.launch.watch is not None]
        self._services = {service.launch.name: service for service in watched}
        self._folders = {name: _folder(service) for name, service in self._services.items()}
        self._paces = {name: Pace(limits.quiet, limits.longest_pause) for name in self._services}
        self._timers: dict[str, threading.Timer] = {}
        manifests = [path for name in (MANIFEST, LOCAL_MANIFEST) if (path := root / name).is_file()]
        #: as they were read; those that have changed since are None
        self._manifests: dict[Path, bytes | None] = {path: path.read_bytes() for path in manifests}
        self._say = say
        self._crashed = crashed
        self._watching = False
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Watch, in a moment at the latest."""
        self._thread.start()

    def begin(self) -> None:
        """Watch now: there is nothing left that has to be started first."""
        self._begun.set()

    def stop(self) -> None:
        """Reload nothing any more."""
        self._stopping.set()
        self._begun.set()
        for timer in list(self._timers.values()):
            timer.cancel()
        if self._thread.ident is not None:
            self._thread.join(_END)

    def _run(self) -> None:
        self._begun.wait(_LATEST_START)
        paths = [*(folder for folder in set(self._folders.values()) if folder.is_dir()), *self._manifests]
        try:
            if paths and not self._stopping.is_set():
                self._watch(paths)
        except (OSError, RuntimeError) as error:
            self._tell(_US, f"changed files reload nothing: {error}")
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self._crashed(error)

    def _watch(self, paths: Sequence[Path]) -> None:
        try:
            try:
                self._follow(_batches(paths, self._stopping, poll=None))
            except PermissionError:
                self._follow(_batches(paths, self._stopping, poll=None, all_of_it=False))
        except (OSError, RuntimeError) as error:
            self._tell(_US, f"looking for changed files every second: the system cannot tell ({error})")
            self._follow(_batches(paths, self._stopping, poll=True, all_of_it=False))

    def _follow(self, batches: Iterable[list[str]]) -> None:
        for batch in batches:
            # Only now nothing is missed any more.
            paths = batch if self._watching else [*batch, *self._until_now()]
            self._look_at_manifests(paths)
            others = [path for path in paths if Path(path) not in self._manifests]
            for name, changed in by_service(self._folders, others).items():
                news = self._news(self._services[name], changed)
                if news:
                    self._reload(self._services[name], news)
            self._watching = True

    def _until_now(self) -> list[str]:
        """What may have changed before anybody watched."""
        since = min((service.started for service in self._services.values()), default=0.0)
        return [*_changed_since(since, set(self._folders.values())), *map(str, self._manifests)]

    def _look_at_manifests(self, paths: Sequence[str]) -> None:
        """Say once that a manifest is another than the one which runs."""
        for path, text in self._manifests.items():
            if text is not None and str(path) in paths and _content(path) != text:
                self._manifests[path] = None
                self._tell(_US, f"{path.name} changed: run `bootstrap up` again")

    def _news(self, service: Reloadable, paths: Sequence[str]) -> list[str]:
        """Those of the changed `paths` that its process has not seen, and that git does not ignore."""
        if service.phase is Phase.SETUP:
            return []  # the setup itself writes there
        folder = self._folders[service.launch.name]
        fresh = [path for path in paths if self._is_newer(folder / path, service.started)]
        try:
            ignored = git.excluded(folder, fresh) if fresh else set()
        except (BootstrapError, OSError):
            ignored = set()
        return sorted(set(fresh) - ignored)

    def _is_newer(self, path: Path, started: float) -> bool:
        """Whether a change may have come after the process was `started`, as far as one can still tell."""
        if self._watching and time.time() - started > _LATE:
            return True
        try:
            return path.lstat().st_ctime > started
        except OSError:
            return True

    def _reload(self, service: Reloadable, paths: Sequence[str]) -> None:
        name = service.launch.name
        timer = self._timers.get(name)
        if timer is not None and timer.is_alive():
            return
        more = f" and {len(paths) - 1} more" if paths[1:] else ""
        why = f"{paths[0]}{more} changed"
        pace = self._paces[name]
        pause = pace.pause(time.time() - service.started)
        if not pause:
            service.restart(why)
            return
        if pace.begins:
            hint = "if the service writes it, let git ignore it"
            self._tell(name, f"{why} again, soon after the start: reloads wait longer from now on ({hint})")
        timer = self._timers[name] = threading.Timer(pause, service.restart, (why,))
        timer.daemon = True
        timer.start()

    def _tell(self, who: str, text: str) -> None:
        self._say(LogLine(who, f"[{text}]"))


def _folder(service: Reloadable) -> Path:
    return Path(os.path.abspath(service.launch.watch or "."))  # noqa: PTH100  links stay what they are


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _batches(
    paths: Sequence[Path], stop: threading.Event, *, poll: bool | None, all_of_it: bool = True
) -> Iterator[list[str]]:
    """The files and folders that have changed, burst by burst, until `stop` is set; now and then none have.

    `poll` None leaves it to the system and to WATCHFILES_FORCE_POLLING. Raises OSError or RuntimeError where
    it cannot be watched, `all_of_it`: what may not be read, or is too much for the system.
    """
    # Imported here, in the watcher's thread: no service has to wait for it.
    from watchfiles import Change, watch  # noqa: PLC0415

    bursts = watch(
        *paths,
        watch_filter=None,
        debounce=_BURST,
        step=_STEP,
        stop_event=stop,
        rust_timeout=_FIRST,
        yield_on_timeout=True,
        raise_interrupt=False,
        force_polling=poll,
        poll_delay_ms=_POLL,
        ignore_permission_denied=not all_of_it,
    )
    for burst in bursts:
        # What becomes of a folder's entries is told of them.
        yield [path for change, path in burst if change is not Change.modified or not os.path.isdir(path)]  # noqa: PTH112


def _changed_since(moment: float, folders: Iterable[Path]) -> list[str]:
    """The files in these folders that may be source and have changed since."""
    found = []
    for top in folders:
        for folder, names, files in os.walk(top):
            names[:] = [name for name in names if is_source(name)]
            for path in (os.path.join(folder, name) for name in files):  # noqa: PTH118  there may be many
                with contextlib.suppress(OSError):
                    if os.lstat(path).st_ctime > moment:
                        found.append(path)
    return found
