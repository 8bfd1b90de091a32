"""`restart`, and what a reload and the logs look like from the command line."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_up import SERVER, free_port, manifest


@pytest.fixture
def project(repository: Any, bootstrap: Any) -> Iterator[Any]:
    repository.write("server.py", SERVER)
    repository.write("bootstrap.toml", manifest("server.py", free_port()))
    yield repository
    bootstrap("down", cwd=repository.root)


def status(bootstrap: Any, root: Path) -> dict[str, Any]:
    return {one["service"]: one for one in json.loads(bootstrap("status", "--json", cwd=root).check(0).out)}


def page(root: Path, said: str) -> str:
    found = re.search(r"^ +dashboard +(\S+)$", said, re.MULTILINE)
    assert found, (root, said)
    return found[1]


def test_services_are_started_again_one_by_one(project: Any, bootstrap: Any) -> None:
    root = project.root
    bootstrap("restart", cwd=root).check(2)
    bootstrap("restart", "api", cwd=root).check(3, "nothing runs here", "bootstrap up")
    said = bootstrap("up", "--detach", "--engine", "process", cwd=root).check(0).err
    before = status(bootstrap, root)
    bootstrap("restart", "nope", cwd=root).check(2, "there is no service 'nope'")
    bootstrap("restart", "api", cwd=root).check(0, "api is healthy again.")
    after = status(bootstrap, root)
    assert after["api"]["pid"] != before["api"]["pid"]
    assert after["telemetry"]["pid"] == before["telemetry"]["pid"]
    result = bootstrap("restart", "telemetry", "--json", cwd=root).check(0)
    (outcome,) = json.loads(result.out)
    assert (outcome["service"], outcome["phase"], outcome["output"]) == ("telemetry", "healthy", [])
    assert outcome["pid"] != before["telemetry"]["pid"]
    # The address that `up` printed is still the right one.
    seen = subprocess.run(["curl", "-sf", page(root, said)], capture_output=True, check=False)
    assert seen.returncode == 0


def test_a_service_that_does_not_come_back_is_shown(project: Any, bootstrap: Any) -> None:
    root = project.root
    bootstrap("up", "--detach", "--engine", "process", cwd=root).check(0)
    project.write("server.py", "print(1 / 0)\n")
    bootstrap("restart", "api", cwd=root).check(
        *(1, "api failed: exited with code 1 before it was ready"),
        *("api | ZeroDivisionError", "bootstrap logs api"),
    )
    result = bootstrap("restart", "api", "--json", cwd=root).check(1)
    (outcome,) = json.loads(result.out)
    assert (outcome["phase"], outcome["output"][-1]) == ("failed", "ZeroDivisionError: division by zero")
    assert status(bootstrap, root)["telemetry"]["phase"] == "healthy"
    project.write("server.py", SERVER)
    deadline = time.monotonic() + 30
    while status(bootstrap, root)["api"]["phase"] != "healthy":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def in_a_terminal(argv: list[str], cwd: Path, **environ: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = (
        {name: text for name, text in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | environ
    )
    with subprocess.Popen(argv, cwd=cwd, env=env, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 4096):
                said += chunk
        except OSError:  # Linux says so at the end
            pass
        assert process.wait(60) == 0
    os.close(ours)
    return said.decode()


def test_logs_have_the_colours_of_up_at_a_terminal_only(project: Any, bootstrap: Any) -> None:
    root = project.root
    script = "import os, signal, sys, threading, time\n"
    project.write("server.py", script + SERVER)
    command = [sys.executable, "-m", "bootstrap"]
    stop = (
        f"({sys.executable} -m bootstrap up --engine process & up=$!; sleep 0.1; "
        f"until {sys.executable} -m bootstrap status --json | grep -c '\"healthy\"' | grep -q 2; "
        "do sleep 0.2; done; kill -INT $up; wait $up; test $? = 130)"
    )
    seen = in_a_terminal(["bash", "-c", stop], root)
    prefix = re.search(r"\x1b\[\d+mapi       \| \x1b\[0m", seen)
    assert prefix, seen
    logs = in_a_terminal([*command, "logs", "api"], root)
    assert logs.startswith(prefix[0] + "asked for /")
    assert "\x1b" not in in_a_terminal([*command, "logs", "api"], root, NO_COLOR="1")
    assert bootstrap("logs", "api", cwd=root).check(0).out.startswith("api       | asked for /")
