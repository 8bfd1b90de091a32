"""Compares what has arrived with what the requests ask for: a measurement counts only if nothing is lost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.overhead.load import MIX

#: X-Ray's rule: the share of requests that are sampled, and how many of each second besides
RATE, RESERVOIR = 0.1, 5


@dataclass(frozen=True)
class Arrived:
    """What the receivers have got from one server, from its start to its end."""

    spans: int
    segments: int
    log_lines: int
    refusals: dict[str, int]  # what they did not take, by reason


def lost(sent: Sequence[int], seconds: float, arrived: Arrived) -> list[str]:
    """Say what is missing, or too much, after `sent` requests of each route within that time."""
    found = []
    for what, got, each in (
        ("spans", arrived.spans, [route.spans for route in MIX]),
        ("log lines", arrived.log_lines, [route.log_lines for route in MIX]),
    ):
        due = sum(count * times for count, times in zip(each, sent, strict=True))
        if got != due:
            found.append(f"{got} {what} arrived, not {due}")
    requests = sum(sent)
    # Chance decides; and until the rules are there, a moment after the start, 1 a second and 5 % are sampled.
    share, spread = requests * RATE, 5 * math.sqrt(requests * RATE * (1 - RATE))
    most = share + spread + RESERVOIR * (seconds + 2)
    if not share - spread <= arrived.segments <= most:
        found.append(
            f"{arrived.segments} of {requests} requests sampled, not {share - spread:.0f} to {most:.0f}"
        )
    if found:  # elsewhere it does no harm: watchtower makes a log stream when it hears that there is none
        found += [f"refused {count} times: {reason}" for reason, count in arrived.refusals.items()]
    return found
