"""Where the time of a trace went: by name, how long operations ran without what they called."""

from collections.abc import Sequence

from msgspec import Struct

from bootstrap.collector.dashboard.waterfall import Kind, Operation


class Busy(Struct):
    """How long the operations of one name ran themselves."""

    kind: Kind
    service: str
    name: str
    own_ns: int
    count: int
    first: Operation
    """The one that ran longest itself."""


def busiest(rows: Sequence[Operation], most: int) -> list[Busy]:
    """Say in which operations the time went, the longest first."""
    found: dict[tuple[bool, str, str], Busy] = {}
    for row in rows:
        key = (row.kind == "span", row.service, row.name)
        known = found.get(key)
        if known is None:
            found[key] = Busy(row.kind, row.service, row.name, row.own_ns, 1, row)
            continue
        known.own_ns += row.own_ns
        known.count += 1
        known.first = max(known.first, row, key=lambda each: each.own_ns)
    return sorted((each for each in found.values() if each.own_ns), key=lambda each: -each.own_ns)[:most]
