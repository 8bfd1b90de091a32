"""What a stranger's clone can do to whoever runs it: nothing beyond running its own services."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.conftest import Repository
from tests.containers import ENVIRON, IMAGE, docker, need_engine, remains
from tests.e2e.checkout import free_port, remove_images
from tests.e2e.machine import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Bootstrap, Result

pytestmark = pytest.mark.slow

ENGINES = ("process", "compose")
_PATIENCE = 200.0

_MANIFEST = """\
[project]
name = "shop"

[services.web]
build = "web"
command = "exec %s serve.py"
port = %d
secrets = ["OWN"]

[secrets.OWN]
description = "What web alone may see \\u001b[2J\\u001b]0;owned\\u0007"
%s"""
_DOCKERFILE = f"""\
FROM {IMAGE}
RUN printf '\\033[31mBUILT\\033[0m\\033]0;owned\\007\\n' # %s
COPY serve.py .
CMD ["python3", "serve.py"]
"""
_SERVER = r"""
import http.server, os, pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if pathlib.Path("/data").is_dir():
    pathlib.Path("/data/mine").touch()
print("\x1b[2J\x1b[31mPWNED\x1b]0;owned\x07\x9b1mC1\r\x1b[Aover\x08\x7f", flush=True)
print(sorted(name for name in os.environ if name.startswith(("COMPOSE_", "DOCKER_HOST", "EVIL"))), flush=True)
address = ("0.0.0.0", int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, http.server.BaseHTTPRequestHandler).serve_forever()
"""
_NAMES = ("run.json", "web.pid", "bootstrap.pid", "compose.pid", ".bootstrap/run.json", ".bootstrap/web.pid")


class Clone:
    """A clone of the stranger's repository, and this user's command line in it."""

    def __init__(self, root: Path, bootstrap: Bootstrap, *, engine: str, more: str = "") -> None:
        self.repository = Repository(root)
        self.engine = engine
        self._bootstrap = bootstrap
        self.port = free_port()
        self.repository.write("bootstrap.toml", _MANIFEST % (sys.executable, self.port, more))
        self.repository.write("web/Dockerfile", _DOCKERFILE % secrets.token_hex(8))
        self.repository.write("web/serve.py", _SERVER)
        self.run("render").check(0)
        self.run("secrets", "use", "file").check(0)

    def run(self, *arguments: str, data: str = "") -> Result:
        return self._bootstrap(
            *arguments, cwd=self.repository.root, env=ENVIRON, data=data, timeout=_PATIENCE
        )

    def up(self) -> Result:
        return self.run("up", "--wait", "--engine", self.engine)

    def terminal(self, *arguments: str) -> Terminal:
        """Run a command in a terminal with colours."""
        environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        return Terminal(
            [sys.executable, "-m", "bootstrap", *arguments],
            self.repository.root,
            {**environ, **ENVIRON, "TERM": "xterm-256color"},
        )

    @property
    def project(self) -> str:
        name: str = json.loads(self.run("compose", "--", "config", "--format", "json").check(0).out)["name"]
        return name

    def containers(self) -> dict[str, str]:
        """The id of each of its containers, by service."""
        label = f"label=com.docker.compose.project={self.project}"
        form = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        listed = docker("ps", "--all", "--filter", label, "--format", form)
        return dict(line.split() for line in listed.splitlines())

    def clean_up(self) -> None:
        self.run("down", "--volumes").check(0)
        if self.engine == "compose":
            project = self.project
            remove_images(project, "web")
            assert remains(project) == {"containers": [], "networks": [], "volumes": []}


@pytest.fixture
def clone(tmp_path: Path, bootstrap: Bootstrap) -> Iterator[Callable[..., Clone]]:
    """Clone it: clone(engine, folder), with more lines for its manifest."""
    made: list[Clone] = []

    def make(engine: str, folder: str = "shop", more: str = "") -> Clone:
        if engine == "compose":
            need_engine()
        made.append(Clone(tmp_path / folder, bootstrap, engine=engine, more=more))
        return made[-1]

    yield make
    for each in made:
        for name in (".env", "docker-compose.override.yml"):
            (each.repository.root / name).unlink(missing_ok=True)
        each.clean_up()


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A living process of this user that is nobody's service."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield psutil.Process(process.pid)
        process.kill()


def _claim(process: psutil.Process, run_id: str) -> dict[str, Any]:
    """A record of a run, in the form of our own, whose supervisor and service this process is."""
    identity = {
        "pid": process.pid,
        "created": process.create_time(),
        "uid": os.getuid(),
        "run_id": run_id,
    }
    service = {"phase": "healthy", "port": None, "process": identity, "started": process.create_time()}
    return {
        "run_id": run_id,
        "supervisor": identity,
        "started": process.create_time(),
        "services": {"web": service},
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_committed_record_of_a_run_names_nobody(
    clone: Callable[..., Clone], bystander: psutil.Process, engine: str
) -> None:
    """`.env`, run state and pid files that came with the clone are not ours, whatever they say."""
    there = clone(engine)
    record = json.dumps(_claim(bystander, secrets.token_hex(16)))
    for name in _NAMES:
        text = record if name.endswith(".json") else f"{bystander.pid}\n"
        there.repository.write(name, text)
    there.repository.write("evil.yml", f"services: {{evil: {{image: {IMAGE}, command: [sleep, '600']}}}}\n")
    there.repository.write(
        ".env", "COMPOSE_FILE=evil.yml\nDOCKER_HOST=tcp://127.0.0.1:1\nCOMPOSE_PROJECT_NAME=evil\nEVIL=1\n"
    )
    there.repository.git("add", "--all", "--force")
    there.repository.commit()
    there.run("status").check(0, "Nothing has run here yet.")
    there.run("down").check(0, "Nothing was running.")
    there.up().check(0, "Everything is healthy.")
    shown = json.loads(there.run("status", "--json").check(0).out)
    assert {each["service"]: each["phase"] for each in shown if each["service"] != "telemetry"} == {
        "web": "healthy"
    }
    assert bystander.pid not in {each["pid"] for each in shown}
    there.run("logs", "web").check(0, "[]")  # its own environment
    if engine == "compose":
        assert there.containers().keys() == {"web"}
        assert there.project != "evil"
        assert not any(remains("evil").values())
    there.run("down").check(0, "Stopped ", "web")
    assert bystander.status() == psutil.STATUS_SLEEPING
    assert bystander.cmdline() == ["sleep", "600"]


def test_a_service_that_asks_for_another_s_secret_starts_nothing(clone: Callable[..., Clone]) -> None:
    there = clone("compose", more='[services.thief]\nbuild = "web"\n')
    value = secrets.token_hex(16)
    there.run("secrets", "set", "OWN", data=value).check(0)
    for override in (
        {"services": {"thief": {"environment": {"LOOT": "${OWN}"}}}},
        {"services": {"more": {"image": IMAGE, "command": ["echo", "x${OWN:-}"]}}},
    ):
        there.repository.write("docker-compose.override.yml", json.dumps(override))
        there.repository.commit()
        refused = there.up()
        refused.check(1)
        name = next(iter(override["services"]))
        wanted = f"the project's Compose files: services.{name} refers to OWN, which it does not declare"
        lines = [line for line in refused.err.splitlines() if not line.startswith("Engine: ")]
        assert lines == [
            f"bootstrap: {wanted}",
            f"  Remove that from docker-compose.override.yml, or declare it: services.{name}.secrets.",
        ]
        assert value not in refused.out + refused.err
        (there.repository.root / "docker-compose.override.yml").unlink()
        assert not any(remains(there.project).values())


_OUR_COLOUR = re.compile(r"\x1b\[(?:0|1|3[0-7]|9[0-7])(?:;1)?m")


def _check_safe(text: str) -> None:
    """Nothing steers a terminal but our own colours."""
    assert "\x1b[31mPWNED" not in text
    assert "\x1b[31mBUILT" not in text
    left = _OUR_COLOUR.sub("", text.replace("\r\n", "\n"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", left), left


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_of_a_clone_s_steers_a_terminal(clone: Callable[..., Clone], engine: str) -> None:
    there = clone(engine)
    up = there.terminal("up", "--engine", engine)
    up.until("Everything is healthy")
    assert r"\x1b[2J\x1b[31mPWNED\x1b]0;owned\x07" in up.text
    texts = []
    for arguments in (("logs",), ("status",), ("secrets", "list"), ("env", "web"), ("doctor",)):
        shown = there.terminal(*arguments)
        assert shown.end() in {0, 5}, shown.text
        texts.append(shown.text)
    assert r"\x1b[31mPWNED" in texts[0]
    assert (r"\x1b[31mBUILT" in texts[0]) == (engine == "compose")
    assert up.interrupt() == 130
    # What fails is quoted: a name of the manifest's, and a service's last lines.
    there.repository.write("web/serve.py", r"""raise SystemExit("\x1b[31mPWNED\x1b[2J")""")
    failed = there.terminal("up", "--engine", engine)
    assert failed.end() == 1
    assert r"\x1b[31mPWNED" in failed.text
    text = there.repository.read("bootstrap.toml")
    there.repository.write("bootstrap.toml", text + '"\\u001b[2J\\u001b[31mPWNED" = 1\n')
    refused = there.terminal("up")
    assert refused.end() == 1
    assert "PWNED" in refused.text
    there.repository.write("bootstrap.toml", text)
    for shown_text in (up.text, *texts, failed.text, refused.text):
        _check_safe(shown_text)


def test_clones_of_one_name_never_touch_each_other(clone: Callable[..., Clone]) -> None:
    """Two clones of one repository, one of them naming the other's project and volumes."""
    volumes = '[services.web.compose]\nvolumes = ["data:/data"]\n'
    mine, theirs = clone("compose", "mine/shop", volumes), clone("compose", "theirs/shop", volumes)
    added = {
        "extra": {"image": IMAGE, "command": ["sleep", "600"], "init": True},
        "task": {"image": IMAGE, "command": ["sleep", "2"]},
    }
    override = json.dumps({"services": added, "volumes": {"data": {}}})
    for each in (mine, theirs):
        each.repository.write("docker-compose.override.yml", override)
    mine.up().check(0)
    theirs.repository.write(".env", f"COMPOSE_PROJECT_NAME={mine.project}\n")
    before = mine.containers()
    assert before.keys() == {"extra", "task", "web"}  # what only the override has runs, too
    theirs.up().check(0)
    assert theirs.containers().keys() == before.keys()
    assert mine.project != theirs.project
    assert len(remains(theirs.project)["volumes"]) == 1
    theirs.run("down", "--volumes").check(0, "Stopped extra, task, web.")
    assert not any(remains(theirs.project).values())
    assert mine.containers() == before
    assert docker("exec", before["web"], "ls", "/data").split() == ["mine"]
    shown = json.loads(mine.run("status", "--json").check(0).out)
    phases = {each["service"]: each["phase"] for each in shown}
    assert phases == {"extra": "healthy", "task": "stopped", "web": "healthy"}
