"""Connections that ask for nothing: closed after a few seconds, and sooner when their place is needed."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 5.0
"""How long a client may take to send the header of a request, from the connection or its first byte on."""


class PromptProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which by itself waits for a header without end.

    Where there are as many connections as may be, a new one takes the place of the one that has waited for
    its header for longest; without that, whoever opens connections and stays silent would shut out the rest.
    """

    _timer: asyncio.TimerHandle | None = None

    @property
    def patience_ends(self) -> float | None:
        """When it closes, by the loop's clock; None while a request is being read or answered."""
        return self._timer.when() if self._timer else None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait."""
        super().connection_made(transport)
        self._watch()
        most = self.limit_concurrency
        if most is not None and len(self.connections) >= most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Go on, and wait or stop waiting."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Keep the timer while no header is complete; a request that is being answered has its own limits."""
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEADER_SECONDS, self.give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def give_up(self) -> None:
        """Close the connection."""
        self._stop_waiting()
        self.transport.close()

    def _make_room(self) -> None:
        others = [other for other in self.connections if isinstance(other, PromptProtocol)]
        waiting = [other for other in others if other is not self and other.patience_ends is not None]
        if waiting:
            min(waiting, key=lambda other: other.patience_ends or 0.0).give_up()
