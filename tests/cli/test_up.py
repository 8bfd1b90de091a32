"""`up` as people use it: in the background, twice, in two projects at once, and when a service fails."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.containers import ENVIRON, need_engine

SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked for", self.path, flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port: int = probe.getsockname()[1]
        return port


def manifest(command: str, port: int) -> str:
    return (
        '[project]\nname = "small"\n[services.api]\nbuild = "."\nhealth = "/"\n'
        f'telemetry = ["honeycomb", "xray"]\nport = {port}\ncommand = "exec {sys.executable} {command}"\n'
    )


@pytest.fixture
def project(repository: Any, bootstrap: Any) -> Iterator[Any]:
    repository.write("server.py", SERVER)
    repository.write("bootstrap.toml", manifest("server.py", free_port()))
    yield repository
    bootstrap("down", cwd=repository.root)


def test_in_the_background_and_again(project: Any, bootstrap: Any) -> None:
    first = bootstrap("up", "--detach", cwd=project.root).check(
        0, "Everything is healthy.", "X-Ray", "local:"
    )
    assert re.search(r"^  api +http://localhost:\d+/$", first.err, re.MULTILINE)
    bootstrap("up", "--detach", cwd=project.root).check(1, "this project already runs", "bootstrap down")
    bootstrap("up", "--detach", "nope", cwd=project.root).check(2, "there is no service 'nope'")
    status = bootstrap("status", cwd=project.root).check(0, "telemetry", "api", "healthy")
    pages = [re.search(r"[Dd]ashboard:? +(http\S+/\?token=\S+)", text) for text in (first.err, status.err)]
    assert pages[0]
    assert pages[1]
    assert pages[0][1] == pages[1][1]
    bootstrap("logs", "nope", cwd=project.root).check(2, "there is no service 'nope'")
    assert "asked for /" in bootstrap("logs", "api", cwd=project.root).check(0).out
    bootstrap("down", cwd=project.root).check(0, "Stopped telemetry, api.")
    bootstrap("down", cwd=project.root).check(0, "Nothing was running.")


def test_every_run_has_a_key_of_its_own_for_public_services(
    project: Any, bootstrap: Any, clean_environment: Path
) -> None:
    server = SERVER.replace('print("asked for", self.path', 'print("key", os.environ.get("TRACE_PROOF_KEY")')
    project.write("server.py", server)
    keys = []
    for public in ("public = true\n", "public = true\n", ""):
        project.write("bootstrap.toml", manifest("server.py", free_port()) + public)
        bootstrap("up", "--detach", cwd=project.root).check(0)
        (state,) = (clean_environment / "state").rglob("trace-proof.json")
        keys.append(json.loads(state.read_text())["key"])
        seen = bootstrap("logs", "api", cwd=project.root).check(0).out
        bootstrap("down", cwd=project.root).check(0)
        assert keys[-1] not in seen  # a secret, masked where it is shown
        assert ("key [masked]" if public else "key None") in seen
    assert len(set(keys)) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


def test_the_background_log_does_not_grow_with_what_services_write(
    project: Any, bootstrap: Any, clean_environment: Path
) -> None:
    project.write(
        "server.py",
        "import threading\nthreading.Thread(target=lambda: [print('noise') for _ in range(9**6)])"
        ".start()\n" + SERVER,
    )
    bootstrap("up", "--detach", cwd=project.root).check(0)
    (log,) = (clean_environment / "state").rglob("up.log")
    assert "noise" not in log.read_text()


@pytest.mark.parametrize("detach", [False, True])
def test_a_service_that_fails_is_named_with_its_last_words(
    project: Any, bootstrap: Any, *, detach: bool
) -> None:
    project.write("bootstrap.toml", manifest("-c 'print(1 / 0)'", free_port()))
    result = bootstrap("up", *(["--detach"] * detach), cwd=project.root)
    result.check(1, "api failed: exited with code 1", "bootstrap logs api")
    assert "ZeroDivisionError" in bootstrap("logs", "api", cwd=project.root).out


def test_a_project_without_services_runs_its_collector(repository: Any, bootstrap: Any) -> None:
    repository.write("bootstrap.toml", '[project]\nname = "empty"\n')
    bootstrap("up", "--detach", "--engine", "process", cwd=repository.root).check(0, "Everything is healthy.")
    bootstrap("verify", cwd=repository.root).check(3, "no service of this project reports", "telemetry =")
    bootstrap("down", cwd=repository.root).check(0, "Stopped telemetry.")


def test_without_services_there_is_no_container(repository: Any, bootstrap: Any) -> None:
    need_engine()
    repository.write("bootstrap.toml", '[project]\nname = "empty"\n')
    bootstrap("render", cwd=repository.root).check(0)
    result = bootstrap("up", "--engine", "compose", cwd=repository.root, env=ENVIRON)
    result.check(3, "there is no service that could run", "bootstrap service add NAME")


def test_an_engine_that_does_not_answer_is_named(project: Any, bootstrap: Any) -> None:
    project.write("docker-compose.yml", "services: {}\n")
    project.write(
        "bin/docker", "#!/bin/sh\n[ $1 = compose ] && echo 2.30.0 || { echo 'no daemon' >&2; exit 1; }\n"
    )
    (project.root / "bin" / "docker").chmod(0o755)
    path = {"PATH": f"{project.root}/bin:{os.environ['PATH']}"}
    said = bootstrap("doctor", cwd=project.root, env=path).out
    assert f"{project.root}/bin/docker: no daemon; `bootstrap up` needs none" in said


def test_two_projects_that_start_at_once_both_run(project: Any, bootstrap: Any, tmp_path: Path) -> None:
    other = type(project)(tmp_path / "other")
    other.write("server.py", SERVER)
    other.write("bootstrap.toml", manifest("server.py", free_port()))
    command = [sys.executable, "-m", "bootstrap", "up", "--detach"]
    runs = [
        subprocess.Popen(command, cwd=each.root, stderr=subprocess.PIPE, text=True)
        for each in (project, other)
    ]
    try:
        said = [run.communicate(timeout=120)[1] for run in runs]
        assert [run.returncode for run in runs] == [0, 0], said
        collectors = {re.search(r"collector +http://127.0.0.1:(\d+) ", text)[1] for text in said}  # type: ignore[index]
        assert len(collectors) == 2
    finally:
        bootstrap("down", cwd=other.root)


@pytest.mark.parametrize("odd", ["full", "closed", "ascii"])
def test_trouble_with_its_output_is_no_bug(project: Any, bootstrap: Any, odd: str) -> None:
    redirection = {"full": "> /dev/full", "closed": ">&-", "ascii": ""}[odd]
    project.write("server.py", "import sys\nsys.stdout.buffer.write('über\\n'.encode())\n" + SERVER)
    run = subprocess.Popen(
        ["sh", "-c", f"PYTHONIOENCODING=ascii exec {sys.executable} -m bootstrap up {redirection}"],
        cwd=project.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while odd != "full" and time.monotonic() < deadline and run.poll() is None:
        if "healthy" in bootstrap("status", "--json", cwd=project.root).out.split('"service": "api"')[-1]:
            break
    if odd != "full":
        bootstrap("down", cwd=project.root)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == (1 if odd == "full" else 0), errors
    assert "something went wrong" not in errors
