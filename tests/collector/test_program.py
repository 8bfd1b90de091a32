"""The collector as a program of its own, which the environment alone tells what to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from bootstrap.collector.__main__ import settings_from
from bootstrap.collector.asking.questions import Expected
from tests.collector.conftest import PATIENCE, Collector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.collector.conftest import Made

TOKEN = "made-up-token-of-the-run"
PREFIX = "BOOTSTRAP_COLLECTOR_"


def start(**variables: str) -> subprocess.Popen[str]:
    named = {f"{PREFIX}{name}": value for name, value in variables.items()}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "bootstrap.collector"],
        env={"PATH": os.environ["PATH"], **named},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Collector]:
    mask = tmp_path / "mask"
    mask.write_text(json.dumps(["made-up-hidden-value", ""]))
    database = tmp_path / "telemetry.sqlite3"
    process = start(
        TOKEN=TOKEN,
        HTTP="0.0.0.0:0",
        DAEMON="127.0.0.1:0",
        DATABASE=str(database),
        HOSTS="telemetry:4318, localhost:14318",
        LOG_GROUPS="cruddur, shop/web",
        MASK=str(mask),
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("collector: receives at http://127.0.0.1:")
    yield Collector(process, line.split()[-1], "", TOKEN, database)
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_answers_to_the_names_it_was_given(program: Collector) -> None:
    statuses = {
        host: program.request("GET", "/healthz", headers={"Host": host}).status
        for host in ("telemetry:4318", "localhost:14318", f"127.0.0.1:{program.port}", "elsewhere:4318")
    }
    assert list(statuses.values()) == [200, 200, 200, 403]


def test_what_was_answered_before_the_signal_is_stored_and_masked(program: Collector, made: Made) -> None:
    trace_id = made.trace_id()
    span = made.span(trace_id, name="GET made-up-hidden-value")
    assert program.post_json(made.export(span)).status == 200
    groups = program.logs("DescribeLogGroups", {}).json()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["cruddur", "shop/web"]
    assert program.read(f"/api/traces/{trace_id}").json()["spans"][0]["name"] == "GET [masked]"
    assert program.stop(signal.SIGTERM) == ("", "")
    assert program.process.returncode == 0
    [stored] = program.database.parent.glob("telemetry.sqlite3*")
    assert trace_id.encode() in stored.read_bytes()
    assert b"made-up-hidden-value" not in stored.read_bytes()


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no token": ({"TOKEN": ""}, "BOOTSTRAP_COLLECTOR_TOKEN is not set"),
    "no port": ({"HTTP": "127.0.0.1"}, "BOOTSTRAP_COLLECTOR_HTTP is not host:port"),
    "a port as text": ({"HTTP": "127.0.0.1:http"}, "BOOTSTRAP_COLLECTOR_HTTP is not host:port"),
    "an inlet for everybody": ({"DAEMON": "0.0.0.0:0"}, "takes from this machine only"),
    "no size": ({"BYTES": "1 GiB"}, "BOOTSTRAP_COLLECTOR_BYTES is no number above 0"),
    "no time": ({"KEEP_DAYS": "0"}, "BOOTSTRAP_COLLECTOR_KEEP_DAYS is no number above 0"),
    "no folder": ({"DATABASE": "/nowhere/telemetry.sqlite3"}, "/nowhere/telemetry.sqlite3"),
    "no mask": ({"MASK": "/nowhere/mask"}, "/nowhere/mask: is not a JSON list of texts"),
    "no expectation": ({"EXPECTED": '[{"service": "web"}]'}, "BOOTSTRAP_COLLECTOR_EXPECTED is not what"),
    "a mask that is none": ({"MASK": "/dev/null"}, "/dev/null: is not a JSON list of texts"),
}


@pytest.mark.parametrize(("variables", "message"), WRONG.values(), ids=WRONG.keys())
def test_it_says_why_it_cannot_start(tmp_path: Path, variables: dict[str, str], message: str) -> None:
    usable = {
        "TOKEN": TOKEN,
        "HTTP": "127.0.0.1:0",
        "DAEMON": "127.0.0.1:0",
        "DATABASE": str(tmp_path / "telemetry.sqlite3"),
    }
    process = start(**{**usable, **variables})
    output, complaint = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (1, "")
    assert message in complaint
    assert (complaint.count("\n"), TOKEN in complaint) == (2, False)


def test_what_a_run_sends_where_is_read_as_flows_write_it() -> None:
    expected = (
        Expected("web", "xray", "AWS X-Ray", "local", "chosen: $HOME \u2028"),
        Expected("web", "rollbar", "Rollbar", "off", ""),
    )
    variables = {f"{PREFIX}TOKEN": TOKEN, f"{PREFIX}EXPECTED": msgspec.json.encode(expected).decode()}
    assert settings_from(variables).expected == expected
    assert settings_from({f"{PREFIX}TOKEN": TOKEN}).expected == ()


FOREIGN = """
import sys
import bootstrap.collector.__main__
print([name for name in sys.modules if name.startswith("bootstrap.")])
print([name for name in ("boto3", "keyring", "psutil", "tomlkit") if name in sys.modules])
"""


def test_it_needs_no_more_than_its_own_layers() -> None:
    done = subprocess.run([sys.executable, "-c", FOREIGN], capture_output=True, text=True, check=True)
    ours, others = done.stdout.splitlines()
    layers = {name.strip("' ").split(".")[1] for name in ours.strip("[]").split(",")}
    assert (layers, others) == ({"collector", "model", "system"}, "[]")
