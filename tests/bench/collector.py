"""The collector under load, on one processor core: how much it takes, what it loses, how long senders wait.

All figures are of telemetry that is in the store: what was sent is compared with the answers, with what the
collector has counted, and with the rows of the database.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.bench.receivers import RECEIVERS, Receiver, send
from tests.bench.telemetry import BATCH

SPANS_TARGET = 20_000
SEGMENTS_TARGET = 10_000

_TURNS = 3
_CONNECTIONS = (1, 4, 8)
_REQUESTS = 40
_BURST = 10_000
_PACES = (5_000, 10_000, 12_500, 15_000, 20_000)
_PACE_SECONDS = 2
_BEHIND = 0.5  # seconds by which the store may be behind the last datagram, else the pace is not kept up
_IDLE_SECONDS = 20
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Exported:
    """Some export requests over some connections; seconds are those of the sender's calls."""

    receiver: str
    connections: int
    sent: int
    accepted: int
    stored: int
    counted: int | None
    per_second: float
    cpu_seconds: float
    p50: float
    p99: float

    @property
    def lost(self) -> int:
        """How many of the spans are not where they should be."""
        return self.sent - min(
            self.accepted, self.stored, self.sent if self.counted is None else self.counted
        )


@dataclass(frozen=True)
class Datagrams:
    """Segments at an even pace, or (None) in a burst; `behind` is how long after the last all were stored."""

    receiver: str
    pace: int | None
    sent: int
    stored: int
    counted: int | None
    per_second: float
    cpu_seconds: float
    behind: float

    @property
    def lost(self) -> int:
        """How many of the segments are not where they should be."""
        return self.sent - min(self.stored, self.sent if self.counted is None else self.counted)

    @property
    def kept_up(self) -> bool:
        """Whether none was lost, and nothing piled up."""
        return not self.lost and self.behind <= _BEHIND


@dataclass(frozen=True)
class Ingest:
    """What was measured under load, run by run."""

    exports: list[Exported] = field(default_factory=list)
    bursts: list[Datagrams] = field(default_factory=list)
    paces: list[Datagrams] = field(default_factory=list)


@dataclass(frozen=True)
class Idle:
    """What the collector takes while nothing arrives."""

    seconds: float
    cpu_seconds: float
    resident_bytes: int


def ingest(folder: Path) -> Ingest:
    """Load the collector and the peer in turn."""
    found = Ingest()
    for turn in range(_TURNS):
        for name, start in RECEIVERS.items():
            with start(folder / f"{name}-{turn}.db") as receiver:
                send("export", receiver.http_port, 1, 4)
                connections = _CONNECTIONS if name == "collector" else _CONNECTIONS[1:2]
                found.exports.extend(_exported(name, receiver, number) for number in connections)
                found.bursts.append(_datagrams(name, receiver, None))
    for name, start in RECEIVERS.items():
        with start(folder / f"{name}-pace.db") as receiver:
            send("export", receiver.http_port, 1, 4)
            found.paces.extend(_paces(name, receiver))
    return found


def idle(folder: Path) -> Idle:
    """Let the collector rest, after it has worked."""
    with RECEIVERS["collector"](folder / "idle.db") as receiver:
        send("export", receiver.http_port, 4, 40)
        time.sleep(3)
        before, start = receiver.cpu(), time.perf_counter()
        time.sleep(_IDLE_SECONDS)
        spent, seconds = receiver.cpu() - before, time.perf_counter() - start
        return Idle(seconds, spent, psutil.Process(receiver.process.pid).memory_info().rss)


