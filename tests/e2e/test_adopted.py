"""Repositories of somebody's own on the real engine: adopted, run, seen, and left as they were."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.adoption.conftest import Adopted
from tests.adoption.repositories import FASTAPI, MONOREPO
from tests.containers import docker, need_daemon, remains
from tests.e2e.adopted import build_stand_ins, local_ports, long_forms, mended_journal
from tests.e2e.checkout import free_port, remove_images
from tests.e2e.evidence import Traces, browse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository, Result

pytestmark = pytest.mark.slow

_PATIENCE = 500.0
_BUILT = (
    *("backend-flask", "frontend-react-js", "api", "storefront", "pricing", "web", "worker"),
    "telemetry",
)


@pytest.fixture
def start(repository: Repository, bootstrap: Bootstrap, tmp_path: Path) -> Iterator[Any]:
    """Adopt a repository and run it: start(files, images, ports) gives it, and what `up` said."""
    need_daemon()
    made: list[Adopted] = []
    built: list[str] = []

    def begin(
        files: Mapping[str, str], images: list[str], ports: dict[str, int], **environ: Any
    ) -> tuple[Adopted, Result]:
        built.extend(build_stand_ins(images, tmp_path))
        adopted = Adopted(repository, bootstrap, files)
        made.append(adopted)
        adopted.run("init", "--defaults").check(0)
        adopted.run("render", "--check").check(0)
        adopted.untouched()
        repository.write("bootstrap.local.toml", local_ports(ports))
        up = adopted.run("up", "--wait", "--engine", "compose", timeout=_PATIENCE, **environ)
        return adopted, up.check(0, "Everything is healthy.")

    yield begin
    for adopted in made:
        project = _project(adopted)
        adopted.run("down", "--volumes", timeout=_PATIENCE).check(0)
        remove_images(project, *_BUILT)
        assert remains(project) == {"containers": [], "networks": [], "volumes": []}
        (adopted.root / "bootstrap.local.toml").unlink()
        adopted.run("init", "--undo", "--defaults").check(0)
        adopted.untouched()
        # What containers have left in folders of theirs is none of init's.
        assert adopted.repository.git("status", "--porcelain") == ""
    for image in built:
        docker("image", "rm", "--force", image)


def _project(adopted: Adopted) -> str:
    shown = adopted.run(
        "compose", "--", "config", "--format", "json", environ={"POSTGRES_PASSWORD": "x"}
    ).check(0)
    name: str = json.loads(shown.out)["name"]
    return name


def _ports(*services: str) -> dict[str, int]:
    return {name: free_port() for name in services}


def _states(adopted: Adopted, service: str) -> dict[str, str]:
    told = json.loads(adopted.run("verify", "--service", service, "--json", timeout=_PATIENCE).out)
    return {each["vendor"]: each["state"] for each in told["findings"]}


def test_the_journal_s_own_app_is_seen(start: Any) -> None:
    ports = _ports("backend-flask", "frontend-react-js", "dynamodb-local", "db")
    images = ["python:3.10-slim-buster", "node:16.18", "amazon/dynamodb-local:latest", "postgres:13-alpine"]
    adopted, up = start(mended_journal(), images, ports)
    adopted.untouched()
    url = f"http://localhost:{ports['backend-flask']}/api/activities/home"
    page = re.search(r"dashboard +(http\S+)", up.err)
    assert page
    caused = Traces(page[1].replace("/?", "/api/traces?")).caused_by(url)
    names = {span["name"] for span in caused.spans}
    assert "home-activities-mock-data" in names
    assert caused.segment["name"]
    # Its logs carry no trace id, and it tells Rollbar's SDK no endpoint: that is said, not glossed over.
    states = _states(adopted, "backend-flask")
    assert (states["honeycomb"], states["xray"]) == ("arrived", "arrived")
    label = f"label=com.docker.compose.project={_project(adopted)}"
    published = docker("ps", "--filter", label, "--format", "{{.Ports}}")
    assert ":2000" not in published
    shown = json.loads(adopted.run("compose", "--", "config", "--format", "json").check(0).out)["services"]
    here = f"http://localhost:{ports['frontend-react-js']}"
    assert shown["backend-flask"]["environment"]["FRONTEND_URL"] == here
    assert shown["db"]["environment"]["POSTGRES_PASSWORD"] == "password"


def test_a_project_with_an_override_and_profiles_is_seen(start: Any) -> None:
    ports = _ports("api", "db")
    adopted, _ = start(
        FASTAPI,
        ["postgres:16-alpine", "redis:7-alpine"],
        ports,
        environ={"POSTGRES_PASSWORD": "plainly-fake"},
    )
    assert browse(f"http://localhost:{ports['api']}/").json() == {"orders": []}
    assert _states(adopted, "api") == {"honeycomb": "arrived"}
    listed = adopted.run(
        "compose", "--", "ps", "--all", "--services", environ={"POSTGRES_PASSWORD": "plainly-fake"}
    ).check(0)
    assert sorted(listed.out.split()) == [
        "api",
        "cache",
        "db",
        "telemetry",
    ]  # whose profile nobody chose waits


def test_a_monorepo_of_two_languages_is_seen(start: Any) -> None:
    ports = _ports("storefront", "pricing")
    secrets = {"SESSION_SECRET": "plainly-fake-session", "MONGODB_URI": "mongodb://db/plainly-fake"}
    adopted, up = start(MONOREPO, ["node:22", "mongo:7"], ports, environ=secrets)
    page = re.search(r"dashboard +(http\S+)", up.err)
    assert page
    url = f"http://localhost:{ports['pricing']}/"
    assert browse(url).json() == {"prices": [], "where": secrets["MONGODB_URI"]}
    assert browse(f"http://localhost:{ports['storefront']}/").status == 200
    assert _states(adopted, "pricing") == {"xray": "arrived", "cloudwatch": "arrived"}
    collector = Traces(page[1].replace("/?", "/api/traces?"))
    assert {"pricing"} == {
        segment["name"]
        for each in collector.latest()
        for segment in collector.read(each["trace_id"])["segments"]
    }
    told = "\n".join(
        docker("inspect", "--format", "{{.Name}} {{json .Config.Env}}", each) for each in _containers(adopted)
    )
    # Each secret is seen by the one service that their file gives it to.
    for value, service in zip(secrets.values(), ("storefront", "pricing"), strict=True):
        assert [line.split()[0].split("-")[-2] for line in told.splitlines() if value in line] == [service]
    # The editor's service is the devcontainer's: `up` neither starts nor knows it.
    assert "editor" not in told


def test_long_forms_are_run_as_they_are_meant(start: Any) -> None:
    ports, metrics = _ports("web"), free_port()
    given = {"API_TOKEN": "plainly-fake-token", "SIGNING_KEY": "plainly-fake-key", "PASSED": "on"}
    adopted, _ = start(long_forms(metrics), ["valkey/valkey:8"], ports, environ={**given, "COMMIT": "abc"})
    told = browse(f"http://localhost:{ports['web']}/ready?full=1").json()
    assert told == {
        "DOLLARS": "a$b",
        "PASSED": "on",
        "API_TOKEN": given["API_TOKEN"],
        "SIGNING_KEY": None,  # its file is what their Compose file asks for
        "REGION": "eu-west-1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "/etc/nginx.conf": "listen 80;",
        "/run/secrets/signing": given["SIGNING_KEY"],
    }
    assert _states(adopted, "web") == {"rollbar": "arrived"}
    shown = {each["Name"].split("-")[-2]: each for each in _inspected(adopted)}
    assert shown.keys() == {"web", "worker", "cache", "telemetry"}
    web, worker = shown["web"], shown["worker"]
    assert web["Config"]["Labels"]["commit"] == "abc"
    assert web["HostConfig"]["PortBindings"] == {
        "8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(ports["web"])}],
        "9464/tcp": [{"HostIp": "", "HostPort": str(metrics)}],
    }
    assert not worker["HostConfig"]["PortBindings"]
    assert worker["Config"]["Cmd"] == ["python", "-m", "worker"]
    for each in (web, worker):
        assert each["State"]["Health"]["Status"] == "healthy"
        assert each["HostConfig"]["CapDrop"] == ["ALL"]
        assert each["Config"]["StopSignal"] == "SIGINT"
        assert each["HostConfig"]["Memory"] == 256 << 20
        assert each["HostConfig"]["LogConfig"]["Config"] == {"max-size": "5m", "max-file": "2"}


def _containers(adopted: Adopted) -> list[str]:
    return remains(_project(adopted))["containers"]


def _inspected(adopted: Adopted) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(docker("inspect", *_containers(adopted)))
    return made
