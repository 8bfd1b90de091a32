"""Texts that break encoders, and real readers to give them to."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socketserver
import string
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What some reader expands, ends a value at, strips, folds or takes for a comment, a number or a key.
_TRAPS = (
    *"'\"`$\\#!&|;<>()[]{}*?~=%^:,-@ \t\n\r\v\f\x01\x1b\x7f\x85\xa0\u2028\u2029\ufeff\ufffe\uf641\U0001f600",
    *(
        "$$",
        "${X}",
        "${X:-y}",
        "$X",
        "$(id)",
        "`id`",
        "${",
        "}",
        "\\n",
        "\\$",
        "\\'",
        "'\\''",
        '\\"',
        "$'",
        '$"',
    ),
    *(
        "\r\n",
        " #",
        "# ",
        ": ",
        "- ",
        "? ",
        "|\n",
        ">-",
        "---\n",
        "...",
        "%YAML",
        "!!str ",
        "&a ",
        "*a",
        "<<",
    ),
    *("null", "~", "yes", "No", "on", "true", "1", "0x1", "0o7", "1e3", "1_0", "12:30", ".inf", "2020-01-01"),
    *("A=b", "export A=b", "{{ x }}", "{% x %}", "C:\\", "https://example.com/a?b=c#d", "x" * 200),
)
_KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC+/=\n" * 24
_PEM = f"-----BEGIN PRIVATE KEY-----\n{_KEY}-----END PRIVATE KEY-----\n"
_DOCUMENT = json.dumps({"text": "a\n\"b\" 'c'", "path": "C:\\x", "cost": "$5 & more", "list": [1, None]})


@pytest.fixture(scope="session")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the commands among the hostile values touch, if a reader runs one."""
    return tmp_path_factory.mktemp("canary") / "touched"


@pytest.fixture(autouse=True)
def nothing_is_executed(canary: Path) -> Iterator[None]:
    """Look for the canary after each test."""
    yield
    assert not canary.exists()


@pytest.fixture(scope="session")
def hostile(canary: Path) -> st.SearchStrategy[str]:
    """Every text that an environment variable can hold: no NUL, and nothing that UTF-8 cannot encode."""
    touch = f"touch {canary}"
    commands = [f"$({touch})", f"`{touch}`", f"({touch})", f";{touch};", f"\n{touch}\n", f"|{touch}&"]
    quoted = [f"{quote}{command}{quote}" for quote in "'\"" for command in commands]
    anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    traps = st.lists(st.sampled_from([*_TRAPS, *commands, *quoted]), max_size=6).map("".join)
    whole = st.sampled_from([_PEM, _DOCUMENT])
    mixed = st.tuples(traps, anything | whole, traps).map("".join)
    return st.one_of(traps, mixed, anything)


