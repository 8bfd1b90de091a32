"""Two vendors in their clouds and two on this machine, in one run: everything arrives where it should."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.containers import docker
from tests.e2e.clouds import Clouds, made_up_key
from tests.e2e.evidence import Traces
from tests.e2e.strangers import check_headers
from tests.stand_ins.cloudwatch import CloudWatchLogs
from tests.stand_ins.sts import Known, Sts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.slow

_HALF = ("--telemetry", "honeycomb=cloud", "--telemetry", "rollbar=cloud")


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


def test_in_containers(checkout: Checkout, clouds: Clouds) -> None:
    _keep(checkout, clouds.keys)
    checkout.write("docker-compose.override.yml", clouds.override())
    # Before it starts anything, `up` asks whether the keys are taken.
    checkout.run("compose", "--", "up", "--detach", "honeycomb", "rollbar", **clouds.environ).check(0)
    clouds.wait()
    up = checkout.run("up", "--wait", "--engine", "compose", *_HALF, **clouds.environ)
    up.check(0, "Everything is healthy.")

    found = checkout.findings(**clouds.environ)
    assert {name: each["state"] for name, each in found.items()} == {
        f"backend-flask {vendor}": "arrived" for vendor in ("honeycomb", "xray", "cloudwatch", "rollbar")
    }
    assert "of the trace in the dataset 'backend-flask'" in found["backend-flask honeycomb"]["detail"]
    assert "rollbar.com/occurrence" in found["backend-flask rollbar"]["link"]
    assert "Successfully sent batch of" in found["backend-flask xray"]["detail"]
    assert {name for name, each in found.items() if "/traces/" in each["link"]} == {
        "backend-flask xray",
        "backend-flask cloudwatch",
    }
    assert clouds.seen("honeycomb")["refused"] == {}
    # The question for a token's scope is one that Rollbar refuses.
    assert clouds.seen("rollbar")["refused"].keys() == {"403 GET /api/1/environments"}

    before = checkout.containers(**clouds.environ)
    assert before.keys() == {"backend-flask", "telemetry", "xray-daemon", "honeycomb", "rollbar"}
    assert {name: held for name, each in before.items() if (held := _held(each, clouds.keys))} == {
        "backend-flask": {"HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"}
    }

    # Interrupted, containers stay; with another key only who holds it, and who masks it, is made anew.
    _interrupt(checkout)
    checkout.run("compose", "--", "start", "honeycomb", "rollbar", **clouds.environ).check(0)
    clouds.wait()
    rotated = clouds.rotate("HONEYCOMB_API_KEY")
    checkout.run("secrets", "set", "HONEYCOMB_API_KEY", data=rotated).check(0)
    checkout.run("up", "--wait", **clouds.environ).check(0, "Engine: compose (it ran last here)")
    after = checkout.containers(**clouds.environ)
    assert {name for name in before if before[name] != after[name]} == {"backend-flask", "telemetry"}
    assert _held(after["backend-flask"], clouds.keys) == {"HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"}
    found = checkout.findings("--strict", **clouds.environ)
    assert {each["state"] for each in found.values()} == {"arrived"}

    down = checkout.run("down", **clouds.environ)
    down.check(0, "Stopped backend-flask, honeycomb, rollbar, telemetry, xray-daemon.")


def test_as_processes(processes: Checkout, clouds: Clouds, free_port: int) -> None:
    """Who runs the service points it at what is on this machine, from a shell; the manifest could not."""
    keys = made_up_key()
    known = Known(keys["AWS_SECRET_ACCESS_KEY"], "arn:aws:iam::123456789012:user/somebody")
    own = {name: value for name, value in clouds.keys.items() if name.startswith("ROLLBAR_")}
    _keep(processes, {**own, **keys})
    with clouds.on_loopback("rollbar"), Sts() as sts, CloudWatchLogs("cruddur") as logs:
        sts.keys[keys["AWS_ACCESS_KEY_ID"]] = logs.keys[keys["AWS_ACCESS_KEY_ID"]] = known
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
        check_headers(free_port, Traces.of(ready["collector"]))
        found = processes.findings("--strict", **environ)
        assert {each["state"] for each in found.values()} == {"arrived"}
        assert {name for name, each in found.items() if "/traces/" in each["link"]} == {
            "backend-flask honeycomb",
            "backend-flask xray",
        }
        assert "GET /api/activities/home 200" in str(logs.groups)
        assert [item["environment"] for item in clouds.seen("rollbar")["items"]] == ["development"]
        processes.run("down").check(0)


def _interrupt(checkout: Checkout) -> None:
    """Do as Ctrl-C does, and wait for the end."""
    told = checkout.run("up").check(1, "this project already runs")
    number = re.search(r"\(pid ([0-9]+)", told.err)
    assert number
    supervisor = psutil.Process(int(number[1]))
    supervisor.send_signal(signal.SIGINT)
    supervisor.wait(60)
