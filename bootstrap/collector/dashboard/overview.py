"""What the front page says of each service and vendor: what arrived when, or why nothing does."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from bootstrap.collector.asking.questions import Arrival, Expected

State = Literal["arrived", "waiting", "cloud", "off", "none"]

#: vendor -> its name for people, what it is sent (one, many), and what its column is about
VENDORS = {
    "honeycomb": ("Honeycomb", "span", "Traces"),
    "xray": ("AWS X-Ray", "segment", "Traces"),
    "cloudwatch": ("CloudWatch Logs", "log line", "Logs"),
    "rollbar": ("Rollbar", "error report", "Errors"),
}
_TRACES = {vendor for vendor, (_, _, about) in VENDORS.items() if about == "Traces"}

_MOST_SERVICES = 50


class Cell(Struct):
    """One service and one vendor."""

    vendor: str
    state: State
    noun: str
    last_ns: int = 0
    count: int = 0
    reason: str = ""
    """Why it is in the cloud, or off."""
    command: str = ""
    """What to type to change that."""


class ServiceRow(Struct):
    """One service with a cell for each column."""

    service: str
    cells: list[Cell]


class Column(Struct):
    """One vendor."""

    vendor: str
    title: str
    about: str


class Overview(Struct):
    """The table; `left_out` services do not fit in it."""

    columns: list[Column]
    rows: list[ServiceRow]
    left_out: int = 0

    @property
    def begins(self) -> bool:
        """Whether a first request is still to come: nothing has arrived, or no trace where some are to."""
        cells = [cell for row in self.rows for cell in row.cells]
        waits = any(cell.state == "waiting" and cell.vendor in _TRACES for cell in cells)
        return waits or not any(cell.state == "arrived" for cell in cells)

    @property
    def elsewhere(self) -> bool:
        """Whether nothing of this run is to come here."""
        states = {cell.state for row in self.rows for cell in row.cells}
        return "cloud" in states and not states & {"waiting", "arrived"}


def overview(expected: Sequence[Expected], arrivals: Sequence[Arrival]) -> Overview:
    """Put together what is to arrive and what has arrived; services of this run come first."""
    plans = {(each.service, each.vendor): each for each in expected}
    arrived = {(each.service, each.vendor): each for each in arrivals}
    titles = {each.vendor: each.title for each in expected}
    vendors = list(VENDORS) + sorted({vendor for _, vendor in (*plans, *arrived)} - VENDORS.keys())
    services = list(dict.fromkeys([service for service, _ in plans]))
    services += sorted({service for service, _ in arrived} - set(services), key=lambda name: (not name, name))
    shown = services[:_MOST_SERVICES]
    return Overview(
        columns=[_column(vendor, titles) for vendor in vendors],
        rows=[
            ServiceRow(
                service,
                [
                    _cell(vendor, plans.get((service, vendor)), arrived.get((service, vendor)))
                    for vendor in vendors
                ],
            )
            for service in shown
        ],
        left_out=len(services) - len(shown),
    )


def _column(vendor: str, titles: dict[str, str]) -> Column:
    title, _, about = VENDORS.get(vendor, (vendor, "", ""))
    return Column(vendor, titles.get(vendor, title), about)


def _cell(vendor: str, plan: Expected | None, arrival: Arrival | None) -> Cell:
    cell = Cell(vendor, "none", VENDORS.get(vendor, ("", "record", ""))[1])
    if arrival:
        cell.last_ns, cell.count = arrival.last_ns, arrival.count
        cell.state = "arrived"
    if plan and plan.where != "local":
        cell.state = plan.where
        cell.reason, cell.command = _parted(plan.reason)
    elif plan and not arrival:
        cell.state = "waiting"
    return cell


def _parted(reason: str) -> tuple[str, str]:
    """The words, and the command that they end with; brackets behind it belong to the words."""
    words, found, rest = reason.partition("bootstrap ")
    if not found:
        return reason, ""
    command, bracket, aside = rest.partition(" (")
    words = words.rstrip()
    return f"{words.removesuffix(':')} ({aside}:" if bracket else words, found + command
