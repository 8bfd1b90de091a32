"""The backend's test fixtures: receivers, and apps and servers that report to them."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

sys.path.insert(0, str(Path(__file__).parents[1]))  # the app runs from its own folder, installed nowhere
sys.path.insert(0, str(Path(__file__).parent))

import observability
from app import create_app
from receivers import AllVendors, CloudWatchLogs, OtlpSink, RollbarApi, XRayDaemon
from servers import BACKEND, MakeApp, Serve, Served, running
from settings import Settings


def pytest_configure() -> None:
    """Let Ctrl-C reach the servers: shells start background jobs with it ignored, and children keep that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def otlp() -> Iterator[OtlpSink]:
    with OtlpSink() as sink:
        yield sink


@pytest.fixture
def xray() -> Iterator[XRayDaemon]:
    with XRayDaemon() as daemon:
        yield daemon


@pytest.fixture
def cloudwatch() -> Iterator[CloudWatchLogs]:
    with CloudWatchLogs() as logs:
        yield logs


@pytest.fixture
def rollbar_api() -> Iterator[RollbarApi]:
    with RollbarApi() as api:
        yield api


@pytest.fixture
def everything() -> Iterator[AllVendors]:
    with AllVendors() as vendors:
        yield vendors


@pytest.fixture(autouse=True)
def _no_telemetry_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("AWS_", "OTEL_", "ROLLBAR_", "CLOUDWATCH_", "TRACE_", "FRONTEND_URL", "BACKEND_URL")
    for name in os.environ:
        if name.startswith(ours) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    # A test that has no receiver need not wait for one when its app ends.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")


@pytest.fixture(autouse=True, scope="session")
def _close_the_sdks_own_recorder() -> Iterator[None]:
    yield
    if core := sys.modules.get("aws_xray_sdk.core"):
        core.xray_recorder.emitter._socket.close()  # else Python complains when it exits


@pytest.fixture
def make_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeApp]:
    apps: list[Flask] = []

    def make(environ: dict[str, str], /) -> Flask:
        for name, value in environ.items():  # some of the vendors' libraries read it themselves
            monkeypatch.setenv(name, value)
        apps.append(create_app(Settings.from_environ(environ)))
        return apps[-1]

    yield make
    for app in apps:
        observability.shut_down(app, 5)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with contextlib.ExitStack() as cleanup:

        def start(*command: str, environ: dict[str, str], folder: Path = BACKEND) -> Served:
            argv = [sys.executable, "-u", "-m", *command]
            return cleanup.enter_context(running(argv, environ, folder))

        yield start
