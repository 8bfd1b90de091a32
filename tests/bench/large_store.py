"""Makes stores as a busy shop leaves them after a day, written by the collector's own code."""

import math
import random
from pathlib import Path
from typing import Any

from bootstrap.collector.storing.store import Store
from bootstrap.collector.tables.rows import Batch
from bootstrap.collector.telemetry.masking import Masker
from bootstrap.collector.telemetry.records import Item, LogLine, Scope, Span, Status

SPANS_PER_TRACE = 10
#: spans of the largest trace
LARGE_TRACE = 10_000

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND
DAY_NS = 24 * 3_600 * SECOND

RARE_SERVICE = "reporting"
_ROUTES = ("/api/activities/home", "/api/activities/@<handle>", "/api/messages", "/api/health-check")
_PLANS = ("free", "pro", "team")
#: one trace in so many has the rare service, one the rare attribute and one the rare text
_RARE = 1_000
_FAILING = 40
_LOGGED = 4
_ITEMS = 200
_TRACES_PER_BATCH = 500
_STORE_BYTES = 8 << 30

_RESOURCES = {
    service: {"service.name": service, "service.version": "1.4.2", "deployment.environment": "testing"}
    for service in ("gateway", "backend-flask", "db", "cache", "billing", RARE_SERVICE)
}
_SCOPE = Scope("opentelemetry.instrumentation.flask", "0.59b0")


def make_store(path: Path, spans: int) -> Store:
    """Write traces of ten spans each over a day, and a last one of 10,000; the same for the same number."""
    store = Store(path, _STORE_BYTES)
    chance = random.Random(spans)
    traces = spans // SPANS_PER_TRACE
    with store.writer() as writer:
        for first in range(0, traces, _TRACES_PER_BATCH):
            batch = Batch(Masker(), limit=1 << 30)
            for number in range(first, min(first + _TRACES_PER_BATCH, traces)):
                _add_trace(batch, number, START_NS + DAY_NS * number // traces, chance)
            writer.write([batch])
        batch = Batch(Masker(), limit=1 << 30)
        _add_spans(batch, large_trace(), START_NS + DAY_NS, LARGE_TRACE, chance, plan="pro")
        writer.write([batch])
    return store


def any_trace() -> str:
    """The id of one trace of ten spans."""
    return _trace_id(17)


def large_trace() -> str:
    """The id of the trace of many spans."""
    return _trace_id(0xFFFFFFFF)


def _trace_id(number: int) -> str:
    # As random as real ones: neighbours in time are none in an index.
    return f"{START_NS // SECOND:08x}{random.Random(number).getrandbits(96):024x}"


def _add_trace(batch: Batch, number: int, start_ns: int, chance: random.Random) -> None:
    trace_id, plan = _trace_id(number), chance.choice(_PLANS)
    _add_spans(
        batch, trace_id, start_ns, SPANS_PER_TRACE, chance, plan=plan, rare=number % _RARE == _RARE // 2
    )
    if number % _LOGGED == 0:
        batch.add(_line(trace_id, start_ns, number))
    if number % _ITEMS == 0:
        batch.add(_item(trace_id, start_ns, number))


def _add_spans(
    batch: Batch,
    trace_id: str,
    start_ns: int,
    count: int,
    chance: random.Random,
    *,
    plan: str,
    rare: bool = False,
) -> None:
    """A server span, and what it called one after the other; those of the free plan wait for the database."""
    slow = 8 if plan == "free" else 1
    lasted = [int(math.exp(chance.gauss(0, 1)) * 2_000_000) for _ in range(count - 1)]
    lasted[0] *= slow
    whole = sum(lasted) + 1_000_000
    route, failed = chance.choice(_ROUTES), chance.randrange(_FAILING) == 0
    root = f"{chance.getrandbits(64):016x}"
    made = _span(
        trace_id,
        root,
        None,
        service="gateway",
        name=f"GET {route}",
        start_ns=start_ns,
        duration_ns=whole,
        failed=failed,
    )
    made.attributes.update(
        {
            "http.request.method": "GET",
            "http.route": route,
            "http.response.status_code": 500 if failed else 200,
            "url.path": route,
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "app.plan": plan,
            "app.user_id": f"{chance.getrandbits(64):016x}",
            "app.result_length": chance.randrange(100),
        }
    )
    batch.add(made)
    at = start_ns + 500_000
    services = ("db", "cache", "backend-flask")
    for number, duration in enumerate(lasted):
        service = services[number % len(services)]
        if rare and number == 1:
            service = RARE_SERVICE
        elif number == 2 and chance.randrange(50) == 0:
            service = "billing"
        span = _span(
            trace_id,
            f"{chance.getrandbits(64):016x}",
            root,
            service=service,
            name="SELECT cruddur",
            start_ns=at,
            duration_ns=duration,
        )
        span.attributes.update(
            {
                "db.system.name": "postgresql",
                "db.query.text": "SELECT * FROM activities JOIN users USING (user_uuid) WHERE handle = %s",
                "server.address": "db",
                "server.port": 5432,
                "app.cache_hit": bool(number % 2),
                "app.elapsed": duration / SECOND,
            }
        )
        if rare and number == 1:
            span.attributes["app.coupon"] = "spring"
            span.attributes["app.note"] = "a needle in a haystack"
        batch.add(span)
        at += duration


def _span(
    trace_id: str,
    span_id: str,
    parent: str | None,
    *,
    service: str,
    name: str,
    start_ns: int,
    duration_ns: int,
    failed: bool = False,
) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent,
        service=service,
        name=name,
        kind="client" if parent else "server",
        start_ns=start_ns,
        end_ns=start_ns + duration_ns,
        status=Status("error", "it broke") if failed else Status(),
        attributes={},
        events=[],
        links=[],
        resource=_RESOURCES[service],
        scope=_SCOPE,
    )


def _line(trace_id: str, time_ns: int, number: int) -> LogLine:
    fields: dict[str, Any] = {"message": f"handled request {number}", "level": "info", "trace_id": trace_id}
    message = f'{{"message": "handled request {number}", "level": "info", "trace_id": "{trace_id}"}}'
    return LogLine("cruddur", "web", time_ns, time_ns, message, trace_id, "backend-flask", fields)


def _item(trace_id: str, time_ns: int, number: int) -> Item:
    body = {"trace": {"frames": [], "exception": {"class": "KeyError", "message": f"handle {number}"}}}
    title = f"KeyError: handle {number}"
    return Item(
        f"{number:036}", trace_id, "backend-flask", "error", title, "testing", time_ns, {"body": body}
    )
