"""What every test may use, and what none may touch: a home, an account or a workspace of somebody's own."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.stand_ins.aws import Account, Aws

#: what a test must bring itself if it wants it
_FOREIGN = ("AWS_", "CODESPACE", "DBUS_", "GIT", "HONEYCOMB_", "OTEL_", "REMOTE_CONTAINERS", "ROLLBAR_")


def pytest_configure() -> None:
    """Set what all workers have in common before they start, such as the seed of everything random."""
    os.environ.setdefault("BOOTSTRAP_SEED", str(random.SystemRandom().randrange(1, 2**32)))
    os.environ.setdefault("BOOTSTRAP_SOAK", "1")
    # Tests start the command line thousands of times: it shall keep what it has compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # A shell starts background jobs with Ctrl-C ignored, and what is ignored stays so in every child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # No test asserts a time: how long an example takes depends on what else this machine does.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


def pytest_report_header() -> str:
    """Say how to repeat this run."""
    return f"BOOTSTRAP_SEED={os.environ['BOOTSTRAP_SEED']} BOOTSTRAP_SOAK={os.environ['BOOTSTRAP_SOAK']}"


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no variable of a real account, workspace or repository; returns the home."""
    for name in os.environ:
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A Tester")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "tester@example.com")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "A Tester")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "tester@example.com")
    return home


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    def check(self, code: int, *fragments: str) -> "Result":
        """Compare the exit code, and look for each fragment in what was printed."""
        assert self.code == code, f"exit {self.code}, not {code}\n--- out\n{self.out}\n--- err\n{self.err}"
        for fragment in fragments:
            assert fragment in self.out + self.err, f"no {fragment!r} in\n{self.out}\n{self.err}"
        return self


Bootstrap = Callable[..., Result]


@pytest.fixture
def bootstrap() -> Bootstrap:
    """Run the command line as a process of its own: bootstrap(*arguments, cwd=..., env=..., data=...)."""

    def run(
        *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, data: str = "", timeout: float = 60
    ) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "bootstrap", *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=data,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


class Repository:
    """A real git repository in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git here and return what it printed; a failure is an error."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, path: str, text: str) -> Path:
        """Write a file, with the folders above it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def read(self, path: str) -> str:
        """Read a file."""
        return (self.root / path).read_text(encoding="utf-8")

    def commit(self, message: str = "Change something") -> None:
        """Commit everything that git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository(tmp_path / "project")


@pytest.fixture(scope="session")
def soak() -> int:
    """How many times as long as usual: 1, or what `make soak` says."""
    return int(os.environ["BOOTSTRAP_SOAK"])


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers of this test's own, the same for the same BOOTSTRAP_SEED."""
    return random.Random(f"{os.environ['BOOTSTRAP_SEED']} {request.node.nodeid}")


@pytest.fixture(scope="session")
def aws() -> Iterator["Aws"]:
    """Somewhere to ask instead of AWS, the same for all tests: each makes accounts of its own."""
    from tests.stand_ins.aws import Aws  # noqa: PLC0415 - moto takes a second

    with Aws() as server:
        yield server


@pytest.fixture
def account(aws: "Aws") -> "Account":
    """An empty account of AWS."""
    return aws.account()