def _exported(name: str, receiver: Receiver, connections: int) -> Exported:
    before, counted, cpu = receiver.stored(), receiver.counted("otlp"), receiver.cpu()
    done = send("export", receiver.http_port, connections, _REQUESTS)
    sent = _REQUESTS * BATCH
    receiver.wait(before + sent)
    seconds = sorted(done["seconds"])
    after = receiver.counted("otlp")
    return Exported(
        receiver=name,
        connections=connections,
        sent=sent,
        accepted=done["accepted"] * BATCH,
        stored=receiver.stored() - before,
        counted=None if after is None or counted is None else after - counted,
        # An answer comes once the spans are stored.
        per_second=sent / (done["end"] - done["start"]),
        cpu_seconds=receiver.cpu() - cpu,
        p50=seconds[len(seconds) // 2],
        p99=seconds[int(len(seconds) * 0.99)],
    )


def _paces(name: str, receiver: Receiver) -> Iterator[Datagrams]:
    """Ever faster, up to the pace that is too fast; what else the machine does may disturb one run."""
    for pace in _PACES:
        run = _datagrams(name, receiver, pace)
        if not run.kept_up:
            run = _datagrams(name, receiver, pace)
        yield run
        if not run.kept_up:
            return


def _datagrams(name: str, receiver: Receiver, pace: int | None) -> Datagrams:
    before, counted, cpu = receiver.stored(), receiver.counted("xray"), receiver.cpu()
    if pace is None:
        done = send("burst", receiver.daemon_port, _BURST)
    else:
        done = send("pace", receiver.daemon_port, pace, _PACE_SECONDS)
    end = max(receiver.wait(before + done["sent"]), done["end"])
    after = receiver.counted("xray")
    return Datagrams(
        receiver=name,
        pace=pace,
        sent=done["sent"],
        stored=receiver.stored() - before,
        counted=None if after is None or counted is None else after - counted,
        per_second=done["sent"] / (done["end"] - done["start"]),
        cpu_seconds=receiver.cpu() - cpu,
        behind=end - done["end"],
    )


def failures(load: Ingest | None) -> list[str]:
    """Say where the collector has lost something; the last pace is the one that is too fast."""
    if load is None:
        return []
    runs: Sequence[Exported | Datagrams] = [*load.exports, *load.bursts]
    ours = [run for run in runs if run.receiver == "collector"]
    ours += [run for run in load.paces if run.receiver == "collector" and run.pace == _PACES[0]]
    return [f"{run.lost} of {run.sent} lost" for run in ours if run.lost]


def as_data(load: Ingest | None, rest: Idle | None) -> Mapping[str, Any]:
    """Everything, in seconds and bytes."""
    targets = {"spans_per_second": SPANS_TARGET, "segments_per_second": SEGMENTS_TARGET}
    return {
        **(asdict(load) | {"targets": targets} if load else {}),
        **({"idle": asdict(rest)} if rest else {}),
    }


def as_markdown(load: Ingest | None, rest: Idle | None) -> str:
    """Say how much of each kind, and what rest costs."""
    lines = [*_load(load)] if load else []
    if rest:
        memory = f"{rest.resident_bytes / _MIB:.0f} MiB resident"
        lines.append(f"Idle for {rest.seconds:.0f} s: {rest.cpu_seconds:.2f} s of CPU time, {memory}.")
    return "\n".join(lines)


def _load(load: Ingest) -> Iterator[str]:
    yield "| spans over OTLP | per second, best (worst) | of CPU time | aim | p50 ms | p99 ms | sent | lost |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for name, connections in dict.fromkeys((run.receiver, run.connections) for run in load.exports):
        runs = [run for run in load.exports if (run.receiver, run.connections) == (name, connections)]
        runs.sort(key=lambda run: run.per_second)
        best, worst = runs[-1], runs[0]
        yield (
            f"| {name}, {connections} connections | {best.per_second:.0f} ({worst.per_second:.0f}) "
            f"| {max(run.sent / run.cpu_seconds for run in runs):.0f} "
            f"| {SPANS_TARGET if name == 'collector' else ''} "
            f"| {1000 * best.p50:.0f} | {1000 * best.p99:.0f} "
            f"| {sum(run.sent for run in runs)} | {sum(run.lost for run in runs)} |"
        )
    yield ""
    yield "| segments over UDP | per second | of CPU time | aim | stored after s | sent | lost |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for run in load.bursts:
        yield _row(run, f"{run.receiver}, the SDK's burst", "")
    for run in load.paces:
        aim = str(SEGMENTS_TARGET) if run.receiver == "collector" else ""
        yield _row(run, f"{run.receiver}, even pace", aim)
    yield ""


def _row(run: Datagrams, title: str, aim: str) -> str:
    return (
        f"| {title} | {run.per_second:.0f} | {run.sent / run.cpu_seconds:.0f} | {aim} "
        f"| {run.behind:.2f} | {run.sent} | {run.lost} |"
    )
