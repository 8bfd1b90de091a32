"""Connections that ask for nothing: closed after a few seconds, and sooner when their place is needed."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 5.0
"""How long a client may take to send the header of a request, from the connection or its first byte on."""

_SLOW_SECONDS = 1.0


class PromptProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which by itself waits for a header without end.

    Where there are as many connections as may be, a new one takes the place of the one that has waited for
    its header for longest, or else of the one that has kept the collector waiting for longest while it sends
    its body, or does not take its answer. Without that, whoever opens connections and stays silent, or is
    slow, would shut out the rest.
    """

    busy_since = 0.0
    """When the header of the latest request came, by the loop's clock."""
    _timer: asyncio.TimerHandle | None = None

    @property
    def patience_ends(self) -> float | None:
        """When it closes, by the loop's clock; None while a request is being read or answered."""
        return self._timer.when() if self._timer else None

    @property
    def is_slow(self) -> bool:
        """Whether a request has been there for a moment already, and now waits for the client."""
        waits = self.conn.their_state is h11.SEND_BODY or self.flow.write_paused
        return (
            waits and not self.transport.is_closing() and self.busy_since + _SLOW_SECONDS < self.loop.time()
        )

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

    def handle_events(self) -> None:
        """Note when a request begins."""
        if self.conn.their_state is h11.IDLE:
            self.busy_since = self.loop.time()
        super().handle_events()

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
        others = [
            other for other in self.connections if isinstance(other, PromptProtocol) and other is not self
        ]
        waiting = [other for other in others if other.patience_ends is not None]
        slow = [other for other in others if other.is_slow]
        if waiting:
            min(waiting, key=lambda other: other.patience_ends or 0.0).give_up()
        elif slow:
            # It would not take what is still to be sent, either.
            min(slow, key=lambda other: other.busy_since).transport.abort()
