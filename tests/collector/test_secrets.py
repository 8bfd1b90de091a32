"""No secret value that goes in comes out again: not in a file, not on a page, not in the stream."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from tests.collector.everything import ROLLBAR_TOKEN, send_everywhere

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.collector.conftest import Collector, Made, Starter

SECRET = 'mäde/up+canary "7&<'

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in an address": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in an address in an address": lambda text: quote(quote(text, safe=""), safe=""),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in HTML": html.escape,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in repr": lambda text: repr(text)[1:-1],
}

READ = (
    *("/", "/traces", "/latency", "/logs", "/errors"),
    *("/api/overview", "/api/received", "/api/traces", "/api/latency", "/api/logs", "/api/items"),
)


def shown(collector: Collector, trace_id: str) -> list[bytes]:
    """All that can be read, and what the stream begins with."""
    [uuid] = {item["uuid"] for item in collector.trace(trace_id, items=1)["items"]}
    of_trace = [f"/traces/{trace_id}", f"/api/traces/{trace_id}", f"/errors/{quote(uuid, safe='')}"]
    answers = [collector.read(path) for path in (*READ, *of_trace, f"/api/items/{quote(uuid, safe='')}")]
    assert {answer.status for answer in answers} == {200}
    return [answer.body for answer in answers]


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_canary_comes_out_nowhere(
    start_collector: Starter, made: Made, spell: Callable[[str], str]
) -> None:
    collector = start_collector(hidden=(SECRET,))
    canary = spell(SECRET)
    trace_id = send_everywhere(collector, made, f"canary {canary} end")
    pages = shown(collector, trace_id)
    files = [path.read_bytes() for path in collector.database.parent.iterdir()]
    assert len(files) > 1  # the log of changes is a file of its own
    output = collector.stop()
    assert output == ("returned\n", "")
    files += [path.read_bytes() for path in collector.database.parent.iterdir()]
    assert any(b"canary [masked] end" in each for each in files)
    everything = b"\n".join([*pages, *files])
    spellings = {each(SECRET) for each in SPELLINGS.values()} | {canary, collector.token, ROLLBAR_TOKEN}
    assert [each for each in spellings if each.encode() in everything] == []
