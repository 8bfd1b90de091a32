"""Groups items that say the same: how many there are, since when, and which is the latest."""

import sqlite3
from collections.abc import Iterable

from bootstrap.collector.asking import listing
from bootstrap.collector.asking.conditions import Budget
from bootstrap.collector.asking.questions import EvidenceFilter, ItemGroup, ItemGroups
from bootstrap.collector.telemetry.records import Item

_READ = 500
"""Of the latest items, where not all can be looked at."""

# An index has all of it but the uuid. Texts are read of those groups alone that are shown.
_GROUPS = """
WITH found AS MATERIALIZED (
    SELECT count(*) AS items, min(time_ns) AS first_ns, max(time_ns) AS last_ns, max(number) AS one
    FROM item WHERE {where} GROUP BY title, level, service, environment
), latest AS MATERIALIZED (
    SELECT * FROM found ORDER BY last_ns DESC, one DESC LIMIT :most
)
SELECT
    title, level, coalesce(service, ''), environment, items, first_ns, last_ns,
    (SELECT uuid FROM item WHERE title = some.title AND level = some.level AND service IS some.service
        AND environment = some.environment AND time_ns = latest.last_ns AND {where}
        ORDER BY number DESC LIMIT 1),
    (SELECT count(*) FROM found), (SELECT sum(items) FROM found)
FROM latest CROSS JOIN item AS some ON some.number = latest.one
ORDER BY latest.last_ns DESC, latest.one DESC
"""


def groups(connection: sqlite3.Connection, wanted: EvidenceFilter, limit: int) -> ItemGroups:
    """Those of the latest items first. Where a text is wanted, only the latest items are looked at.

    So it is where to look at all of them takes more than the time for one answer.
    """
    found = None if wanted.text else _of_all(connection, wanted, limit)
    return found or _of_latest(connection, wanted, limit)


def _of_all(connection: sqlite3.Connection, wanted: EvidenceFilter, limit: int) -> ItemGroups | None:
    parts = {
        "service = :service": wanted.service,
        "trace_id = :trace_id": wanted.trace_id,
        "level = :level": wanted.level,
    }
    given = {sql: value for sql, value in parts.items() if value is not None}
    values = {sql.rpartition(":")[2]: value for sql, value in given.items()}
    query = _GROUPS.replace("{where}", " AND ".join(given) or "TRUE")
    budget = Budget()
    with budget.limiting(connection):
        try:
            rows = connection.execute(query, {**values, "most": limit}).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return None
    number, items = rows[0][-2:] if rows else (0, 0)
    return ItemGroups([ItemGroup(*row[:-2]) for row in rows], number, items)


def _of_latest(connection: sqlite3.Connection, wanted: EvidenceFilter, limit: int) -> ItemGroups:
    page = listing.items(connection, wanted, _READ, None)
    found = _grouped(page.items)
    return ItemGroups(found[:limit], len(found), len(page.items), partial=page.next is not None)


def _grouped(items: Iterable[Item]) -> list[ItemGroup]:
    """The groups of some items; both are newest first."""
    found: dict[tuple[str, str, str | None, str], ItemGroup] = {}
    for item in items:
        key = (item.title, item.level, item.service, item.environment)
        known = found.get(key)
        if known is None:
            found[key] = ItemGroup(
                title=item.title,
                level=item.level,
                service=item.service or "",
                environment=item.environment,
                count=1,
                first_ns=item.time_ns,
                last_ns=item.time_ns,
                uuid=item.uuid,
            )
        else:
            known.count += 1
            known.first_ns = item.time_ns
    return list(found.values())
