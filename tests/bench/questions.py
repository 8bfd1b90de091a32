"""How long the collector's API and its pages take to answer, with a hundred thousand and a million spans."""

import contextlib
import http.client
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bootstrap.collector.answering.parameters import (
    DEFAULT_LIMIT,
    read_evidence,
    read_filter,
    read_region,
    write_duration,
    write_moment,
)
from bootstrap.collector.storing.store import Store
from tests.bench.large_store import DAY_NS, RARE_SERVICE, START_NS, any_trace, large_trace, make_store
from tests.bench.measure import Spread

SPANS = (100_000, 1_000_000)
TARGET_MS = 300.0
#: a question may take longer by as much as there is more, and what two runs differ by
GROWTH = SPANS[1] / SPANS[0] * 1.25
#: below that a question takes what any request takes
_NOTHING_MS = 5.0
_WARM = 2
#: times that all is asked; the best one counts, because others may want the machine meanwhile
_ROUNDS = 3

_SERVE = """
import json, secrets, sys
from pathlib import Path
from bootstrap.collector.server import Settings, serve
settings = Settings(database=Path(sys.argv[1]), token=secrets.token_urlsafe(16), http=("127.0.0.1", 0),
    daemon=("127.0.0.1", 0), store_bytes=8 << 30, keep_seconds=100 * 365 * 24 * 3600)
serve(settings, lambda at: print(json.dumps([at.http_url, at.token]), flush=True))
"""

