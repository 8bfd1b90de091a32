"""The collector as a program of its own, for a container: `python -m bootstrap.collector`.

The environment says everything:

- BOOTSTRAP_COLLECTOR_TOKEN: for everything that reads; required.
- BOOTSTRAP_COLLECTOR_HTTP: host:port of OTLP, CloudWatch Logs, Rollbar, X-Ray and the API; 0.0.0.0:4318.
- BOOTSTRAP_COLLECTOR_DAEMON: host:port of the X-Ray daemon's inlet, on loopback; 127.0.0.1:2000.
- BOOTSTRAP_COLLECTOR_DATABASE: the SQLite file, in a folder that exists; /data/telemetry.sqlite3.
- BOOTSTRAP_COLLECTOR_HOSTS: further values of the Host header, with commas between: telemetry:4318.
- BOOTSTRAP_COLLECTOR_LOG_GROUPS: log groups that exist from the start, with commas between.
- BOOTSTRAP_COLLECTOR_EXPECTED: what this run sends where, a JSON list of objects as `questions.Expected` has
  them.
- BOOTSTRAP_COLLECTOR_BYTES: to what size the database may grow; 1073741824.
- BOOTSTRAP_COLLECTOR_KEEP_DAYS: for how many days what has arrived is kept; 7.
- BOOTSTRAP_COLLECTOR_MASK: a JSON file, the list of the secret values to mask; /run/secrets/mask, which may
  be absent.

SIGTERM and SIGINT end it, with everything committed and exit code 0; 1 where it cannot start, which two lines
on stderr explain.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bootstrap.collector.asking.questions import Expected
from bootstrap.collector.server import Listening, Settings, serve
from bootstrap.collector.sockets import Address
from bootstrap.model.errors import BootstrapError

_PREFIX = "BOOTSTRAP_COLLECTOR_"
_MASK = "/run/secrets/mask"
_DAY = 24 * 3600  # seconds
_DIGITS = 12


def main(environ: Mapping[str, str]) -> int:
    """Receive until a signal; the exit code."""
    try:
        serve(settings_from(environ), _announce)
    except BootstrapError as error:
        sys.stderr.write(f"collector: {error.message}\n  {error.hint}\n")
        return 1
    return 0


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as unset. Raises BootstrapError that names the variable."""
    given = {name.removeprefix(_PREFIX): value for name, value in environ.items() if value.strip()}
    if "TOKEN" not in given:
        raise BootstrapError(f"{_PREFIX}TOKEN is not set", "Set it to something that nobody guesses.")
    return Settings(
        database=Path(given.get("DATABASE", "/data/telemetry.sqlite3")),
        token=given["TOKEN"].strip(),
        http=_address("HTTP", given.get("HTTP", "0.0.0.0:4318")),
        daemon=_address("DAEMON", given.get("DAEMON", "127.0.0.1:2000")),
        allowed_hosts=frozenset(_listed(given.get("HOSTS", ""))),
        hidden=_hidden(given.get("MASK")),
        log_groups=_listed(given.get("LOG_GROUPS", "")),
        expected=_expected(given.get("EXPECTED", "[]")),
        store_bytes=_number("BYTES", given.get("BYTES", str(1 << 30))),
        keep_seconds=_DAY * _number("KEEP_DAYS", given.get("KEEP_DAYS", "7")),
    )


def _number(name: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and int(text[:_DIGITS]) > 0 and len(text) <= _DIGITS):
        raise BootstrapError(
            f"{_PREFIX}{name} is no number above 0", f"Leave {_PREFIX}{name} out, for example."
        )
    return int(text)


def _address(name: str, text: str) -> Address:
    host, _, port = text.strip().rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()):
        raise BootstrapError(f"{_PREFIX}{name} is not host:port", "Set it to 127.0.0.1:4318, for example.")
    return host.strip("[]"), int(port)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _expected(text: str) -> tuple[Expected, ...]:
    try:
        return msgspec.json.decode(text, type=tuple[Expected, ...])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BootstrapError(
            f"{_PREFIX}EXPECTED is not what a run sends where", f"Leave it out, or correct it: {error}"
        ) from error


def _hidden(path: str | None) -> tuple[str, ...]:
    """Read what to mask; only the default file may be absent. Without it, secrets would be stored."""
    file = Path(path or _MASK)
    try:
        values = msgspec.json.decode(file.read_bytes(), type=list[str])
    except FileNotFoundError as error:
        if path is None:
            return ()
        raise _unreadable(file) from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable(file) from error
    return tuple(filter(None, values))


def _unreadable(file: Path) -> BootstrapError:
    return BootstrapError(f"{file}: is not a JSON list of texts", f"{_PREFIX}MASK names the file to read.")


def _announce(listening: Listening) -> None:
    sys.stderr.write(f"collector: receives at {listening.http_url}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(os.environ))
