"""Repositories of somebody's own on the real engine: adopted, run, seen, and left as they were."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.adoption.conftest import Adopted
from tests.adoption.repositories import FASTAPI
from tests.containers import docker, need_daemon, remains
from tests.e2e.adopted import build_stand_ins, local_ports, mended_journal
from tests.e2e.checkout import free_port, remove_images
from tests.e2e.evidence import Traces, browse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository, Result

pytestmark = pytest.mark.slow

_PATIENCE = 500.0


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
        repository.write("bootstrap.local.toml", local_ports(ports))
        up = adopted.run("up", "--wait", "--engine", "compose", timeout=_PATIENCE, **environ)
        return adopted, up.check(0, "Everything is healthy.")

    yield begin
    for adopted in made:
        project = _project(adopted)
        adopted.run("down", "--volumes", timeout=_PATIENCE).check(0)
        remove_images(project, "backend-flask", "frontend-react-js", "api", "telemetry")
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
    told = json.loads(adopted.run("verify", "--json", timeout=_PATIENCE).out)
    return {each["vendor"]: each["state"] for each in told["findings"] if each["service"] == service}


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
