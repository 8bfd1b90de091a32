"""Which traces something arrived of, until nothing more does: only then is a trace worth telling."""

QUIET_SECONDS = 0.5
"""How long nothing may have arrived of a trace before it is told."""

BUSY_SECONDS = 5.0
"""After so long a trace is told in any case, and again when it has grown."""

MOST_WAITING = 5_000


class Quiet:
    """Traces that are waited for, by their ids; the clock is the caller's, in seconds."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        # When the first and the last of it arrived; in the order in which they become due.
        self._waiting: dict[str, tuple[float, float]] = {}

    def touch(self, trace_id: str, now: float) -> bool:
        """Note that something of a trace arrived; False if too many are waited for to note one more."""
        known = self._waiting.get(trace_id)
        if known is None:
            if len(self._waiting) >= self._most:
                return False
            self._waiting[trace_id] = (now, now)
        elif now - known[0] < BUSY_SECONDS:
            del self._waiting[trace_id]
            self._waiting[trace_id] = (known[0], now)
        return True

    def take(self, now: float, most: int) -> list[str]:
        """Take those that are due, at most so many."""
        due: list[str] = []
        for trace_id, (_, last) in self._waiting.items():
            if len(due) == most or last + QUIET_SECONDS > now:
                break
            due.append(trace_id)
        for trace_id in due:
            del self._waiting[trace_id]
        return due

    def seconds_left(self, now: float) -> float | None:
        """How long until one is due; None if none is waited for."""
        for _, last in self._waiting.values():
            return max(0.0, last + QUIET_SECONDS - now)
        return None

    def clear(self) -> None:
        """Wait for none any more."""
        self._waiting.clear()
