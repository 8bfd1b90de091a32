"""Some vendors in their clouds and some on this machine, in one run: everything arrives where it should."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.containers import docker
from tests.e2e.clouds import KINDS, Clouds, made_up_key
from tests.e2e.evidence import Traces
from tests.e2e.strangers import check_headers
from tests.stand_ins.aws_telemetry import Xray
from tests.stand_ins.cloudwatch import CloudWatchLogs
from tests.stand_ins.sts import Known, Sts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.slow

_CLOUDS = ("honeycomb=cloud", "rollbar=cloud", "cloudwatch=cloud")
_MAY = (Sts.federate, "logs:CreateLogStream", "logs:PutLogEvents", "logs:FilterLogEvents", Xray.action)
_USER = "arn:aws:iam::123456789012:user/somebody"


@pytest.fixture
def clouds(tmp_path: Path) -> Clouds:
    return Clouds(tmp_path / "clouds")


def _keep(checkout: Checkout, values: Mapping[str, str]) -> None:
    checkout.run("secrets", "use", "file").check(0)
    checkout.run("secrets", "import", "-", "--format", "json", data=json.dumps(dict(values))).check(0)


def _held(container: str, values: Mapping[str, str]) -> set[str]:
    """The secrets whose values anybody finds in a container's definition or its processes."""
    everywhere = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; true"
    text = docker("inspect", container) + docker("exec", container, "sh", "-c", everywhere)
    return {name for name, value in values.items() if value in text}


@pytest.fixture
def key() -> dict[str, str]:
    """A user's key of AWS."""
    return made_up_key()


@pytest.fixture
def sts(key: Mapping[str, str]) -> Iterator[Sts]:
    """Makes sessions for that user."""
    with Sts() as server:
        known = Known(key["AWS_SECRET_ACCESS_KEY"], _USER, allowed=frozenset(_MAY))
        server.keys[key["AWS_ACCESS_KEY_ID"]] = known
        yield server


def test_in_containers(checkout: Checkout, clouds: Clouds, sts: Sts, key: dict[str, str]) -> None:
    sts.others = (clouds.aws,)
    _keep(checkout, {**clouds.keys, **key})
    checkout.write("docker-compose.override.yml", clouds.override())
    environ = {**clouds.environ, "AWS_ENDPOINT_URL_STS": sts.url}
    # Before it starts anything, `up` asks whether the keys are taken.
    checkout.run("compose", "--", "up", "--detach", *KINDS, **environ).check(0)
    clouds.wait()
    sts.sessions.clear()
    sts.ends = _ends()
    wishes = [word for wish in _CLOUDS for word in ("--telemetry", wish)]
    up = checkout.run("up", "--wait", "--engine", "compose", *wishes, **environ)
    up.check(0, "Everything is healthy.", "backend-flask: a session for 'logs' until ")
    started = checkout.containers(**environ)
    before = _recreated(checkout, sts, environ)
    assert {name for name in before if before[name] != started.get(name)} <= {"backend-flask", "telemetry"}

    found = checkout.findings("--strict", **environ)
    assert {name: each["state"] for name, each in found.items()} == {
        f"backend-flask {vendor}": "arrived" for vendor in ("honeycomb", "xray", "cloudwatch", "rollbar")
    }
    assert "of the trace in the dataset 'backend-flask'" in found["backend-flask honeycomb"]["detail"]
    assert "rollbar.com/occurrence" in found["backend-flask rollbar"]["link"]
    assert "Successfully sent batch of" in found["backend-flask xray"]["detail"]
    assert {name for name, each in found.items() if "/traces/" in each["link"]} == {"backend-flask xray"}
    assert clouds.seen("honeycomb")["refused"] == {}
    # The question for a token's scope is one that Rollbar refuses.
    assert clouds.seen("rollbar")["refused"].keys() == {"403 GET /api/1/environments"}
    # Lines have come with the last session, and verify has read them with one of its own.
    made = _made(sts, "logs")
    assert (len(made), len(_made(sts, "verify"))) == (3, 1)
    last = hashlib.sha256(made[-1]["AWS_SESSION_TOKEN"].encode()).hexdigest()
    assert clouds.seen("logs")["writers"][-1] == last

    assert before.keys() == {"backend-flask", "telemetry", "xray-daemon", *KINDS}
    kept = {**clouds.keys, **key}
    assert {name: held for name, each in before.items() if (held := _held(each, kept))} == {
        "backend-flask": {"HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"}
    }

    # Interrupted, containers stay; with other keys only who holds them, and who masks them, is made anew.
    _interrupt(checkout)
    checkout.run("compose", "--", "start", *KINDS, **environ).check(0)
    clouds.wait()
    kept["HONEYCOMB_API_KEY"] = rotated = clouds.rotate("HONEYCOMB_API_KEY")
    checkout.run("secrets", "set", "HONEYCOMB_API_KEY", data=rotated).check(0)
    with Xray() as xray:
        sts.others = (clouds.aws, xray)
        environ["AWS_ENDPOINT_URL_XRAY"] = xray.url
        up = checkout.run("up", "--wait", "--telemetry", "xray=cloud", **environ)
    up.check(0, "Engine: compose (it ran last here)", "xray-daemon: a session for 'daemon' until ")
    after = checkout.containers(**environ)
    # With all of them in their clouds there is nothing for a collector to do.
    assert {name for name in before if before[name] != after[name]} == {"backend-flask", "xray-daemon"}
    assert _held(after["backend-flask"], kept) == {"HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"}
    assert _held(after["xray-daemon"], kept) == set()
    daemon = _made(sts, "daemon")[-1]
    assert _held(after["xray-daemon"], daemon) == set(daemon)
    assert _held(after["backend-flask"], daemon) == set()

    down = checkout.run("down", **environ)
    down.check(0, f"Stopped {', '.join(sorted(after))}.")