_DAY = (("start", write_moment(START_NS)), ("end", write_moment(START_NS + DAY_NS + 1)))
_REGION = (
    ("from", write_moment(START_NS + DAY_NS // 4)),
    ("to", write_moment(START_NS + DAY_NS // 2)),
    ("low", write_duration(60_000_000)),
    ("high", write_duration(10**12)),
)

_Pairs = tuple[tuple[str, str], ...]

_QUESTIONS: dict[str, tuple[str, _Pairs]] = {
    "traces": ("/api/traces", ()),
    "traces of most services": ("/api/traces", (("service", "db"),)),
    "traces of a rare service": ("/api/traces", (("service", RARE_SERVICE),)),
    "traces of no service": ("/api/traces", (("service", "nobody"),)),
    "traces that failed": ("/api/traces", (("status", "error"),)),
    "traces that took long": ("/api/traces", (("min", "200"),)),
    "traces that took too long for any": ("/api/traces", (("min", "1000000"),)),
    "traces with a frequent attribute": ("/api/traces", (("attribute", "app.plan=free"),)),
    "traces with a rare attribute": ("/api/traces", (("attribute", "app.coupon=spring"),)),
    "traces with an attribute of none": ("/api/traces", (("attribute", "app.nothing=there"),)),
    "traces with a resource's attribute": ("/api/traces", (("attribute", "service.version=1.4.2"),)),
    "traces with a frequent text": ("/api/traces", (("q", "activities"),)),
    "traces with a text of none": ("/api/traces", (("q", "xyzzy"),)),
    "one trace": (f"/api/traces/{any_trace()}", ()),
    "the trace of 10,000 spans": (f"/api/traces/{large_trace()}", ()),
    "heatmap of the last hour": ("/api/latency", ()),
    "heatmap of the day": ("/api/latency", _DAY),
    "heatmap of most services": ("/api/latency", (*_DAY, ("service", "db"))),
    "heatmap of a rare service": ("/api/latency", (*_DAY, ("service", RARE_SERVICE))),
    "heatmap of an attribute": ("/api/latency", (*_DAY, ("attribute", "app.plan=free"))),
    "differences": ("/api/differences", (*_DAY, *_REGION)),
    "differences of most services": ("/api/differences", (*_DAY, *_REGION, ("service", "db"))),
    "differences with an attribute": ("/api/differences", (*_DAY, *_REGION, ("attribute", "app.plan=free"))),
    "log lines": ("/api/logs", ()),
    "log lines with a text of none": ("/api/logs", (("q", "xyzzy"),)),
    "items with a text of none": ("/api/items", (("q", "xyzzy"),)),
    "overview": ("/api/overview", ()),
}

_PAGES: dict[str, tuple[str, _Pairs]] = {
    "page: front": ("/", ()),
    "page: traces": ("/traces", ()),
    "page: one trace": (f"/traces/{any_trace()}", ()),
    "page: the trace of 10,000 spans": (f"/traces/{large_trace()}", ()),
    "page: heatmap of the last hour": ("/latency", ()),
    "page: heatmap of the day": ("/latency", _DAY),
    "page: heatmap of the day, a region": ("/latency", (*_DAY, *_REGION)),
    "page: logs": ("/logs", ()),
    "page: errors": ("/errors", ()),
}


class Timing(NamedTuple):
    """Milliseconds that one question takes, by the number of spans; and how far it got."""

    name: str
    in_process: dict[int, Spread]
    """Nothing for a page."""
    over_http: dict[int, Spread]
    searched: float
    """Which part of the traces of the largest store was looked at when its time was over."""

    @property
    def growth(self) -> float:
        """How many times longer it takes in the larger store."""
        small, large = (max(self.over_http[spans].median, _NOTHING_MS) for spans in SPANS)
        return large / small


class Questions(NamedTuple):
    """All of them, beside what it takes SQLite to read the whole table once."""

    timings: list[Timing]
    scans: dict[int, Spread]
    sizes: dict[int, int]
    """Bytes of the stores."""


def questions(folder: Path, runs: int) -> Questions:
    """Make the stores, and ask everything up to ten times: of the store, and of a collector over HTTP."""
    runs = min(runs, 10)
    in_process: dict[str, dict[int, Spread]] = {name: {} for name in (*_QUESTIONS, *_PAGES)}
    over_http: dict[str, dict[int, Spread]] = {name: {} for name in (*_QUESTIONS, *_PAGES)}
    scans, sizes, searched = {}, {}, dict.fromkeys(_PAGES, 1.0)
    for spans in SPANS:
        path = folder / f"{spans}.db"
        print(f"writing {spans} spans ...", file=sys.stderr)
        store = make_store(path, spans)
        sizes[spans] = path.stat().st_size
        asking = {name: _asking(store, *question) for name, question in _QUESTIONS.items()}
        for name, spread in _best(asking, runs).items():
            in_process[name][spans] = spread
        scans[spans] = _timed(partial(_scan, path), runs)
        with _collector(path) as get:
            getting = {name: partial(get, *asked) for name, asked in (_QUESTIONS | _PAGES).items()}
            for name, spread in _best(getting, runs).items():
                over_http[name][spans] = spread
            searched |= {name: _searched(getting[name]()) for name in _QUESTIONS}
    timings = [Timing(name, in_process[name], over_http[name], searched[name]) for name in over_http]
    return Questions(timings, scans, sizes)


def _best(asking: Mapping[str, Callable[[], object]], runs: int) -> dict[str, Spread]:
    """Ask everything in several rounds: of each question the round with the least median."""
    rounds = [{name: _timed(ask, runs) for name, ask in asking.items()} for _ in range(_ROUNDS)]
    return {name: min((each[name] for each in rounds), key=lambda it: it.median) for name in asking}


def _timed(ask: Callable[[], object], runs: int) -> Spread:
    """Milliseconds, once the system has in memory what it reads."""
    for _ in range(_WARM):
        ask()
    figures = []
    for _ in range(runs):
        start = time.perf_counter()
        ask()
        figures.append((time.perf_counter() - start) * 1_000)
    return Spread.of(figures)


def _asking(store: Store, address: str, pairs: _Pairs) -> Callable[[], object]:
    """What the API does for an address, without JSON and HTTP."""
    params, search = QueryParams(list(pairs)), store.search
    asking: dict[str, Callable[[], object]] = {
        "traces": lambda: search.traces(read_filter(params), limit=DEFAULT_LIMIT),
        "latency": lambda: search.latency(read_filter(params)),
        "differences": lambda: search.differences(read_filter(params), read_region(params)),
        "logs": lambda: search.lines(read_evidence(params), limit=DEFAULT_LIMIT),
        "items": lambda: search.items(read_evidence(params), limit=DEFAULT_LIMIT),
        "overview": lambda: (search.arrivals(), search.room(store.limit)),
    }
    name = address.rpartition("/")[2]
    return asking.get(name) or partial(store.trace, name)


def _scan(path: Path) -> None:
    """Read all of the table, as a search without a limit would have to."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT total(length(body)), total(length(scope)) FROM operation").fetchone()


@contextlib.contextmanager
def _collector(path: Path) -> Iterator[Callable[[str, _Pairs], Any]]:
    """A collector in a process of its own, and how to ask it over one connection."""
    argv = (sys.executable, "-c", _SERVE, str(path))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, token = json.loads(process.stdout.readline())
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)

        def get(address: str, pairs: _Pairs) -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("GET", f"{address}?{urlencode(pairs)}", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != http.client.OK:
                raise RuntimeError(f"{address}: {answer.status} {body!r}")
            return body

        try:
            yield get
        finally:
            connection.close()
            process.terminate()


def _searched(body: bytes) -> float:
    """Which part of the day an answer looked at."""
    place = json.loads(body).get("searched_to")
    if place is None:
        return 1.0
    moment = datetime.fromisoformat(place).timestamp()
    return (START_NS + DAY_NS - moment * 1_000_000_000) / DAY_NS


def failures(found: Questions) -> list[str]:
    """Say what takes too long, or longer than there is more."""
    slow = [
        f"{each.name}: {each.over_http[spans].median:.0f} ms"
        for each in found.timings
        for spans in SPANS
        if each.over_http[spans].median >= TARGET_MS
    ]
    growing = [f"{each.name}: {each.growth:.1f} times" for each in found.timings if each.growth > GROWTH]
    return slow + growing


def as_data(found: Questions | None) -> list[dict[str, Any]]:
    """Everything, in milliseconds."""
    if found is None:
        return []
    scan = {"name": "reading all rows", "in_process": _median(found.scans)}
    return [scan] + [
        {
            "name": each.name,
            "in_process": _median(each.in_process),
            "over_http": _median(each.over_http),
            "growth": each.growth,
            "searched": each.searched,
        }
        for each in found.timings
    ]


def _median(spreads: dict[int, Spread]) -> dict[int, float]:
    return {spans: spread.median for spans, spread in spreads.items()}


def as_markdown(found: Questions) -> str:
    """One line for each question."""
    small, large = SPANS
    sizes = " and ".join(f"{found.sizes[spans] / 2**20:.0f} MiB" for spans in SPANS)
    lines = [
        f"Milliseconds until the answer, {small:,} and {large:,} spans ({sizes}); aim: {TARGET_MS:.0f}.",
        f"The best of {_ROUNDS} rounds: its median, and the greatest in brackets.",
        "",
        f"| | {small:,} | {large:,} | over HTTP: {small:,} | {large:,} | times | searched |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for each in found.timings:
        columns = " | ".join(
            _figure(spreads.get(spans)) for spreads in (each.in_process, each.over_http) for spans in SPANS
        )
        lines.append(f"| {each.name} | {columns} | {each.growth:.1f} | {each.searched:.0%} |")
    scans = " | ".join(_figure(found.scans[spans]) for spans in SPANS)
    times = found.scans[large].median / found.scans[small].median
    lines.append(f"| SQLite reads all rows | {scans} | | | {times:.1f} | |")
    return "\n".join(lines)


def _figure(spread: Spread | None) -> str:
    return "" if spread is None else f"{spread.median:.1f} ({spread.greatest:.0f})"
