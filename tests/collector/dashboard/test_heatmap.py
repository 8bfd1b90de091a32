from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.asking.questions import Latency, LatencyCell, LatencyColumn, Region
from bootstrap.collector.dashboard import heatmap

SECOND = 1_000_000_000


def latency(edges: list[int], cells: list[LatencyCell], values: list[int | None]) -> Latency:
    columns = [LatencyColumn(n * SECOND, 1, 0, value, value, value) for n, value in enumerate(values)]
    return Latency(0, len(values) * SECOND, SECOND, columns, edges, cells, 3, None, None, None)


def test_cells_stand_on_their_rows() -> None:
    cells = [LatencyCell(0, 0, 1, 0), LatencyCell(1, 2, 60, 3)]
    chart = heatmap.draw(latency([10, 100, 1_000, 10_000], cells, [50, None]))
    assert (chart.columns, chart.rows) == (2, 3)
    first, second = chart.blocks
    assert (first.x, first.y, first.errors, first.title) == (0, 2, 0, "1 trace, 10 ns to 100 ns")
    assert (second.x, second.y, second.level, second.errors) == (1, 0, heatmap.LEVELS, 0.25)
    assert heatmap.draw(latency([10, 100], [LatencyCell(0, 0, 5, 0)], [50])).blocks[0].level == heatmap.LEVELS
    assert second.title == "60 traces, 1.00 µs to 10.0 µs, 3 with an error"


def test_curves_have_gaps() -> None:
    chart = heatmap.draw(latency([1, 10, 100], [], [10, 100, None, 1]))
    assert dict(chart.curves)["p50"] == "M0.2 1.0H0.5L1.5 0.0M3.2 2.0H3.5"


def test_heights_are_logarithmic() -> None:
    edges = [1, 10, 100]
    assert [heatmap.height(value, edges) for value in (0, 1, 10, 100, 5_000)] == [0, 0, 1, 2, 2]
    assert 0.47 < heatmap.height(3, edges) < 0.48
    assert heatmap.height(5, [0, 10]) == 0.5


def test_a_region_is_cut_off_at_the_sides() -> None:
    shown = latency([1, 10, 100], [], [None] * 4)
    box = heatmap.box(Region(SECOND, 9 * SECOND, 10, 1_000), shown)
    assert (box.x, box.y, box.width, box.height) == (1, 0, 3, 1)


def test_labels() -> None:
    hour = Latency(
        30 * SECOND, 3_630 * SECOND, 60 * SECOND, [], [10**6, 10**7, 10**8], [], 0, None, None, None
    )
    chart = heatmap.draw(hour)
    assert [tick.time_ns // SECOND for tick in chart.times] == [600, 1200, 1800, 2400, 3000]
    assert [tick.label for tick in chart.durations] == [
        "1.00 ms",
        "2.00 ms",
        "5.00 ms",
        "10.0 ms",
        "20.0 ms",
        "50.0 ms",
        "100 ms",
    ]
    assert (chart.durations[0].at, chart.durations[-1].at) == (100, 0)
    assert not any(tick.exact for tick in chart.times)
    minute = latency([10**6, 10**7], [], [None] * 60)
    assert {tick.time_ns // SECOND: tick.exact for tick in heatmap.draw(minute).times} == dict.fromkeys(
        range(0, 60, 10), True
    )


def test_a_small_curve() -> None:
    assert heatmap.line([0, None, 10], 100, 50, top=10) == "M0.0 50.0L100.0 0.0"
    assert heatmap.line([None, 5], 100, 50, top=10) == "M100.0 25.0h1"
    assert heatmap.line([None], 100, 50, top=0) == ""


@given(
    st.lists(st.integers(0, 10**15), min_size=2, max_size=8, unique=True).map(sorted),
    st.lists(st.none() | st.integers(0, 10**16)),
)
def test_everything_stays_inside(edges: list[int], values: list[int | None]) -> None:
    chart = heatmap.draw(latency(edges, [LatencyCell(0, 0, 5, 5)] if values else [], values))
    for _, path in chart.curves:
        pairs = re.findall(r"[ML]([\d.]+) ([\d.e-]+)", path)
        assert all(0 <= float(x) <= len(values) and 0 <= float(y) <= chart.rows for x, y in pairs)
    assert all(0 <= tick.at <= 100 for tick in (*chart.times, *chart.durations))
