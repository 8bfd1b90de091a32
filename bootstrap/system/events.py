"""Listens to a server on this machine that tells what happens, as Server-Sent Events.

https://html.spec.whatwg.org/multipage/server-sent-events.html; of an event its name and its data are read.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from bootstrap.model.errors import BootstrapError, RemoteRefusedError
from bootstrap.system.endpoints import is_loopback

_CONNECT_SECONDS = 5.0
_OK = 200


class RefusedError(BootstrapError):
    """It answers, but tells nothing: `status` says why in HTTP's numbers."""

    exit_code = RemoteRefusedError.exit_code

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status


@contextlib.contextmanager
def listening(url: str, headers: Mapping[str, str], *, silence: float) -> Iterator[Iterator[tuple[str, Any]]]:
    """Open a stream whose data are JSON, and lend its events; they end when the server ends them.

    Raises RefusedError where the answer is none; OSError where nobody answers, the connection breaks, or
    nothing at all comes for `silence` seconds, which can also be raised while events are read.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(url):
        raise BootstrapError(f"{parts.hostname} is not this machine", "Events are read over loopback alone.")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_CONNECT_SECONDS)
    try:
        with _as_os_error():
            connection.request("GET", f"{parts.path}?{parts.query}", headers=dict(headers))
            answer = connection.getresponse()
            if answer.status != _OK:
                raise RefusedError(answer.status, _reason(answer), "See: bootstrap logs telemetry")
        if connection.sock is not None:
            connection.sock.settimeout(silence)
        yield _events(answer)
    finally:
        connection.close()


def _reason(answer: http.client.HTTPResponse) -> str:
    """What the server says, or the number of its answer."""
    try:
        document = json.loads(answer.read(1 << 16))
    except ValueError:
        document = None
    said = document.get("error") if isinstance(document, dict) else None
    return str(said or f"it answers {answer.status}")


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    with _as_os_error():
        while line := answer.readline():
            field, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
            match field:
                case "event":
                    name = value.strip()
                case "data":
                    yield name, json.loads(value)
                case _:
                    pass


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """A server that stops in the middle of a sentence is a connection that broke."""
    try:
        yield
    except (http.client.HTTPException, ValueError) as error:
        raise ConnectionError(f"the stream broke off: {error}") from error
