"""What was acknowledged stays: through kill -9 under load, and through a disk that is full for a while."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import sqlite3
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.collector.conftest import Answer, Collector, Made, Starter

_QUERIES = {
    "spans": "SELECT id FROM operation WHERE kind = 'span'",
    "segments": "SELECT id FROM operation WHERE kind = 'segment'",
    "lines": "SELECT message FROM log_line",
    "items": "SELECT uuid FROM item",
}


class Senders:
    """Send over every protocol at once; `acknowledged` says of each kind what the collector has taken."""

    def __init__(self, collector: Collector, made: Made) -> None:
        self._collector = collector
        self._made = made
        self.acknowledged: dict[str, set[str]] = {kind: set() for kind in _QUERIES}
        self.refused: dict[str, set[int]] = {kind: set() for kind in _QUERIES}
        self._ended = threading.Event()

    @contextlib.contextmanager
    def sending(self, threads: int = 2) -> Iterator[None]:
        """Send until the end of the block, or until nobody listens any more."""
        self._collector.logs("CreateLogStream", {"logGroupName": "cruddur", "logStreamName": "load"})
        kinds = [self._spans, self._segments, self._lines, self._item] * threads
        running = [threading.Thread(target=self._run, args=(kind,)) for kind in kinds]
        for thread in running:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in running:
                thread.join()

    def wait_for_all(self) -> None:
        """Wait until something of each kind was taken."""
        self._collector.eventually(lambda: all(self.acknowledged.values()))

    def _run(self, send: Callable[[], tuple[str, set[str], Answer]]) -> None:
        while not self._ended.is_set():
            try:
                kind, sent, answer = send()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.acknowledged[kind] |= sent
            else:
                self.refused[kind].add(answer.status)

    def _spans(self) -> tuple[str, set[str], Answer]:
        trace_id = self._made.trace_id()
        large = [{"key": "text", "value": {"stringValue": "x" * 2_000}}]
        spans = [self._made.span(trace_id, attributes=large) for _ in range(20)]
        answer = self._collector.post_json(self._made.export(*spans))
        return "spans", {span["spanId"] for span in spans}, answer

    def _segments(self) -> tuple[str, set[str], Answer]:
        made = [self._made.segment(self._made.trace_id()) for _ in range(20)]
        documents = {"TraceSegmentDocuments": [json.dumps(segment) for segment in made]}
        answer = self._collector.request("POST", "/TraceSegments", json.dumps(documents).encode())
        return "segments", {segment["id"] for segment in made}, answer

    def _lines(self) -> tuple[str, set[str], Answer]:
        now = time.time_ns() // 1_000_000
        messages = [secrets.token_hex(400) for _ in range(20)]
        events = [{"timestamp": now, "message": message} for message in messages]
        body = {"logGroupName": "cruddur", "logStreamName": "load", "logEvents": events}
        return "lines", set(messages), self._collector.logs("PutLogEvents", body)

    def _item(self) -> tuple[str, set[str], Answer]:
        uuid = secrets.token_hex(16)
        data = {"environment": "testing", "uuid": uuid, "body": {"message": {"body": "x" * 2_000}}}
        return "items", {uuid}, self._collector.item({"access_token": "a" * 32, "data": data})


def lost(senders: Senders, database: Path) -> dict[str, int]:
    """How many of each kind were acknowledged and are not there."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = {kind: {row[0] for row in connection.execute(query)} for kind, query in _QUERIES.items()}
    missing = {kind: len(sent - stored[kind]) for kind, sent in senders.acknowledged.items()}
    return {kind: count for kind, count in missing.items() if count}


@pytest.mark.soak
def test_what_was_acknowledged_is_there_after_kill(
    start_collector: Starter, made: Made, chance: random.Random, soak: int
) -> None:
    for _ in range(2 * soak):
        collector = start_collector()
        senders = Senders(collector, made)
        with senders.sending():
            senders.wait_for_all()
            time.sleep(chance.uniform(0, 0.5))
            collector.process.kill()
            collector.process.communicate()
        assert not any(senders.refused.values())
        again = start_collector()
        assert again.read(f"/api/items/{next(iter(senders.acknowledged['items']))}").status == 200
        assert lost(senders, again.database) == {}
        again.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_refuses_and_goes_on_by_itself(
    small_disk: Path, start_collector: Starter, made: Made
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 37 * 1024 * 1024)
    collector = start_collector(database=small_disk / "telemetry.db")
    first = made.trace_id()
    assert collector.post_json(made.export(made.span(first))).status == 200
    senders = Senders(collector, made)
    with senders.sending(threads=1):
        # Each protocol says so in its own way: full for good, or for now.
        expected = {"spans": 507, "segments": 503, "lines": 400, "items": 500}
        collector.eventually(lambda: all(expected[kind] in senders.refused[kind] for kind in expected))
        assert collector.read("/api/traces").status == 200
        assert collector.trace(first, spans=1)
    filler.unlink()
    later = Senders(collector, made)
    with later.sending():
        later.wait_for_all()
    collector.process.kill()
    collector.process.communicate()
    assert start_collector(database=collector.database).read("/api/traces").status == 200
    assert lost(senders, collector.database) == {}
    assert lost(later, collector.database) == {}
