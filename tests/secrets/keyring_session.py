"""A real gnome-keyring behind a D-Bus session of its own, with a home of its own."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jeepney  # type: ignore[import-untyped]  # it has none
import jeepney.io.blocking  # type: ignore[import-untyped]  # as above
import pytest
import secretstorage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")

# Nothing is started by asking for it: what a test does not start is not there.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_type="method_call"/>
    <allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
    <allow own="*"/></policy>
</busconfig>
"""


def required() -> None:
    """Skip, with the reason, where the programs are missing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


class Session:
    """A bus and, once it is started, a keyring; `environ` leads to them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._password = secrets.token_hex()
        self._daemon: subprocess.Popen[bytes] | None = None
        for name in ("home", "runtime", "bus"):
            (folder / name).mkdir(mode=0o700)
        (folder / "bus.conf").write_text(_BUS.format(folder=folder / "bus"), encoding="utf-8")
        # Debian gives the program a capability that a container cannot grant; a copy has none.
        self._program = folder / "gnome-keyring-daemon"
        shutil.copy(str(shutil.which("gnome-keyring-daemon")), self._program)
        #: the bus's process
        self.bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.bus.stdout is not None
        self.address = self.bus.stdout.readline().strip()
        self.environ: Mapping[str, str] = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": f"{folder}/home",
            "XDG_RUNTIME_DIR": f"{folder}/runtime",
            "DBUS_SESSION_BUS_ADDRESS": self.address,
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Start the keyring, unlocked, wait until it answers, and return its process."""
        self._daemon = subprocess.Popen(
            [self._program, "--foreground", "--unlock", "--components=secrets"],
            env=dict(self.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(self._password.encode())
        self._daemon.stdin.close()
        deadline = time.monotonic() + 30
        with self.connection() as connection:
            while not secretstorage.check_service_availability(connection):
                assert self._daemon.poll() is None, "gnome-keyring-daemon has ended"
                assert time.monotonic() < deadline, "gnome-keyring-daemon does not answer"
                time.sleep(0.01)
        return self._daemon

    @contextlib.contextmanager
    def connection(self) -> Iterator[jeepney.io.blocking.DBusConnection]:
        """Connect a test to the bus."""
        connection = jeepney.io.blocking.open_dbus_connection(self.address)
        try:
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the keyring, as a screen saver may, and unlock it in the end."""
        with self.connection() as connection:
            collection = secretstorage.get_default_collection(connection)
            collection.lock()
            try:
                yield
            finally:
                self._unlock(connection, collection)
                assert not collection.is_locked()

    @contextlib.contextmanager
    def stopped(self, process: subprocess.Popen[Any]) -> Iterator[None]:
        """Keep the bus or the keyring from answering at all."""
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the keyring without a warning."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait(30)
            self._daemon = None

    def close(self) -> None:
        """End everything."""
        self.kill()
        self.bus.kill()
        self.bus.wait(30)
        assert self.bus.stdout is not None
        self.bus.stdout.close()

    def _unlock(
        self, connection: jeepney.io.blocking.DBusConnection, collection: secretstorage.Collection
    ) -> None:
        """Unlock it as a login does, by the interface that gnome-keyring keeps for that."""
        service = jeepney.DBusAddress(
            "/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service"
        )
        opening = jeepney.new_method_call(service, "OpenSession", "sv", ("plain", ("s", "")))
        key = connection.send_and_get_reply(opening).body[1]
        password = (key, b"", self._password.encode(), "text/plain")
        internal = service.with_interface("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")
        unlocking = jeepney.new_method_call(
            internal, "UnlockWithMasterPassword", "o(oayays)", (collection.collection_path, password)
        )
        connection.send_and_get_reply(unlocking)


@contextlib.contextmanager
def session() -> Iterator[Session]:
    """Open a bus, with no keyring on it yet, in a folder with a short path: addresses have 107 bytes."""
    required()
    folder = Path(tempfile.mkdtemp(prefix="keyring-"))
    opened = Session(folder)
    try:
        yield opened
    finally:
        opened.close()
        shutil.rmtree(folder)
