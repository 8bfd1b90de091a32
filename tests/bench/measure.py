"""Runs two commands in turn and compares what each cost, as the operating system accounts for it."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ACCOUNTANT = Path(__file__).with_name("accountant.py")


@dataclass(frozen=True)
class Cost:
    """What one run took, from its start to its end."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Command:
    """A process to measure; `before` puts things back to where every run starts, and is not measured."""

    title: str
    argv: Sequence[str | Path]
    directory: Path
    environ: Mapping[str, str]
    before: Callable[[], None] = lambda: None

    def run(self) -> Cost:
        """Run it once. Raises RuntimeError, with what it said, when it does not exit with 0."""
        self.before()
        done = subprocess.run(
            (sys.executable, "-I", "-S", _ACCOUNTANT, *self.argv),
            cwd=self.directory,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.title}: exit code {done.returncode}: {done.stderr}")
        wall, cpu, peak = done.stdout.split()
        return Cost(float(wall), float(cpu), int(peak))


@dataclass(frozen=True)
class Spread:
    """The median of some figures, and the least and the greatest of them."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Take the spread of at least one figure."""
        return cls(statistics.median(figures), min(figures), max(figures))


def pairwise(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratio of each of our figures to theirs of the same turn: both met the machine in one state."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])


def in_turn(ours: Callable[[], Cost], theirs: Callable[[], Cost], runs: int) -> tuple[list[Cost], list[Cost]]:
    """Run A B A B ... `runs` times each, after one round that does not count."""
    mine, other = [], []
    for turn in range(runs + 1):
        first, second = ours(), theirs()
        if turn:
            mine.append(first)
            other.append(second)
    return mine, other
