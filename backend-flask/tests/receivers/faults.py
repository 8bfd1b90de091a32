"""What can be wrong with a receiver."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One way of failing, in force until another one (or `HEALTHY`) takes its place."""

    name: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return self.name


HEALTHY = Fault("healthy")
# Nobody listens: connections are refused, and those that exist are closed.
REFUSED = Fault("refused")
# Connections are accepted and read, and never answered. Nothing that fell in counts as received: when
# the fault is lifted, those connections are closed.
BLACK_HOLE = Fault("black hole")
# Each vendor says these three in its own words, which are not always this status: CloudWatch Logs, for
# one, answers 400 and names the error in the body.
THROTTLED = Fault("429")
BROKEN = Fault("500")
UNAUTHORIZED = Fault("401")


def slow(seconds: float = 30.0) -> Fault:
    """Answers correctly after that time, or as soon as the fault is lifted."""
    return Fault("slow", seconds)


BY_NAME = {fault.name: fault for fault in (HEALTHY, REFUSED, BLACK_HOLE, THROTTLED, BROKEN, UNAUTHORIZED)}