def _grown(text: str) -> str:
    """Repeat it up to 32 KB."""
    data = (text or "x").encode()
    return (data * (32_768 // len(data) + 1))[:32_768].decode(errors="ignore")


@pytest.fixture(scope="session")
def corpus(hostile: st.SearchStrategy[str], soak: int) -> list[str]:
    """Different hostile values; every 50th is 32 KB long. In a soak, every character there is, too."""
    values = _different(hostile, soak)
    grown = [_grown(value) if number % 50 == 0 else value for number, value in enumerate(values)]
    return [*grown, *_every_character()] if soak > 1 else grown


@pytest.fixture(scope="session")
def words(soak: int) -> list[str]:
    """Different words of the characters that every reader of .env files takes for themselves."""
    return _different(st.text(string.ascii_letters + string.digits + "_./:=@%+,-", max_size=40), soak)


def _every_character() -> list[str]:
    """All but NUL and surrogates, 4096 to a value."""
    every = "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x110000)]))
    return [every[start : start + 4096] for start in range(0, len(every), 4096)]


def _different(strategy: st.SearchStrategy[str], soak: int) -> list[str]:
    """Generate values one by one: in a list of many, Hypothesis repeats most."""
    found: dict[str, None] = {}
    _check_all(strategy, found.setdefault, 1500 * soak if soak > 1 else 400)
    return list(found)


class ForAll(Protocol):
    """Check a property: for_all(strategy, check, examples=...)."""

    def __call__(
        self, strategy: st.SearchStrategy[Any], check: Callable[[Any], None], *, examples: int
    ) -> None: ...


@pytest.fixture
def for_all(soak: int) -> ForAll:
    """Run a property, `soak` times as long as usual, with the run's seed."""

    return lambda strategy, check, *, examples: _check_all(strategy, check, examples * soak)


def _check_all(strategy: st.SearchStrategy[Any], check: Callable[[Any], Any], examples: int) -> None:
    @seed(int(os.environ["BOOTSTRAP_SEED"]))
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def holds(example: Any) -> None:
        check(example)

    holds()


class Compose:
    """The real Docker Compose, asked what it has read; that needs no engine."""

    def __init__(self, folder: Path, plugins: Path) -> None:
        self.folder = folder
        self._plugins = plugins

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run Docker Compose in the folder, without an engine: a busy one would only keep it waiting."""
        nowhere = {"DOCKER_HOST": f"unix://{self.folder}/no.sock", "DOCKER_CONFIG": str(self._plugins)}
        return subprocess.run(
            ["docker", "compose", *arguments],
            cwd=self.folder,
            env={**os.environ, **nowhere},
            capture_output=True,
            check=False,
            timeout=120,
        )

    def environment(self, compose: str, **files: str) -> dict[str, str]:
        """Write compose.yml and `files`, and return what the service `s` would see."""
        for name, text in {"compose.yml": compose, **files}.items():
            (self.folder / name).write_bytes(text.encode())
        done = self.run("--project-name", "p", "config", "--format", "json")
        assert done.returncode == 0, done.stderr.decode()
        # What it prints is a Compose file again, so every dollar sign is doubled.
        found: dict[str, str] = json.loads(done.stdout.replace(b"$$", b"$"))["services"]["s"]["environment"]
        return found


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    """Docker Compose v2, or a skip that says why."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command to read Compose files with")
    # The plugin may live in somebody's home; nothing else of theirs is used.
    plugins = tmp_path_factory.mktemp("docker")
    (plugins / "cli-plugins").symlink_to(Path.home() / ".docker" / "cli-plugins")
    made = Compose(tmp_path_factory.mktemp("compose"), plugins)
    if made.run("version").returncode:
        pytest.skip("docker has no compose plugin")
    return made


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """What the docker command talks to: keeps what it is to create, and creates nothing."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder / "docker.sock"), _Request)
        self.folder = folder
        self.created: list[dict[str, Any]] = []

    def environment(self, text: str) -> dict[str, str]:
        """Write an env file, and return what a container with it would see."""
        done = self._create(text)
        assert done.returncode == 0, done.stderr
        return dict(line.split("=", 1) for line in self.created.pop()["Env"])

    def refusal(self, text: str) -> str:
        """Write an env file, and return what docker says against it."""
        done = self._create(text)
        assert done.returncode != 0
        return done.stderr.splitlines()[0]

    def _create(self, text: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "values.env").write_bytes(text.encode())
        here = {"DOCKER_HOST": f"unix://{self.server_address}", "DOCKER_CONFIG": str(self.folder)}
        return subprocess.run(
            ["docker", "create", "--env-file", "values.env", "image"],
            cwd=self.folder,
            env={**os.environ, **here},
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )


class _Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_GET(self) -> None:
        self._answer(200, b"OK")

    def do_POST(self) -> None:
        assert urlsplit(self.path).path.endswith("/containers/create")
        self.server.created.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(201, b'{"Id": "made", "Warnings": []}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a socket file has no address to name."""


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The real docker command with a stand-in for its engine, or a skip that says why."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command to read env files with")
    with Engine(tmp_path_factory.mktemp("docker")) as engine:
        thread = threading.Thread(target=engine.serve_forever)
        thread.start()
        yield engine
        engine.shutdown()
        thread.join()
