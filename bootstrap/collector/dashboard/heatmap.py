"""Where the parts of the latency chart lie: time from left to right, duration upwards on a logarithmic scale.

In the plot one unit is one column wide and one row high, and y grows downwards, as in SVG.
"""

import bisect
import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from bootstrap.collector.asking.questions import Latency, LatencyCell, Region
from bootstrap.collector.dashboard.wording import DAY, HOUR, MINUTE, SECOND, counted, duration

LEVELS = 6
"""Shades of a cell."""

_MOST_TICKS = 6
_STEPS = (
    *(unit * step for unit in (SECOND, MINUTE) for step in (1, 2, 5, 10, 15, 30)),
    *(HOUR * step for step in (1, 2, 3, 6, 12)),
    *(DAY * step for step in (1, 2, 7, 14, 30, 90, 365)),
)
_DECADES = 3
"""Where durations differ by more powers of ten, only those have labels."""


class Block(Struct):
    """One cell: `level` is its shade, `errors` the part of its height that stands for failed traces."""

    x: int
    y: int
    level: int
    errors: float
    title: str


class Tick(Struct):
    """A label at a place along its axis, in percent from the left or the top."""

    at: float
    label: str
    time_ns: int = 0
    exact: bool = False
    """Whether its time needs seconds."""


class Box(Struct):
    """A rectangle in the plot."""

    x: float
    y: float
    width: float
    height: float


class Chart(Struct):
    """Everything that is drawn; `curves` are the paths of P50, P90 and P99."""

    columns: int
    rows: int
    blocks: list[Block]
    curves: list[tuple[str, str]]
    times: list[Tick]
    durations: list[Tick]
    column_bounds_ns: list[int]
    row_bounds_ns: list[int]
    """From the bottom."""


def draw(latency: Latency) -> Chart:
    """Place what has been counted."""
    columns, rows = len(latency.columns), max(1, len(latency.edges_ns) - 1)
    most = max((cell.count for cell in latency.cells), default=1)
    paths = {
        name: [getattr(column, f"{name}_ns") for column in latency.columns] for name in ("p50", "p90", "p99")
    }
    return Chart(
        columns=columns,
        rows=rows,
        blocks=[_block(cell, latency, rows, most) for cell in latency.cells],
        curves=[(name, _path(values, latency.edges_ns)) for name, values in paths.items()],
        times=list(_time_ticks(latency.start_ns, latency.end_ns)),
        durations=list(_duration_ticks(latency.edges_ns)),
        column_bounds_ns=[latency.start_ns + latency.column_ns * index for index in range(columns + 1)],
        row_bounds_ns=list(latency.edges_ns),
    )


def _block(cell: LatencyCell, latency: Latency, rows: int, most: int) -> Block:
    low, high = latency.edges_ns[cell.row], latency.edges_ns[cell.row + 1]
    failed = f", {cell.errors:,} with an error" if cell.errors else ""
    return Block(
        x=cell.column,
        y=rows - 1 - cell.row,
        # Of the fullest cell the quotient may be a little more than one.
        level=min(LEVELS, math.ceil(LEVELS * math.log1p(cell.count) / math.log1p(most))),
        errors=round(max(0.25, cell.errors / cell.count), 2) if cell.errors else 0,
        title=f"{counted(cell.count, 'trace')}, {duration(low)} to {duration(high)}{failed}",
    )


def height(duration_ns: float, edges_ns: Sequence[int]) -> float:
    """How many rows high a duration lies above the bottom; at most at the nearest end."""
    rows = len(edges_ns) - 1
    if rows < 1 or duration_ns <= edges_ns[0]:
        return 0.0
    if duration_ns >= edges_ns[-1]:
        return float(rows)
    row = bisect.bisect_right(edges_ns, duration_ns) - 1
    low, high = edges_ns[row], edges_ns[row + 1]
    if low <= 0:  # no logarithm: in proportion
        return row + (duration_ns - low) / (high - low)
    return row + math.log(duration_ns / low) / math.log(high / low)


def _path(values: Sequence[int | None], edges_ns: Sequence[int]) -> str:
    """From the middle of a column to that of the next; a column of nothing leaves a gap."""
    rows = len(edges_ns) - 1
    parts: list[str] = []
    drawing = False
    for column, value in enumerate(values):
        if value is not None:
            y = round(rows - height(value, edges_ns), 2)
            # A single one is seen as well.
            parts.append(f"L{column + 0.5} {y}" if drawing else f"M{column + 0.2} {y}H{column + 0.5}")
        drawing = value is not None
    return "".join(parts)


def line(values: Sequence[int | None], width: int, high: int, *, top: int) -> str:
    """The path of a small curve in a box of that size, with `top` at its top; gaps are left out."""
    step = width / max(1, len(values) - 1)
    scale = high / max(1, top)
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    points = [f"{index * step:.1f} {high - value * scale:.1f}" for index, value in known]
    if len(points) == 1:
        return f"M{points[0]}h1"
    return f"M{'L'.join(points)}" if points else ""


def box(region: Region, latency: Latency) -> Box:
    """Where a region lies; what sticks out is cut off."""
    columns, rows = len(latency.columns), max(1, len(latency.edges_ns) - 1)

    def column(time_ns: int) -> float:
        return min(float(columns), max(0.0, (time_ns - latency.start_ns) / max(1, latency.column_ns)))

    left, right = column(region.start_ns), column(region.end_ns)
    low, high = height(region.min_ns, latency.edges_ns), height(region.max_ns, latency.edges_ns)
    return Box(round(left, 3), round(rows - high, 3), round(right - left, 3), round(high - low, 3))


def _time_ticks(start_ns: int, end_ns: int) -> Iterator[Tick]:
    length = end_ns - start_ns
    if length <= 0:
        return
    step = next((step for step in _STEPS if length / step <= _MOST_TICKS), length)
    for time_ns in range(-(-start_ns // step) * step, end_ns - length // 40, step):
        yield Tick(round((time_ns - start_ns) / length * 100, 2), "", time_ns, exact=step < MINUTE)


def _duration_ticks(edges_ns: Sequence[int]) -> Iterator[Tick]:
    rows = len(edges_ns) - 1
    if rows < 1:
        return
    low, high = max(1, edges_ns[0]), edges_ns[-1]
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1,) if last - first > _DECADES else (1, 2, 5)
    for power in range(first, last + 1):
        for factor in factors:
            length = factor * 10**power
            if low <= length <= high:
                yield Tick(round(100 - height(length, edges_ns) / rows * 100, 2), duration(length))
