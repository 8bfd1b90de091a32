"""Whatever senders write, through every receiver: Chromium shows it, and does nothing else with it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.collector.everything import send_everywhere

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.collector.conftest import Collector, Made, Starter
    from tests.collector.dashboard.conftest import Visitor

pytestmark = pytest.mark.slow

MARKUP = (
    "javascript:alert(1)//\"'></title></textarea></pre></style></script><script>alert(1)</script>"
    "<svg/onload=alert(1)><img src=//other.example.test onerror=alert(1)>{{7*7}}{%if%}${7*7}<!-- -->]]>"
    "&lt;&#60;&amp;%3Cscript%3E%00 +../..//other.example.test\\?# onmouseover=alert(1) autofocus "
    'onfocus=alert(1) a="'
)
CONTROLS = (
    "a\0b\x01\x1b[2J\x1b]0;title\x07\x7f\x9b31m\u202egnp.exe\u2066\u2069\u200b\u2028\ufeff\U0001f600\r\n\tend"
    "\ud800 half \udc00"
) + "w" * 1_500
HOSTILE = (MARKUP, CONTROLS)

#: which elements and attributes a page has; not those of its scripts, as the ticks of a longer axis have them
KINDS = """() => [...new Set([...document.querySelectorAll("*")].flatMap((element) => [
  element.localName,
  ...element.getAttributeNames()
    .filter((name) => !name.startsWith("data-"))
    .map((name) => `${element.localName} ${name}`),
]))]"""

SCHEMES = """() => [...document.querySelectorAll("[href], [src], [action]")].flatMap((element) =>
  ["href", "src", "action"].map((name) => element.getAttribute(name)).filter((value) => value !== null))"""


def addresses(collector: Collector, trace_id: str, text: str) -> list[str]:
    """Every page, and every page that is asked for what is hostile."""
    [item] = collector.trace(trace_id, items=1)["items"]
    wanted = quote(text.encode(errors="replace")[:150])
    named = wanted.replace("%5C", "%5C%5C").replace("%3D", "%5C%3D")
    filters = [f"service={wanted}", f"q={wanted}", f"attribute={named}%3D{wanted}", f"level={wanted}"]
    lists = ("/traces", "/latency", "/logs", "/errors")
    region = "from=2026-01-01&to=2099-01-01&low=0&high=1000000"
    return [
        *("/", f"/traces/{trace_id}", f"/errors/{quote(item['uuid'], safe='')}", *lists),
        f"/latency?{region}",
        *(f"{path}?{'&'.join(filters)}" for path in lists),
        *(f"/traces?{query}" for query in filters),
        f"/latency?{region}&service={wanted}",
        f"/traces/{wanted}",
        f"/errors/{wanted}",
        f"/{wanted}",
    ]


def look(page: Page, collector: Collector, paths: list[str]) -> set[str]:
    """Open pages, and everything that is folded; the kinds of elements and attributes that they have."""
    kinds: set[str] = set()
    for path in paths:
        page.goto(collector.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        kinds.update(page.evaluate(KINDS))
        for address in page.evaluate(SCHEMES):
            assert address == "" or address.startswith(("/", "#")), path
            assert not address.startswith(("//", "/\\")), path
    return kinds


def test_no_text_does_anything_in_a_browser(start_collector: Starter, made: Made, visitor: Visitor) -> None:
    collector = start_collector()
    with visitor(collector) as (visit, page):
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))"
        )
        trace_id = send_everywhere(collector, made, "harmless")
        usual = look(page, collector, addresses(collector, trace_id, "harmless"))
        # What only an unusual page has: words on what cannot be understood.
        usual |= look(page, collector, ["/traces?min=x", "/traces?q=nothing", "/traces?after=x", "/nowhere"])
        for text in HOSTILE:
            page.goto(f"{collector.url}/traces")
            trace_id = send_everywhere(collector, made, text)
            # What a page has waited for goes through its script.
            page.locator(f"a[href*='{trace_id}']").first.wait_for()
            kinds = set(page.evaluate(KINDS)) | look(page, collector, addresses(collector, trace_id, text))
            assert kinds - usual == set(), text
        assert dialogs == []
        visit.complaints = [each for each in visit.complaints if "status of 40" not in each]
