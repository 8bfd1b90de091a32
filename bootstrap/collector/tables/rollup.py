"""What is known of a trace without reading it: made from each batch, and merged into what is stored.

Everything merges by least and greatest, so that what is sent twice, or in any order, gives the same.
"""

from collections.abc import Iterable
from typing import NamedTuple

from bootstrap.collector.tables.rows import ItemRow, LineRow, OperationRow, Row

#: which operation names its trace: one without a parent before others, a span before a segment
_KINDS = {"span": 0, "segment": 1, "subsegment": 2}
_HAS_PARENT = 4
#: the rank of a trace of which only log lines and items are known: anything else takes its place
ONLY_MENTIONED = 9

#: the vendor whose protocol each kind of row came in by
_VENDORS = {"span": "honeycomb", "segment": "xray", "subsegment": "xray"}
_UNKNOWN = ""


class TraceRow(NamedTuple):
    """What a batch says of one trace; see layout.py."""

    trace_id: str
    start_ns: int
    end_ns: int | None
    error: bool
    rank: int
    root_ns: int
    name: str
    service: str | None


class Rollup:
    """The sum of some rows: `traces`, the services in them, and how much of whom has arrived."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.traces: dict[str, TraceRow] = {}
        self.services: set[tuple[str, str]] = set()
        """Pairs of service and trace id."""
        self.arrivals: dict[tuple[str, str], int] = {}
        """How many, by service (empty where nobody is named) and vendor."""
        for row in rows:
            self._add(row)

    def _add(self, row: Row) -> None:
        match row:
            case OperationRow():
                self._count(row.service, _VENDORS[row.kind], row.kind != "subsegment")
                self._merge(_operation(row), row.service)
            case LineRow():
                self._count(row.service, "cloudwatch")
                self._mention(row.trace_id, row.time_ns, row.service)
            case ItemRow():
                self._count(row.service, "rollbar")
                self._mention(row.trace_id, row.time_ns, row.service)
            case _:
                pass

    def _count(self, service: str | None, vendor: str, wanted: bool = True) -> None:  # noqa: FBT001, FBT002
        if wanted:
            key = (service or _UNKNOWN, vendor)
            self.arrivals[key] = self.arrivals.get(key, 0) + 1

    def _mention(self, trace_id: str | None, time_ns: int, service: str | None) -> None:
        if trace_id:
            row = TraceRow(trace_id, time_ns, None, False, ONLY_MENTIONED, time_ns, "", service)  # noqa: FBT003
            self._merge(row, service)

    def _merge(self, row: TraceRow, service: str | None) -> None:
        known = self.traces.get(row.trace_id)
        self.traces[row.trace_id] = merged(known, row) if known else row
        if service:
            self.services.add((service, row.trace_id))


def _operation(row: OperationRow) -> TraceRow:
    # By place, because there are many; the order is that of TraceRow.
    rank = _KINDS[row.kind] + (_HAS_PARENT if row.parent_id else 0)
    start_ns = row.start_ns
    return TraceRow(row.trace_id, start_ns, row.end_ns, row.error, rank, start_ns, row.name, row.service)


def merged(one: TraceRow, other: TraceRow) -> TraceRow:
    """Both as one; as MERGE does it in the store."""
    trace_id, start_ns, end_ns, error, rank, root_ns, name, service = one
    _, other_start, other_end, other_error, other_rank, other_root, other_name, other_service = other
    if rank != other_rank and ONLY_MENTIONED in (rank, other_rank):
        return one if rank < other_rank else other
    if (other_rank, other_root, other_name, other_service or "") < (rank, root_ns, name, service or ""):
        rank, root_ns, name, service = other_rank, other_root, other_name, other_service
    if end_ns is None or (other_end is not None and other_end > end_ns):
        end_ns = other_end
    start_ns = min(start_ns, other_start)
    return TraceRow(trace_id, start_ns, end_ns, error or other_error, rank, root_ns, name, service)


# 9 is ONLY_MENTIONED.
MERGE = """
INSERT INTO trace (trace_id, start_ns, end_ns, error, rank, root_ns, name, service, arrived_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (trace_id) DO UPDATE SET
    start_ns = iif(rank = 9 AND excluded.rank < rank, excluded.start_ns,
        min(start_ns, excluded.start_ns)),
    end_ns = max(coalesce(end_ns, excluded.end_ns), coalesce(excluded.end_ns, end_ns)),
    error = max(error, excluded.error),
    rank = min(rank, excluded.rank),
    root_ns = iif((excluded.rank, excluded.root_ns, excluded.name, coalesce(excluded.service, ''))
        < (rank, root_ns, name, coalesce(service, '')), excluded.root_ns, root_ns),
    name = iif((excluded.rank, excluded.root_ns, excluded.name, coalesce(excluded.service, ''))
        < (rank, root_ns, name, coalesce(service, '')), excluded.name, name),
    service = iif((excluded.rank, excluded.root_ns, excluded.name, coalesce(excluded.service, ''))
        < (rank, root_ns, name, coalesce(service, '')), excluded.service, service)
WHERE excluded.rank < 9 OR rank = 9
"""

ADD_SERVICE = """
INSERT OR IGNORE INTO trace_service (service, number) SELECT ?, number FROM trace WHERE trace_id = ?
"""

#: how many pairs of service and vendor are told apart; whoever sends names himself
MOST_ARRIVALS = 1_000

ADD_ARRIVAL = """
INSERT INTO arrival (service, vendor, count, first_ns, last_ns)
SELECT :service, :vendor, :count, :now, :now
WHERE (SELECT count(*) FROM arrival) < :most
    OR EXISTS (SELECT 1 FROM arrival WHERE service = :service AND vendor = :vendor)
ON CONFLICT (service, vendor) DO UPDATE SET count = count + excluded.count, last_ns = excluded.last_ns
"""
