"""The keyring store: the contract with a real gnome-keyring, and keyrings that nobody should rely on."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import uuid
import warnings
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.secrets.interface import Fate
from bootstrap.secrets.keyring import Store
from tests.secrets.contract import CANARY, FIVE, StoreContract, secret, told
from tests.secrets.keyring_session import Session, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.secrets.conftest import MakePlace
    from tests.secrets.contract import Open

_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"

# What a person sees in a process of its own: keyring remembers what it has found.
_PROBE = """
import os, sys, time
from pathlib import Path
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.secrets import open_store
from bootstrap.secrets.interface import Place
from bootstrap.system.private import PrivateFolder
folder = PrivateFolder(Path("/nowhere"))
repository = Repository(f"github.com/{sys.argv[2]}/shop", f"{sys.argv[2]}/shop")
place = Place(
    repository, Path("."), os.environ, folder, folder, "", {}, "", profile=None, lookup=lambda name: None
)
store = open_store("keyring", place)
if sys.argv[3:]:
    store = type("Impatient", (type(store),), {"patience": float(sys.argv[3])})(place)
assert "keyring" not in sys.modules
start = time.monotonic()
reason = store.unavailable()
print(f"{time.monotonic() - start:.1f} seconds")
print("reason:", reason)
if reason is None:
    values = {f"KEY_{number}": Secret("canary-7f3a91d25c", "prompt") for number in range(int(sys.argv[1]))}
    for outcome in store.set_many(values):
        error = outcome.error
        print(outcome.fate, f"{error.message} | {error.hint}" if error else "")
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    """A keyring for the tests that leave it as it is."""
    with session() as opened:
        opened.start()
        yield opened


@pytest.fixture
def own() -> Iterator[Session]:
    """A bus for one test, without a keyring."""
    with session() as opened:
        yield opened


@pytest.fixture
def connected(shared: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Let this process use the shared keyring, whichever one it has found before."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", shared.address)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", _SECRET_SERVICE)
    return shared


@pytest.fixture(scope="module", autouse=True)
def set_aside() -> Iterator[None]:
    """Garbage is looked for after every test here: what is older than they are need not be searched."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """The library leaves its connection open when a call fails; no other test shall be told."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.usefixtures("connected")
class TestKeyring(StoreContract):
    """gnome-keyring behind Secret Service."""

    store = "keyring"
    examples = 4

    @pytest.fixture
    def opened(self, place: MakePlace) -> Open:
        """Open it for repositories that no other test has used."""
        owner = uuid.uuid4().hex

        def open_(slug: str = "acme/shop") -> Store:
            return Store(place(f"{owner}/{slug}"))

        return open_

    @pytest.fixture
    def sabotage(self, connected: Session) -> Callable[[], AbstractContextManager[object]]:
        return connected.locked


def probe(environ: Mapping[str, str], *, values: int = 1, patience: float | None = None) -> str:
    """Set some values in a process of its own, with a store as patient as usual or as told (in seconds)."""
    own = [] if patience is None else [str(patience)]
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(values), uuid.uuid4().hex, *own],
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert CANARY not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_process_finds_the_keyring_by_itself(shared: Session) -> None:
    assert "reason: None\nFate.STORED" in probe(shared.environ)


def test_a_chainer_is_asked_by_its_best_member(shared: Session) -> None:
    chained = {**shared.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.chainer.ChainerBackend"}
    assert "reason: None\nFate.STORED" in probe(chained)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("", "this system has no keyring that answers"),
        ("keyring.backends.fail.Keyring", "this system has no keyring that answers"),
        ("keyring.backends.null.Keyring", "keyring.backends.null.Keyring keeps nothing"),
        ("keyring.backends.chainer.ChainerBackend", "ChainerBackend does not keep secrets safely"),
        (
            "keyrings.alt.file.PlaintextKeyring",
            "PlaintextKeyring does not keep secrets safely",
        ),
        (
            "keyrings.alt.file.EncryptedKeyring",
            "PYTHON_KEYRING_BACKEND names a backend that cannot be loaded",
        ),
        (
            "no.such.Keyring",
            "backend that cannot be loaded (ModuleNotFoundError)",
        ),
        ("keyring.backends.NoSuch", "cannot be loaded (AttributeError)"),
        ("Keyring", "cannot be loaded (ValueError)"),
        (_SECRET_SERVICE, "cannot be loaded (RuntimeError)"),
    ],
)
def test_what_is_not_recommended_is_refused_by_name(
    clean_environment: Path, backend: str, words: str
) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(clean_environment)}
    said = probe(environ | ({"PYTHON_KEYRING_BACKEND": backend} if backend else {}))
    assert words in said
    assert "--store file" in said
    assert "Traceback" not in said
    assert not list(clean_environment.rglob("keyring_pass.cfg"))


