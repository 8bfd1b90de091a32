"""The system's own keyring, through the library `keyring`: only backends that it recommends.

The library is imported at the first question, and asked in threads: D-Bus, or somebody's backend, may answer
late or never. Tried with Secret Service (gnome-keyring); nobody has tried macOS, where each item asks anew.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar, TypeVar

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place, SecretStore

_Answer = TypeVar("_Answer")

#: seconds to find out whether there is a keyring
_PROBE = 3.0

_FILE = "or keep secrets in a file: --store file"
_DIAGNOSE = f"See which backend it is: python -m keyring diagnose; {_FILE}"


class Store(SecretStore):
    """Keeps one item a secret: service `bootstrap:<repository identity>`, user name the secret's name."""

    name = "keyring"
    title = "the system's keyring"
    #: seconds for one question; somebody may have to type a password
    patience: ClassVar[float] = 20.0

    def __init__(self, place: Place) -> None:
        self._service = f"bootstrap:{place.repository.identity}"
        self._named = "PYTHON_KEYRING_BACKEND" in place.environ
        self._backend: Any = None
        self._problem: BootstrapError | None = None

    def unavailable(self) -> str | None:
        """Look for a recommended backend, once, for at most three seconds."""
        try:
            self._opened()
        except BootstrapError as error:
            return f"{error.message}. {error.hint}"
        return None

    def get(self, name: str) -> Secret | None:
        """Read one item."""
        value = self._ask(name, lambda backend: backend.get_password(self._service, name))
        return Secret(value, self.name) if value else None

    def _write(self, name: str, value: Secret) -> None:
        self._ask(name, lambda backend: backend.set_password(self._service, name, value.reveal()))

    def _remove(self, name: str) -> None:
        self._ask(name, lambda backend: backend.delete_password(self._service, name))

    def _ask(self, name: str, question: Callable[[Any], _Answer]) -> _Answer:
        """Put one question to the backend; a keyring that was stuck once is not asked again."""
        backend = self._opened()
        try:
            return _within(self.patience, lambda: question(backend))
        except _StuckError as error:
            self._problem = BootstrapError(
                f"the keyring has not answered for {self.patience:.0f} seconds",
                f"Answer its prompt if it shows one, then run the same command again; {_FILE}",
            )
            raise self._problem from error
        except Exception as error:  # noqa: BLE001 - whatever a foreign backend raises
            raise _translated(name, error) from None

    def _opened(self) -> Any:
        """The backend; raises NotConfiguredError where there is none to rely on, the same each time."""
        if self._problem is None and self._backend is None:
            try:
                self._backend = _within(_PROBE, _recommended)
            except _StuckError:
                self._problem = NotConfiguredError(
                    f"the system's keyring has not answered for {_PROBE:.0f} seconds",
                    f"Start it anew, {_FILE}",
                )
            except NotConfiguredError as error:
                self._problem = error
            except Exception as error:  # noqa: BLE001 - whatever a foreign backend raises while it is loaded
                self._problem = self._broken(error)
        if self._problem is not None:
            raise self._problem
        return self._backend

    def _broken(self, error: Exception) -> NotConfiguredError:
        where = "PYTHON_KEYRING_BACKEND names" if self._named else "keyringrc.cfg names"
        return NotConfiguredError(
            f"{where} a backend that cannot be loaded ({type(error).__name__})",
            f"unset PYTHON_KEYRING_BACKEND, {_FILE}" if self._named else _DIAGNOSE,
        )


class _StuckError(Exception):
    """There was no answer in time."""


def _within(seconds: float, action: Callable[[], _Answer]) -> _Answer:
    """Return what `action` returns, and raise what it raises; the process may end before it does."""
    answer: Future[_Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(action())
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True, name="keyring").start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():
            raise
        raise _StuckError from None


def _recommended() -> Any:
    """Open the backend that keyring would use; raises NotConfiguredError unless it keeps secrets well."""
    from keyring import core  # noqa: PLC0415 - 70 ms, and only for who uses it
    from keyring.backends import chainer, fail, null  # noqa: PLC0415 - as above

    core.init_backend(limit=core.recommended)
    backend = core.get_keyring()
    if isinstance(backend, chainer.ChainerBackend):
        # It would write into its first member, and fail where that one does.
        backend = next(filter(core.recommended, backend.backends), backend)
    if isinstance(backend, null.Keyring):
        raise NotConfiguredError(f"{_title(backend)} keeps nothing that it is given", _DIAGNOSE)
    if isinstance(backend, fail.Keyring):
        raise NotConfiguredError(
            "this system has no keyring that answers", f"Log in to a desktop, or start gnome-keyring; {_FILE}"
        )
    if isinstance(backend, chainer.ChainerBackend) or not core.recommended(backend):
        raise NotConfiguredError(
            f"{_title(backend)} does not keep secrets safely, and keyring does not recommend it", _DIAGNOSE
        )
    return backend


def _title(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _translated(name: str, error: Exception) -> BootstrapError:
    """Say what went wrong; the text of a foreign error may hold a value, and stays out."""
    from keyring.errors import InitError, KeyringLocked  # noqa: PLC0415 - imported already when this runs

    if isinstance(error, KeyringLocked | InitError):
        return BootstrapError(
            f"{name}: the keyring is locked",
            f"Unlock it: log in to the desktop, or gnome-keyring-daemon --unlock; {_FILE}",
        )
    return BootstrapError(f"{name}: the keyring failed ({type(error).__name__})", _DIAGNOSE)
