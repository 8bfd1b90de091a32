"""What arrives at this project's collector, as it arrives, for as long as somebody watches."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from bootstrap.flows.already import Already
from bootstrap.flows.run import COLLECTOR, collector_lock
from bootstrap.flows.stack import COLLECTOR_SERVICE, running
from bootstrap.model.errors import RemoteRefusedError
from bootstrap.system import events
from bootstrap.system.events import RefusedError
from bootstrap.system.state import State

#: three times as long as a collector that lives is ever silent
_SILENCE = 45.0
_PAUSE = 0.5
#: how many events are asked for of those that nobody told while a stream was broken
_MISSED = 200
#: for how long its token may be refused: a collector that was started again has written down another one
_DOUBT = 5.0
_UNAUTHORIZED, _BAD_REQUEST, _NOT_FOUND = 401, 400, 404

#: a query, as its names and values
Query = Sequence[tuple[str, str]]


class Place(Struct, frozen=True):
    """Where a collector is, and with which token it is read."""

    url: str
    token: str
    page: str


def find(root: Path, state: State, environ: Mapping[str, str]) -> Place | None:
    """Find the collector of this project that runs, or is about to; None where there is none.

    One that runs in a container holds no lock here, so that the engine is asked.
    """
    if not collector_lock(state).held() and COLLECTOR_SERVICE not in running(root, state, environ):
        return None
    return place(state)


def place(state: State) -> Place | None:
    """Where the collector is, as it has written down; one that is in no container must be alive."""
    written = state.read(COLLECTOR)
    if written is None or not ("engine" in written or collector_lock(state).held()):
        return None
    return Place(*(str(written.get(key, "")) for key in ("url", "token", "page")))


def follow(
    where: Callable[[], Place | None], query: Query, say: Callable[[str], None]
) -> Iterator[tuple[str, Any]]:
    """Yield events, each its name and what the collector's API says, without end.

    A collector that stops is waited for: `where` is asked again, and `say` is told. Of what it received
    before the stream was there again the latest two hundred events are told then. Raises RemoteRefusedError
    where one runs that does not tell.
    """
    told, doubted, already = "", 0.0, Already(datetime.now(UTC))
    while True:
        now = where()
        if now is not None:
            try:
                with _opened(now, query) as stream:
                    say(f"Following {now.url}")
                    say(f"Page: {now.page}")
                    told, doubted = "", 0.0
                    query = [*(pair for pair in query if pair[0] != "last"), ("last", str(_MISSED))]
                    yield from already.new(stream)
            except RefusedError as error:
                if error.status != _UNAUTHORIZED:
                    raise _refused(error) from None
                doubted = doubted or time.monotonic()
                if time.monotonic() - doubted > _DOUBT:
                    raise RemoteRefusedError(
                        "the collector takes another token than it wrote down", "Start it again: bootstrap up"
                    ) from None
            except OSError:
                pass  # nobody is there, or no more: wait
        if not told:
            told = "The collector does not answer; waiting for it (Ctrl-C ends) ..."
            say(told)
        time.sleep(_PAUSE)


def once(where: Place, query: Query) -> Iterator[tuple[str, Any]]:
    """Yield events until the collector ends."""
    try:
        with _opened(where, query) as stream:
            yield from stream
    except RefusedError as error:
        raise _refused(error) from None


def _opened(where: Place, query: Query) -> Any:
    address = f"{where.url}/api/stream?{urlencode(query)}"
    return events.listening(address, {"Authorization": f"Bearer {where.token}"}, silence=_SILENCE)


def _refused(error: RefusedError) -> RemoteRefusedError:
    if error.status == _NOT_FOUND:
        return RemoteRefusedError("that collector is of an earlier version", "Start it again: bootstrap up")
    hint = "See: bootstrap observe --help" if error.status == _BAD_REQUEST else "Close one, and try again."
    return RemoteRefusedError(f"the collector tells nothing: {error.message}", hint)
