"""When sessions end, in words, and when they are to be renewed: by the wall clock."""

from datetime import datetime

#: the share of its life that a session has left when it is renewed, and how many seconds that is at most
_SHARE, _MOST = 0.25, 3_600.0


def when(until: float) -> str:
    """Say a moment (seconds since the epoch) in this machine's own time."""
    return datetime.fromtimestamp(until).astimezone().strftime("%Y-%m-%d %H:%M")


def renewal(since: float, until: float) -> float:
    """When a session that was made at `since` is renewed, early enough for a while without a network."""
    return until - min(_MOST, max(0.0, until - since) * _SHARE)
