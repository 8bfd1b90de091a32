"""The receivers in a process of their own."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import receivers
from calls import item, rollbar_call


@contextlib.contextmanager
def running() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "receivers"],
        cwd=Path(receivers.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout
    return json.loads(process.stdout.readline())


def command(process: subprocess.Popen[str], text: str) -> Any:
    assert process.stdin
    process.stdin.write(f"{text}\n")
    process.stdin.flush()
    return line(process)


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
def test_it_prints_where_it_is_takes_faults_and_tells_what_arrived(ending: str) -> None:
    with running() as process:
        environ = line(process)
        port = urlsplit(environ["ROLLBAR_ENDPOINT"]).port or 0
        good = rollbar_call(environ["ROLLBAR_ACCESS_TOKEN"], item())
        assert good.send(port).status == 200
        assert command(process, "")["items"] == 1
        command(process, "rollbar 429")
        assert good.send(port).status == 429
        command(process, "all slow 0.01")
        assert rollbar_call("somebody-else", item()).send(port).status == 403
        if ending == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        elif process.stdin:
            process.stdin.close()
        arrived = line(process)
        assert process.wait(receivers.PATIENCE) == 0
    assert arrived["items"] == 1
    assert arrived["rollbar_bytes"] == len(good.body)
    assert arrived["refusals"] == {"rollbar: 403 access token not found": 1}
    assert not any(arrived[kind] for kind in ("spans", "segments", "sampling_requests", "log_lines"))
