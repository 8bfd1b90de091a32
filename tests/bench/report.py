"""Results as a Markdown table, and as data."""

from collections.abc import Sequence
from typing import Any

from tests.bench.measure import Cost, Spread, pairwise
from tests.bench.scenarios import Result

_MIB = 1024 * 1024


def as_data(results: Sequence[Result], growth: dict[str, Any] | None) -> dict[str, Any]:
    """Everything, in seconds, bytes and ratios."""
    return {
        "comparisons": [
            {
                "name": result.name,
                "ours": {"title": result.ours, **_figures(result.our_costs)},
                "theirs": {"title": result.theirs, **_figures(result.their_costs)},
                "target": result.target,
                "ratio": {name: _spread(spread) for name, spread in ratios(result).items()},
                "runs": len(result.our_costs),
                "note": result.note,
            }
            for result in results
        ],
        "growth": growth,
    }


def as_markdown(results: Sequence[Result], growth: dict[str, Any] | None) -> str:
    """Two tables: the ratios that have targets, and what each command cost."""
    lines = [
        "| | against | target | wall | CPU | peak memory | |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for result in results:
        columns = " | ".join(_ratio(spread) for spread in ratios(result).values())
        lines.append(f"| {result.ours} | {result.theirs} | {result.target} | {columns} | {result.note} |")
    lines += [
        "",
        "Each ratio is the median of those of the single turns (least to greatest).",
        "",
        "| | wall ms | CPU ms | peak MiB | runs |",
        "|---|--:|--:|--:|--:|",
    ]
    for result in results:
        for title, costs in ((result.ours, result.our_costs), (result.theirs, result.their_costs)):
            wall, cpu, peak = _spreads(costs).values()
            lines.append(
                f"| {result.name}: {title} | {_scaled(wall, 1000)} | {_scaled(cpu, 1000)} "
                f"| {_scaled(peak, 1 / _MIB)} | {len(costs)} |"
            )
    if growth is not None:
        points = ", ".join(f"{size}: {seconds:.3f} s" for size, seconds in growth["cpu_seconds"].items())
        lines += ["", f"From the manifest to every text, by services: {points}."]
        lines += [f"Fitted exponent: {growth['exponent']:.2f} (1 is linear)."]
    return "\n".join(lines)


def ratios(result: Result) -> dict[str, Spread]:
    """Ours to theirs, turn by turn."""
    ours, theirs = _columns(result.our_costs), _columns(result.their_costs)
    return {name: pairwise(ours[name], theirs[name]) for name in ours}


def _columns(costs: Sequence[Cost]) -> dict[str, list[float]]:
    return {
        "wall": [cost.wall_seconds for cost in costs],
        "cpu": [cost.cpu_seconds for cost in costs],
        "peak": [float(cost.peak_bytes) for cost in costs],
    }


def _spreads(costs: Sequence[Cost]) -> dict[str, Spread]:
    return {name: Spread.of(figures) for name, figures in _columns(costs).items()}


def _figures(costs: Sequence[Cost]) -> dict[str, Any]:
    units = {"wall": "wall_seconds", "cpu": "cpu_seconds", "peak": "peak_bytes"}
    return {units[name]: _spread(spread) for name, spread in _spreads(costs).items()}


def _spread(spread: Spread) -> dict[str, float]:
    return {"median": spread.median, "min": spread.least, "max": spread.greatest}


def _ratio(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f} to {spread.greatest:.2f})"


def _scaled(spread: Spread, factor: float) -> str:
    median, least, greatest = (figure * factor for figure in (spread.median, spread.least, spread.greatest))
    return f"{median:.1f} ({least:.1f} to {greatest:.1f})"
