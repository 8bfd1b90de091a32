"""How long things may take in a run, and how often they are tried."""

from dataclasses import dataclass

#: seconds of silence in which a person begins to wonder
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds."""

    #: until a service that was started counts as not getting healthy
    health: float = 60.0
    #: between asking a process to end and killing it
    grace: float = 5.0
    #: beyond the grace period, until a supervisor that was asked to stop counts as stuck
    margin: float = 10.0
    #: before each new start of a service that has ended by itself; one more end fails the run
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    #: a service that was healthy for so long has recovered: its next end is its first
    recovered: float = 30.0
    #: a service whose source changes sooner than this after its start may be changing it itself
    quiet: float = 10.0
    #: between two reloads of such a service, growing from a second to this
    longest_pause: float = 30.0
