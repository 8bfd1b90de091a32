"""Another page in a browser that is signed in to the collector: it reads nothing and stores nothing."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.collector.conftest import Collector, Made, Starter
    from tests.collector.dashboard.conftest import Visitor

pytestmark = pytest.mark.slow

ATTACK = """
const hard = (promise) => Promise.race([
  Promise.resolve(promise).catch((error) => error.name),
  new Promise((resolve) => setTimeout(resolve, 5000, "nothing happened")),
]);
const told = (thing, good, bad) => hard(new Promise((resolve) => {
  thing[good] = () => resolve("LOADED");
  thing[bad] = () => resolve("refused");
}));
const element = (name, properties) => {
  const made = Object.assign(document.createElement(name), properties);
  const result = told(made, "onload", "onerror");
  document.body.append(made);
  return result;
};
const text = (url, how) => hard(
  fetch(url, { credentials: "include", ...how })
    .then((answer) => answer.text())
    .then((got) => got || "nothing")
);

const send = (stuff) => Promise.all(Object.entries(stuff).flatMap(([url, body]) => [
  text(url, { method: "POST", mode: "no-cors", body }),
  text(url, { method: "POST", body, headers: { "Content-Type": "application/json" } }),
  hard(Promise.resolve(navigator.sendBeacon(url, body))),
  hard(new Promise((resolve) => {
    // As text/plain: the JSON, in which the equals sign stands in a string that nobody looks at.
    const form = document.createElement("form");
    const name = `frame${Math.random()}`;
    const frame = Object.assign(document.createElement("iframe"), { name, onload: resolve });
    document.body.append(frame);
    Object.assign(form, { action: url, method: "post", enctype: "text/plain", target: name });
    const [start, end] = [body.slice(0, -1), "}"];
    form.append(Object.assign(document.createElement("input"), { name: `${start},"x":"`, value: `"${end}` }));
    document.body.append(form);
    form.submit();
  })),
]));

const read = async (at, files) => {
  const found = {};
  for (const path of ["/api/overview", "/api/stream", "/", "/healthz"]) {
    found[`fetch ${path}`] = await text(at + path, {});
    found[`no-cors ${path}`] = await text(at + path, { mode: "no-cors" });
  }
  for (const file of files) {
    const name = file.endsWith(".svg") ? "img" : file.endsWith(".js") ? "script" : "link";
    const address = name === "link" ? { rel: "stylesheet", href: at + file } : { src: at + file };
    found[`${name} of a file`] = await element(name, address);
  }
  found["script of JSON"] = await element("script", { src: `${at}/api/traces` });
  found["image of JSON"] = await element("img", { src: `${at}/api/traces` });
  const stream = new EventSource(`${at}/api/stream?last=10`, { withCredentials: true });
  found.events = await told(stream, "onopen", "onerror");
  stream.close();
  const socket = new WebSocket(at.replace("http", "ws") + "/api/stream");
  found.socket = await told(socket, "onopen", "onerror");
  const frame = document.createElement("iframe");
  const loaded = new Promise((resolve) => { frame.onload = resolve; });
  frame.src = `${at}/traces`;
  document.body.append(frame);
  await hard(loaded);
  const opened = window.open(`${at}/traces`);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  try {
    found.window = opened === null || opened.closed ? "refused" : opened.document.body.innerText;
  } catch (error) {
    found.window = error.name;
  }
  return found;
};
"""

NOTHING = {"TypeError", "nothing", "refused", "SecurityError"}


@pytest.fixture
def other_server() -> Iterator[int]:
    """The port of a server of somebody else on this machine, with an empty page."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><body>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def parcels(collector: Collector, made: Made) -> dict[str, str]:
    """What each receiver would store, or count, by the address that it is sent to."""
    trace_id = made.trace_id()
    item = {"access_token": "a" * 32, "data": {"environment": "test", "body": {"message": {"body": "a"}}}}
    segments = {"TraceSegmentDocuments": [json.dumps(made.segment(trace_id))]}
    contents = {
        "/v1/traces": made.export(made.span(trace_id)),
        "/api/1/item/": item,
        "/TraceSegments": segments,
        "/": {"logGroupName": "made-by-a-page"},
    }
    return {collector.url + path: json.dumps(content) for path, content in contents.items()}


def run(page: Page, call: str, *arguments: Any) -> Any:
    return page.evaluate(f"async (given) => {{ {ATTACK}; return await {call}(...given); }}", list(arguments))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"], ids=["same site", "another site"])
def test_another_page(
    start_collector: Starter, made: Made, visitor: Visitor, other_server: int, name: str
) -> None:
    collector = start_collector()
    with visitor(collector) as (visit, page):
        sent = parcels(collector, made)
        files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.content())
        assert {file.rpartition(".")[2] for file in files} == {"svg", "css", "js"}

        other = visit.context.new_page()
        other.goto(f"http://{name}:{other_server}/")
        run(other, "send", sent)
        results = run(other, "read", collector.url, files)
        assert {way: what for way, what in results.items() if what not in NOTHING} == {}
        assert {frame.url for frame in other.frames[1:]} <= {"chrome-error://chromewebdata/", "about:blank"}
        # Even where it knows no name of its own.
        sandboxed = f"{ATTACK}; send({json.dumps(sent)}).then(() => parent.postMessage('done', '*'));"
        other.evaluate(
            """(script) => new Promise((done) => {
              window.onmessage = done;
              const frame = document.createElement("iframe");
              frame.sandbox = "allow-scripts allow-forms";
              frame.srcdoc = `<body><script>${script}</script>`;
              document.body.append(frame);
            })""",
            sandboxed,
        )
        assert collector.read("/api/received").json() == {}

        # The collector's own page may, so that nothing else is in the way.
        own = run(page, "send", {address: body for address, body in sent.items() if "item" in address})
        assert own
        assert collector.received("rollbar", "stored") > 0
        assert page.evaluate("fetch('/api/overview').then((answer) => answer.status)") == 200
        visit.complaints.clear()


def test_another_site_may_only_lead_here(collector: Collector, visitor: Visitor, other_server: int) -> None:
    """A link opens the page; a form that is sent here by itself does nothing."""
    with visitor(collector) as (visit, _):
        other = visit.context.new_page()
        for method, shown in (("get", True), ("post", False)):
            other.goto(f"http://localhost:{other_server}/?{urlencode({'method': method})}")
            other.evaluate(
                """([at, method]) => {
                  const form = Object.assign(document.createElement("form"), { action: at, method });
                  document.body.append(form);
                  form.submit();
                }""",
                [f"{collector.url}/traces", method],
            )
            other.wait_for_url(f"{collector.url}/traces*")
            assert (other.locator("h1").count() == 1) == shown
        visit.complaints.clear()
