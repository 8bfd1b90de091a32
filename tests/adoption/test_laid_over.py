"""What is laid over somebody's own Compose files, and that it is passed to Compose after them."""

from __future__ import annotations

import itertools
import json
import os
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from bootstrap.model.errors import BootstrapError
from bootstrap.model.manifest import FilesTable
from bootstrap.stack.compose.client import Client
from bootstrap.system.state import State
from tests.containers import need_compose

if TYPE_CHECKING:
    from tests.adoption.conftest import Adopt, Adopted
    from tests.conftest import Repository

PROJECT = '[project]\nname = "shop"\n'
WEB = '[services.web]\nbuild = "web"\nport = 8000\n'
OVERLAY = '[files]\ncompose = "overlay"\n'


class _Loader(yaml.SafeLoader):
    """Takes a tag of Compose's for what it is around."""


_Loader.add_constructor(
    "!override", lambda loader, node: loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
)


def added(adopted: Adopted, manifest: str) -> dict[str, Any]:
    """Render with this manifest; what is laid over theirs."""
    adopted.repository.write("bootstrap.toml", PROJECT + manifest + OVERLAY)
    adopted.run("render").check(0)
    document: dict[str, Any] = yaml.load(adopted.repository.read("docker-compose.bootstrap.yml"), _Loader)
    return document


def theirs(text: str) -> dict[str, str]:
    return {"compose.yaml": text, "web/Dockerfile": "FROM scratch\n"}


@pytest.mark.parametrize(
    ("says", "networks"),
    [
        ("build: web", ["default", "xray-daemon"]),
        ("{build: web, networks: [back]}", ["xray-daemon"]),
        ("{build: web, networks: {default: , back: }}", ["xray-daemon"]),
    ],
)
def test_a_service_stays_on_its_networks(adopt: Adopt, says: str, networks: list[str]) -> None:
    text = f"services:\n  web: {says if says[0] == '{' else '{' + says + '}'}\nnetworks: {{back: }}\n"
    made = added(adopt(theirs(text)), WEB + 'telemetry = ["xray"]\n')
    assert made["services"]["web"]["networks"] == networks
    assert made["networks"] == {"xray-daemon": None}


def test_a_secret_that_their_file_hands_on_keeps_its_default(adopt: Adopt) -> None:
    text = "services: {web: {build: web, environment: {A_KEY: '${A_KEY:-open}', DSN: 'x://${B_KEY}@h'}}}\n"
    declared = "".join(f"[secrets.{name}]\n" for name in ("A_KEY", "B_KEY", "C_KEY"))
    made = added(adopt(theirs(text)), WEB + 'secrets = ["A_KEY", "B_KEY", "C_KEY"]\n' + declared)
    assert made["services"]["web"]["environment"] == {"C_KEY": None}


def test_a_secret_that_their_file_mounts_is_no_variable_too(adopt: Adopt) -> None:
    text = """\
services:
  web: {build: web, secrets: [one, {source: two, target: other}]}
secrets: {one: {environment: A_KEY}, two: {environment: B_KEY}, three: {environment: C_KEY}}
"""
    declared = "".join(f"[secrets.{name}]\n" for name in ("A_KEY", "B_KEY", "C_KEY"))
    made = added(adopt(theirs(text)), WEB + 'secrets = ["A_KEY", "B_KEY", "C_KEY"]\n' + declared)
    assert made["services"]["web"]["environment"] == {"C_KEY": None}


@pytest.mark.parametrize(
    ("main", "moved", "stays"),
    [
        ("8000:8000", 8099, [(None, "8001", 8000, "tcp")]),
        ("8000:8000", 8001, []),  # takes the place of the other one, too
        ("${SAYS_ELSE:-8000}:8000", 8099, []),  # which of the two is meant cannot be told
    ],
)
def test_where_one_port_moves_the_others_stay(adopt: Adopt, main: str, moved: int, stays: list[Any]) -> None:
    need_compose()
    text = f"""\
services:
  web:
    build: web
    ports:
      - "{main}"
      - "8001:8000"
      - "0.0.0.0:8000:8000/udp"
      - {{target: 70, published: "7070", host_ip: "::1"}}
"""
    adopted = adopt(theirs(text))
    added(adopted, WEB)
    adopted.repository.write("bootstrap.local.toml", f"[services.web]\nport = {moved}\n")
    asked = adopted.run("compose", "--", "config", "--format", "json", environ={"SAYS_ELSE": "8005"})
    shown = json.loads(asked.check(0).out)["services"]["web"]["ports"]
    keys = ("host_ip", "published", "target", "protocol")
    assert [tuple(each.get(key) for key in keys) for each in shown] == [
        ("127.0.0.1", str(moved), 8000, "tcp"),
        *stays,
        ("0.0.0.0", "8000", 8000, "udp"),
        ("::1", "7070", 70, "tcp"),
    ]