def _recreated(checkout: Checkout, sts: Sts, environ: Mapping[str, str]) -> dict[str, str]:
    """Wait until the backend's container has the second session of its run; all containers."""
    deadline = time.monotonic() + 90
    while True:
        assert time.monotonic() < deadline, sts.sessions
        containers = checkout.containers(**environ)
        made = _made(sts, "logs")
        defined = docker("inspect", containers["backend-flask"], check=False)
        if len(made) < 3 or not all(value in defined for value in made[2].values()):
            continue
        # The collector is made anew beside it, perhaps later; once both are healthy, that is all.
        shown = json.loads(checkout.run("status", "--json", **environ).check(0).out)
        healthy = {each["service"] for each in shown if each["phase"] == "healthy"}
        if {"backend-flask", "telemetry"} <= healthy and checkout.containers(**environ) == containers:
            return containers


def test_as_processes(
    processes: Checkout, clouds: Clouds, free_port: int, sts: Sts, key: dict[str, str]
) -> None:
    """Who runs the service points it at what is on this machine, from a shell; the manifest could not."""
    own = {name: value for name, value in clouds.keys.items() if name.startswith("ROLLBAR_")}
    _keep(processes, {**own, **key})
    with clouds.on_loopback("rollbar"), CloudWatchLogs("cruddur") as logs:
        sts.others = (logs,)
        sts.ends = _ends()
        clouds.wait("rollbar")
        environ = {
            "BOOTSTRAP_ROLLBAR_ENDPOINT": clouds.environ["BOOTSTRAP_ROLLBAR_ENDPOINT"],
            "ROLLBAR_ENDPOINT": f"{clouds.environ['BOOTSTRAP_ROLLBAR_ENDPOINT']}/api/1/",
            "AWS_ENDPOINT_URL_STS": sts.url,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": logs.url,
        }
        wanted = ("--telemetry", "cloudwatch=cloud", "--telemetry", "rollbar=cloud")
        up = processes.run("up", "--wait", "--engine", "process", *wanted, "--json", **environ).check(0)
        ready = next(each for each in map(json.loads, up.out.splitlines()) if each["event"] == "ready")
        everything, token = _renewed(processes, sts)
        check_headers(free_port, Traces.of(ready["collector"]))
        found = processes.findings("--strict", **environ)
        assert {each["state"] for each in found.values()} == {"arrived"}
        assert {name for name, each in found.items() if "/traces/" in each["link"]} == {
            "backend-flask honeycomb",
            "backend-flask xray",
        }
        assert "GET /api/activities/home 200" in str(logs.groups)
        # The lines have come with the last session, and verify has read them with one of its own.
        writing = [each for each in logs.requests if each.headers["X-Amz-Target"].endswith("PutLogEvents")]
        assert writing[-1].headers["X-Amz-Security-Token"] == token
        held = {name for name, value in key.items() for each in everything if value in str(each.environ())}
        assert held == set()
        assert (len(_made(sts, "logs")), len(_made(sts, "verify"))) == (3, 1)
        assert [item["environment"] for item in clouds.seen("rollbar")["items"]] == ["development"]
        processes.run("down").check(0)


def _ends() -> dict[str, list[datetime]]:
    """When sessions end: what looks whether all is ready has the first, and that of the run is soon over."""
    return {"logs": [datetime.now(UTC) + timedelta(hours=hours) for hours in (12, -1)]}


def _made(sts: Sts, purpose: str) -> list[dict[str, str]]:
    """The sessions for a purpose."""
    return [given for asked, given in sts.sessions if asked["Name"] == f"cruddur-{purpose}"]


def _renewed(checkout: Checkout, sts: Sts) -> tuple[list[psutil.Process], str]:
    """Wait until the backend runs with the second session of its run; all processes, and the token."""
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline
        shown = {each["service"]: each for each in json.loads(checkout.run("status", "--json").out)}
        backend = shown["backend-flask"]
        made = _made(sts, "logs")
        if len(made) > 2 and backend["phase"] == "healthy":
            leader = psutil.Process(backend["pid"])
            token = made[2]["AWS_SESSION_TOKEN"]
            if leader.environ().get("AWS_SESSION_TOKEN") == token:
                assert backend["aws"][0]["purpose"] == "logs"
                assert backend["aws"][0]["until"] > time.time() + 40_000
                leaders = [psutil.Process(each["pid"]) for each in shown.values()]
                below = [process for each in leaders for process in each.children(recursive=True)]
                return [*leaders, *below], token


def _interrupt(checkout: Checkout) -> None:
    """Do as Ctrl-C does, and wait for the end."""
    told = checkout.run("up").check(1, "this project already runs")
    number = re.search(r"\(pid ([0-9]+)", told.err)
    assert number
    supervisor = psutil.Process(int(number[1]))
    supervisor.send_signal(signal.SIGINT)
    supervisor.wait(60)