def test_a_setting_that_names_nothing_is_told(clean_environment: Path) -> None:
    folder = clean_environment / ".config" / "python_keyring"
    folder.mkdir(parents=True)
    (folder / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=no.such.Keyring\n", encoding="utf-8")
    said = probe({"PATH": os.environ["PATH"], "HOME": str(clean_environment)})
    assert "keyringrc.cfg names a backend that cannot be loaded" in said


def test_a_locked_keyring_says_how_to_unlock_it(shared: Session) -> None:
    with shared.locked():
        said = probe(shared.environ)
    assert "Fate.FAILED KEY_0: the keyring is locked | Unlock it:" in said


def test_a_keyring_that_never_opens_times_out_and_the_process_ends(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import threading\nthreading.Event().wait()\n", encoding="utf-8")
    said = probe({"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "stuck.Keyring"})
    assert "reason: the system's keyring has not answered for 3 seconds" in said
    assert 2.5 < float(said.split()[0]) < 30


def test_a_bus_that_is_stuck_holds_nobody_up(own: Session) -> None:
    with own.stopped(own.bus):
        said = probe(own.environ)
    assert "reason: this system has no keyring that answers" in said
    assert float(said.split()[0]) < 30


def test_a_keyring_that_is_stuck_is_waited_for_once(own: Session) -> None:
    daemon = own.start()
    with own.stopped(daemon):
        # The probe would not end in time if each value were waited for.
        said = probe(own.environ, values=60, patience=2)
    assert said.count("Fate.FAILED the keyring has not answered for 2 seconds") == 60


def test_a_keyring_that_dies_is_told(own: Session, place: MakePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    own.start()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", own.address)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", _SECRET_SERVICE)
    store = Store(place())
    fates = store.set_many(FIVE)
    assert next(fates).fate is Fate.STORED
    own.kill()
    rest = list(fates)
    assert [outcome.fate for outcome in rest] == [Fate.FAILED] * 4
    assert all(outcome.error and CANARY not in told(outcome.error) for outcome in rest)


_FOREIGN = """
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 9
    values = {}

    def get_password(self, service, username):
        return self.values.get((service, username))

    def set_password(self, service, username, password):
        %s

    def delete_password(self, service, username):
        raise RuntimeError("cannot delete " + self.get_password(service, username))
"""


@pytest.fixture
def foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], AbstractContextManager[object]]:
    """Install a backend of somebody's own, whose `set_password` does what the test says."""

    @contextlib.contextmanager
    def install(body: str) -> Iterator[None]:
        (tmp_path / "foreign_keyring.py").write_text(_FOREIGN % body, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "foreign_keyring.Keyring")
        try:
            yield
        finally:
            sys.modules.pop("foreign_keyring", None)

    return install


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("self.values[service, username] = password.strip()", "gives back is not what was given"),
        ("pass", "gives back is not there"),
        ("raise ValueError(password)", "the keyring failed (ValueError)"),
        ("raise TimeoutError(password)", "the keyring failed (TimeoutError)"),
    ],
)
def test_what_a_backend_does_to_a_value_is_told(
    body: str, words: str, place: MakePlace, foreign: Callable[[str], AbstractContextManager[object]]
) -> None:
    with foreign(body):
        store = Store(place())
        with pytest.raises(BootstrapError) as failed:
            store.set("KEY", secret(f" {CANARY}"))
    assert words in failed.value.message
    assert CANARY not in told(failed.value)


def test_what_cannot_be_removed_is_told(
    place: MakePlace, foreign: Callable[[str], AbstractContextManager[object]]
) -> None:
    with foreign("self.values[service, username] = password"):
        store = Store(place())
        store.set("KEY", secret(CANARY))
        (outcome,) = store.delete_many(["KEY"])
    assert outcome.fate is Fate.FAILED
    assert outcome.error is not None
    assert CANARY not in told(outcome.error)


def test_what_holds_another_text_than_utf_8_is_told(connected: Session, place: MakePlace) -> None:
    import secretstorage  # noqa: PLC0415 - installed wherever the fixture did not skip

    where = place("acme/binary")
    with connected.connection() as connection:
        attributes = {"service": "bootstrap:github.com/acme/binary", "username": "KEY"}
        secretstorage.get_default_collection(connection).create_item("another's", attributes, b"\xff\xfe")
    with pytest.raises(BootstrapError, match=r"KEY: the keyring failed \(UnicodeDecodeError\)"):
        Store(where).get("KEY")
