"""What the SDKs for Node send: OpenTelemetry's over HTTP in both encodings, and Rollbar's."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.conftest import Collector, Made


@pytest.mark.slow
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_spans_and_an_item_of_one_trace(
    collector: Collector, made: Made, node_folder: Path, compression: str
) -> None:
    trace_id = made.trace_id()
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_SERVICE_NAME": "node-web",
        "ROLLBAR_ENDPOINT": f"{collector.url}/api/1/item/",
    }
    done = subprocess.run(
        ["node", "send.mjs", trace_id],
        cwd=node_folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    trace = collector.trace(trace_id, spans=2, items=1)
    assert {span["name"] for span in trace["spans"]} == {"by json", "by protobuf"}
    for span in trace["spans"]:
        assert (span["service"], span["parent_span_id"]) == ("node-web", "00f067aa0ba902b7")
        assert span["attributes"] == {"user.id": 7, "ratio": 0.5, "tags": ["a", "b"], "big": 2**53}
        assert span["status"] == {"code": "error", "message": "it broke"}
        happened, broke = span["events"]
        assert happened["attributes"] == {"note": "ünïcode"}
        assert (broke["name"], broke["attributes"]["exception.type"]) == ("exception", "Error")
        assert span["scope"]["name"] == "clients"
    [item] = trace["items"]
    assert (item["title"], item["level"], item["environment"]) == (
        "TypeError: it broke in node",
        "error",
        "test",
    )
    assert item["service"] == "node-web"
    assert "0" * 32 not in str(item)
