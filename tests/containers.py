"""A real container engine, where one answers, and images under the names of those that cannot be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

#: what this repository's own images start from
IMAGE = "python:3.13-slim-trixie"
#: the X-Ray daemon; a stand-in is built under its name where there is none
DAEMON = "public.ecr.aws/xray/aws-xray-daemon:3.x"
# Read before any test gets a home folder of its own: Docker keeps its plugins in the real one.
ENVIRON = {"DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))}
_STAND_IN = Path(__file__).parent / "stand_ins" / "xray_daemon"


def docker(*arguments: str, check: bool = True) -> str:
    """Run a command of Docker and return what it printed."""
    done = subprocess.run(
        ["docker", *arguments],
        env={**os.environ, **ENVIRON},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _works(*arguments: str) -> bool:
    return not subprocess.run(
        ["docker", *arguments], env={**os.environ, **ENVIRON}, capture_output=True, check=False
    ).returncode


@cache
def engine_answers() -> bool:
    """Whether an engine answers that has Compose and the image to start from."""
    needed = (("info",), ("compose", "version"), ("image", "inspect", IMAGE))
    return shutil.which("docker") is not None and all(_works(*arguments) for arguments in needed)


def need_engine() -> None:
    """Skip the test where no engine answers, saying so."""
    if not engine_answers():
        pytest.skip(f"no container engine with Compose and {IMAGE} answers")


def need_compose() -> None:
    """Skip the test where there is no Compose, which needs no engine to read files."""
    if shutil.which("docker") is None or not _works("compose", "version"):
        pytest.skip("no docker with Compose")


@cache
def need_daemon() -> None:
    """Make sure that there is an image under the daemon's name; skips as `need_engine` does."""
    need_engine()
    docker("build", "--quiet", "--tag", DAEMON, str(_STAND_IN))


def remains(project: str) -> dict[str, list[str]]:
    """What is left of a Compose project: names by kind."""
    label = f"label=com.docker.compose.project={project}"
    return {
        "containers": docker("ps", "--all", "--quiet", "--filter", label).split(),
        "networks": docker("network", "ls", "--quiet", "--filter", label).split(),
        "volumes": docker("volume", "ls", "--quiet", "--filter", label).split(),
    }
