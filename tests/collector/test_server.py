from __future__ import annotations

import contextlib
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest

from bootstrap.collector.server import Settings
from bootstrap.collector.sockets import bind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.conftest import Made, Starter

SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_quietly_and_leaves_no_port(
    start_collector: Starter, number: signal.Signals
) -> None:
    collector = start_collector()
    collector.read("/api/traces")
    assert collector.stop(number) == ("returned\n", "")
    assert collector.process.returncode == 0
    bind(("127.0.0.1", collector.port), ("127.0.0.1", collector.daemon_port)).close()


def test_what_has_arrived_before_the_signal_is_stored(start_collector: Starter, made: Made) -> None:
    collector = start_collector()
    trace_id = made.trace_id()
    for _ in range(100):
        collector.send_segment(made.segment(trace_id))
    collector.stop()
    trace = start_collector(database=collector.database).read(f"/api/traces/{trace_id}").json()
    assert len(trace["segments"]) == 100


def test_a_slow_sender_does_not_hold_it_up(start_collector: Starter) -> None:
    collector = start_collector()
    with socket.create_connection(("127.0.0.1", collector.port)) as slow:
        head = (
            f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:{collector.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        slow.sendall(head.encode())
        assert collector.request("GET", "/healthz").status == 200
        start = time.monotonic()
        assert collector.stop() == ("returned\n", "")
        # Under a second on an idle machine; a sender that it waited for would take thirty.
        assert time.monotonic() - start < 10


def test_after_kill_9_under_load_every_answered_span_is_there(start_collector: Starter, made: Made) -> None:
    collector = start_collector()
    trace_id = made.trace_id()
    answered: list[str] = []

    def send_until_it_dies() -> None:
        with contextlib.suppress(OSError, HTTPException):
            while True:
                span = made.span(trace_id)
                assert collector.post_json(made.export(span)).status == 200
                answered.append(span["spanId"])

    with ThreadPoolExecutor(4) as senders:
        done = [senders.submit(send_until_it_dies) for _ in range(4)]
        collector.eventually(lambda: len(answered) > 50)
        collector.process.kill()
        for sender in done:
            sender.result()
    again = start_collector(database=collector.database)
    stored = {span["span_id"] for span in again.read(f"/api/traces/{trace_id}").json()["spans"]}
    assert set(answered) <= stored
    assert again.post_json(made.export(made.span(trace_id))).status == 200
    assert len(again.read(f"/api/traces/{trace_id}").json()["spans"]) == len(stored) + 1


def test_impatient_signals_change_nothing(start_collector: Starter, made: Made) -> None:
    collector = start_collector()
    trace_id = made.trace_id()
    collector.send_segment(made.segment(trace_id))
    while collector.process.poll() is None:
        for number in SIGNALS:
            collector.process.send_signal(number)
    assert collector.process.communicate() == ("returned\n", "")
    assert start_collector(database=collector.database).read(f"/api/traces/{trace_id}").status == 200


def test_a_collector_without_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        Settings(tmp_path / "telemetry.db", "", ("127.0.0.1", 0), ("127.0.0.1", 0))


def test_secrets_are_nowhere_in_the_store(start_collector: Starter, made: Made) -> None:
    secret = "made-up-hidden-value"
    collector = start_collector(hidden=(secret,))
    trace_id = made.trace_id()
    attributes = [
        {
            "key": "url.full",
            "value": {"stringValue": f"https://example.test/?key={secret}&t={collector.token}"},
        },
        {"key": "raw", "value": {"bytesValue": "bWFkZS11cC1oaWRkZW4tdmFsdWU="}},
        {
            "key": "http.request.header.authorization",
            "value": {"arrayValue": {"values": [{"stringValue": "Basic x"}]}},
        },
    ]
    span = made.span(trace_id, name=f"GET {secret}", attributes=attributes, traceState=f"a={secret}")
    span["events"] = [{"name": secret, "timeUnixNano": "1", "attributes": attributes}]
    span["status"] = {"code": 2, "message": secret}
    assert collector.post_json(made.export(span, service=secret)).status == 200
    collector.send_segment(
        made.segment(trace_id, name=secret, http={"request": {"url": f"http://a/{secret}"}})
    )
    trace = collector.trace(trace_id, spans=1, segments=1)
    assert trace["spans"][0]["attributes"] == {
        "url.full": "https://example.test/?key=[masked]&t=[masked]",
        "raw": "[masked]",
        "http.request.header.authorization": "[masked]",
    }
    assert trace["segments"][0]["http"]["request"]["url"] == "http://a/[masked]"
    collector.stop()
    stored = b"".join(path.read_bytes() for path in collector.database.parent.iterdir())
    assert b"[masked]" in stored
    for hidden in (secret, collector.token, "bWFkZS11cC1oaWRkZW4tdmFsdWU", "Basic x"):
        assert hidden.encode() not in stored


def test_the_file_is_private(start_collector: Starter) -> None:
    collector = start_collector()
    assert stat.S_IMODE(collector.database.stat().st_mode) == 0o600


def test_a_full_disk_is_said_and_survived(start_collector: Starter, made: Made) -> None:
    """A file-size limit stands in for the disk: SQLite sees the same kind of failure."""
    resource = pytest.importorskip("resource")
    collector = start_collector()
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux can limit another process")
    limits = resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    trace_id = made.trace_id()
    answer = collector.post_json(made.export(made.span(trace_id)))
    assert (answer.status, answer.json()["code"]) == (503, 14)
    resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE, limits)
    assert collector.post_json(made.export(made.span(trace_id))).status == 200
    assert collector.read(f"/api/traces/{trace_id}").status == 200
    complaint = collector.stop()[1]
    assert complaint.startswith("collector: the telemetry store refused 1 records")
    assert complaint.count("\n") == 1


FAILING = """
import sys
from pathlib import Path
from bootstrap.collector.server import Settings, serve
from bootstrap.model.errors import BootstrapError
database, port = Path(sys.argv[1]), int(sys.argv[2])
try:
    serve(Settings(database, "made-up", ("127.0.0.1", port), ("127.0.0.1", 0)), lambda at: print("ready"))
except BootstrapError as error:
    print(error.message, "|", error.hint)
"""


def _fail(database: Path, port: int) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FAILING, str(database), str(port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with contextlib.closing(bind(("127.0.0.1", 0), ("127.0.0.1", 0))) as taken:
        port = taken.http.getsockname()[1]
        said = _fail(tmp_path / "telemetry.db", port)
    assert said.startswith(f"port {port} on 127.0.0.1 is taken | ")
    assert not (tmp_path / "telemetry.db").exists()


def test_an_unusable_database_is_named(tmp_path: Path) -> None:
    said = _fail(tmp_path / "nowhere" / "telemetry.db", 0)
    assert said.startswith(str(tmp_path / "nowhere" / "telemetry.db"))
