"""`init`, `render --check` and `init --undo` in repositories as people have them."""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.flows import adopt as adopt_flow
from bootstrap.system.files import ProjectFiles
from tests.adoption.test_generated import sources
from tests.containers import ENVIRON

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adoption.conftest import Adopt, Adopted


def manifest(adopted: Adopted) -> dict[str, Any]:
    return tomllib.loads(adopted.repository.read("bootstrap.toml"))


def check_journal(adopted: Adopted, shown: str) -> None:
    made = manifest(adopted)
    backend = made["services"]["backend-flask"]
    assert backend["telemetry"] == ["honeycomb", "xray", "cloudwatch", "rollbar"]
    assert (backend["port"], backend["public"], "secrets" in backend) == (4567, True, False)
    assert backend["environment"] == {
        "FRONTEND_URL": "${url:frontend-react-js}",
        "BACKEND_URL": "${url:backend-flask}",
    }
    assert backend["command"] == "python3 -m flask run --host=0.0.0.0 --port=4567"
    assert made["services"].keys() == {"backend-flask", "frontend-react-js", "dynamodb-local", "db"}
    assert "secrets" not in made  # its vendors bring them
    assert made["files"] == {"compose": "overlay", "gitpod": "overlay", "theirs": [".env.example"]}
    assert "services.xray-daemon: is xray's own daemon: ours takes its place, and is never published" in shown
    added = adopted.repository.read("docker-compose.bootstrap.yml")
    assert "xray-daemon: !override" in added
    assert "password" not in added + adopted.repository.read("bootstrap.toml")
    _check_pasting(adopted, shown)


def _check_pasting(adopted: Adopted, shown: str) -> None:
    """What is printed can be pasted, key by key; then nothing is missing any more."""
    assert ".gitpod.yml lacks tasks, ports" in adopted.run("doctor").out
    paste = shown.partition("To paste into .gitpod.yml, key by key:\n")[2].partition("\n\n")[0]
    assert "port: 3000" not in paste
    items: dict[str, list[str]] = {}
    for line in (each[2:] for each in paste.splitlines()):
        if line.startswith(" "):
            items[next(reversed(items))].append(line)
        else:
            items[line] = []
    before = adopted.repository.read(".gitpod.yml")
    text = before
    for key, lines in items.items():
        assert f"{key}\n" in text
        text = text.replace(f"{key}\n", f"{key}\n" + "".join(f"{line}\n" for line in lines), 1)
    adopted.repository.write(".gitpod.yml", text)
    assert ".gitpod.yml has all that it needs" in adopted.run("doctor").out
    adopted.repository.write(".gitpod.yml", before)


def check_fastapi(adopted: Adopted, shown: str) -> None:
    assert "Read compose.yaml, compose.override.yaml" in shown
    made = manifest(adopted)
    api = made["services"]["api"]
    assert (api["port"], api["container_port"], api["health"]) == (8000, 8080, "/healthz")
    assert api["telemetry"] == ["honeycomb"]
    assert api["depends_on"] == ["db", "cache"]
    assert api["secrets"] == ["POSTGRES_PASSWORD"]
    assert made["services"]["db"]["port"] == 5433
    assert made["services"]["adminer"]["image"] == "adminer:4"
    assert made["secrets"]["POSTGRES_PASSWORD"] == {"description": "Seen by api, db", "required": True}
    assert "STRIPE_API_KEY" in made["secrets"]
    assert "LOG_LEVEL" not in made["secrets"]


def check_monorepo(adopted: Adopted, shown: str) -> None:
    made = manifest(adopted)
    assert made["files"] == {"compose": "overlay", "devcontainer": "overlay", "theirs": [".env.example"]}
    assert made["services"]["storefront"]["telemetry"] == ["honeycomb", "rollbar"]
    assert made["services"]["storefront"]["secrets"] == ["SESSION_SECRET"]
    assert made["services"]["pricing"]["telemetry"] == ["xray", "cloudwatch"]
    assert made["services"]["pricing"]["command"] == "python -m pricing"
    assert made["secrets"].keys() == {"SESSION_SECRET", "MONGODB_URI"}
    pasted = shown.partition("To paste into .devcontainer/devcontainer.json, key by key:\n")[2]
    document = json.loads(pasted.partition("\n\n")[0])
    assert document["postCreateCommand"]["own"] == "npm ci"
    assert 3000 not in document["forwardPorts"]
    assert 5000 in document["forwardPorts"]


def check_long_forms(adopted: Adopted, shown: str) -> None:
    assert "Read compose.yml" in shown
    made = manifest(adopted)
    assert made["services"].keys() == {"cache", "web", "worker"}
    web = made["services"]["web"]
    assert (web["build"], web["port"], web["health"]) == ("web", 8000, "/ready?full=1")
    assert web["secrets"] == ["API_TOKEN", "SIGNING_KEY"]
    assert "port" not in made["services"]["worker"]
    assert made["services"]["worker"]["command"] == "python -m worker"


@pytest.mark.parametrize(
    ("name", "check", "compose"),
    [
        ("journal", check_journal, True),
        ("fastapi", check_fastapi, False),
        ("monorepo", check_monorepo, True),
        ("long forms", check_long_forms, False),
    ],
)
def test_adopting_changes_no_byte_and_is_taken_back(
    name: str, check: Callable[[Adopted, str], None], adopt: Adopt, *, compose: bool
) -> None:
    adopted = adopt(name)
    shown = adopted.run("init", "--defaults", compose=compose).check(0, "This would be bootstrap.toml:")
    adopted.untouched()
    # What was shown is what was written.
    for line in adopted.repository.read("bootstrap.toml").splitlines():
        assert f"  {line}".rstrip() in shown.err.splitlines()
    adopted.run("render", "--check", compose=False).check(0)
    check(adopted, shown.err)
    # Whether Compose is there or not, the same is proposed.
    files = ProjectFiles(adopted.root)
    adopted.run("init", "--undo", "--defaults").check(0, "bootstrap.toml")
    adopted.untouched()
    assert adopted.status() == ""
    with_compose, without = (
        adopt_flow.look(files, sources(adopted.root), environ, "same")
        for environ in ({**os.environ, **ENVIRON}, {"PATH": "/nowhere"})
    )
    assert with_compose is not None
    assert without is not None
    assert with_compose.manifest == without.manifest


def test_running_it_again_changes_nothing(adopt: Adopt) -> None:
    adopted = adopt("long forms")
    adopted.run("init", "--defaults").check(0)
    before = adopted.status(), adopted.repository.read("bootstrap.toml")
    assert "bootstrap.toml was" not in adopted.run("init", "--defaults").check(0).err
    assert before == (adopted.status(), adopted.repository.read("bootstrap.toml"))