def test_nothing_is_said_of_who_reports_nothing(adopt: Adopt) -> None:
    made = added(adopt(theirs("services: {web: {build: web}, db: {image: x}}\n")), WEB)
    assert made == {"services": {}}


def test_a_service_that_only_the_manifest_has_stands_there_whole(adopt: Adopt) -> None:
    adopted = adopt(theirs("services: {web: {build: web}}\n"))
    made = added(adopted, WEB + '[services.cache]\nimage = "redis:7"\nport = 6379\ncontainer_port = 6380\n')
    assert made["services"] == {"cache": {"image": "redis:7", "ports": ["127.0.0.1:6379:6380"]}}
    adopted.run("service", "add", "queue", "--image", "nats:2").check(0)
    assert "nats:2" in adopted.repository.read("docker-compose.bootstrap.yml")
    adopted.untouched()


def test_theirs_has_to_be_there_and_to_be_read(adopt: Adopt) -> None:
    adopted = adopt({"web/Dockerfile": "FROM scratch\n"})
    adopted.repository.write("bootstrap.toml", PROJECT + WEB + OVERLAY)
    adopted.run("render").check(1, "files.compose: is overlay, and there is no Compose file")
    adopted.repository.write("compose.yaml", "services: [\n")
    adopted.run("render", "--check").check(1, "files.compose: compose.yaml, line")
    adopted.repository.write("bootstrap.toml", PROJECT + WEB + OVERLAY + 'compose_files = ["../x.yaml"]\n')
    adopted.run("render").check(1, "files.compose_files", "leads out of the project")


def test_what_they_change_shows_at_the_next_check(adopt: Adopt) -> None:
    adopted = adopt(theirs("services: {web: {build: web}}\n"))
    added(adopted, WEB + 'secrets = ["A_KEY"]\n[secrets.A_KEY]\n')
    adopted.run("render", "--check").check(0)
    adopted.repository.write("compose.yaml", "services: {web: {build: web, environment: [A_KEY]}}\n")
    adopted.run("render", "--check").check(5)
    adopted.run("render").check(0)
    assert "A_KEY" not in adopted.repository.read("docker-compose.bootstrap.yml")


def client(repository: Repository, choice: FilesTable) -> Client:
    made = Client(repository.root, State(repository.root, os.environ), {})
    made.choice = choice
    return made


def named(client: Client) -> list[str]:
    argv = client.argv("config", overlay=False)
    return [word.rpartition("/")[2] for before, word in itertools.pairwise(argv) if before == "--file"]


def test_the_files_that_compose_is_given(repository: Repository) -> None:
    for path in ("compose.yaml", "docker-compose.yml", "compose.override.yml", "other.yaml"):
        repository.write(path, "services: {}\n")
    repository.write("docker-compose.bootstrap.yml", "services: {}\n")
    usual = ["compose.yaml", "compose.override.yml"]
    assert named(client(repository, FilesTable())) == usual
    assert named(client(repository, FilesTable(compose="theirs"))) == usual
    assert named(client(repository, FilesTable(compose="overlay"))) == [
        *usual,
        "docker-compose.bootstrap.yml",
    ]
    chosen = FilesTable(compose="overlay", compose_files=("other.yaml",))
    assert named(client(repository, chosen)) == ["other.yaml", "docker-compose.bootstrap.yml"]
    (repository.root / "docker-compose.bootstrap.yml").unlink()
    with pytest.raises(BootstrapError, match=r"there is no docker-compose\.bootstrap\.yml") as refused:
        client(repository, chosen).argv("config")
    assert refused.value.hint == "Make it: bootstrap render"


def test_a_daemon_of_theirs_gives_way(adopt: Adopt) -> None:
    need_compose()
    daemon = "{image: amazon/aws-xray-daemon, ports: ['2000:2000/udp'], command: ['xray -o'], user: root}"
    adopted = adopt(theirs(f"services: {{web: {{build: web}}, xray-daemon: {daemon}}}\n"))
    added(adopted, WEB + 'telemetry = ["xray"]\n')
    argv = client(adopted.repository, FilesTable(compose="overlay"))
    shown = argv.configuration({})["services"]["xray-daemon"]
    assert "ports" not in shown
    assert "user" not in shown
    assert shown["command"] == ["-o"]
    assert json.dumps(shown["networks"]) == '{"xray-daemon": null}'
