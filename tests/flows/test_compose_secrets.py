"""No file that comes with a clone hands a container the secret of another, whichever way Compose offers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.config.errors import ManifestError
from bootstrap.config.manifest import parse
from bootstrap.flows.compose_secrets import Dotenv, check
from bootstrap.flows.dotenv_values import plain_values, secret_values
from bootstrap.flows.environment import PROOF_KEY
from bootstrap.model.environment import Claim, FromSecret, Variable
from bootstrap.model.errors import BootstrapError
from bootstrap.model.grant import PURPOSES
from bootstrap.model.project import Project, SecretSpec
from bootstrap.rendering.overlay import MASK, TOKEN
from bootstrap.stack.compose.client import Client
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.vendors.aws import KEY_PARTS
from tests.containers import ENVIRON, need_compose

if TYPE_CHECKING:
    from tests.conftest import Bootstrap, Repository

_COMMITTED = """\
services:
  posts:
    image: python
    environment:
      SECRET_A:
  jobs:
    image: python
"""
#: what the manifest gives to whom
_SHOWN = {
    "posts": (Variable("SECRET_A", FromSecret("SECRET_A"), "services.posts"),),
    "jobs": (),
    "xray-daemon": (),
}
_NAMES = ("SECRET_A", "SECRET_B", "TRACE_PROOF_KEY", "BOOTSTRAP_COLLECTOR_TOKEN")


@pytest.fixture
def client(repository: Repository) -> Client:
    need_compose()
    repository.write("docker-compose.yml", _COMMITTED)
    environ = {**os.environ, **ENVIRON}
    return Client(repository.root, State(repository.root, environ), environ)


def test_what_the_manifest_gives_is_fine(client: Client) -> None:
    services = check(client, _SHOWN, _NAMES, {})
    assert sorted(services) == ["jobs", "posts"]
    assert list(services["jobs"]["networks"]) == ["default"]


@pytest.mark.parametrize(
    ("override", "service", "secret"),
    [
        ("services: {jobs: {environment: [SECRET_A]}}", "jobs", "SECRET_A"),
        ("services: {jobs: {environment: {X: '${SECRET_A}'}}}", "jobs", "SECRET_A"),
        ("services: {jobs: {environment: {X: 'a${NOPE:-b${SECRET_A:-}}'}}}", "jobs", "SECRET_A"),
        ("services: {jobs: {command: ['echo', '$SECRET_A']}}", "jobs", "SECRET_A"),
        ("services: {jobs: {labels: {x: '${SECRET_A?}'}}}", "jobs", "SECRET_A"),
        ("services: {jobs: {build: {context: ., args: [SECRET_A]}}}", "jobs", "SECRET_A"),
        ("services: {jobs: {env_file: [stolen.env]}}", "jobs", "SECRET_A"),
        ("services: {posts: {environment: [SECRET_B]}}", "posts", "SECRET_B"),
        ("services: {evil: {image: x, environment: [SECRET_A]}}", "evil", "SECRET_A"),
        ("services: {jobs: {pid: 'service:posts'}}", "jobs", "SECRET_A"),
        ("services: {jobs: {pid: 'container:${COMPOSE_PROJECT_NAME}-posts-1'}}", "jobs", "SECRET_A"),
        ("services: {posts: {container_name: p}, jobs: {pid: 'container:p'}}", "jobs", "SECRET_A"),
        ("services: {evil: {image: x, profiles: [debug], environment: [SECRET_A]}}", "evil", "SECRET_A"),
        ("services: {jobs: {profiles: [debug], environment: [SECRET_A]}}", "jobs", "SECRET_A"),
        ("services: {evil: {extends: {file: docker-compose.yml, service: posts}}}", "evil", "SECRET_A"),
        ("services: {xray-daemon: {image: x, environment: [TRACE_PROOF_KEY]}}", "xray-daemon", "the key"),
        (
            "services: {jobs: {environment: [BOOTSTRAP_COLLECTOR_TOKEN]}}",
            "jobs",
            "BOOTSTRAP_COLLECTOR_TOKEN",
        ),
        (
            "{services: {jobs: {secrets: [s]}}, secrets: {s: {environment: SECRET_A}}}",
            "jobs",
            "SECRET_A",
        ),
        (
            "{services: {jobs: {build: {context: ., secrets: [s]}}}, secrets: {s: {environment: SECRET_A}}}",
            "jobs",
            "SECRET_A",
        ),
        ("{services: {jobs: {configs: [c]}}, configs: {c: {content: '${SECRET_A}'}}}", "it", "SECRET_A"),
        ("{services: {jobs: {}}, networks: {default: {name: '${SECRET_B}'}}}", "it", "SECRET_B"),
        ("{include: [other/compose.yml], services: {jobs: {}}}", "other", "SECRET_A"),
    ],
)
def test_every_way_to_another_secret_is_refused(
    client: Client, repository: Repository, override: str, service: str, secret: str
) -> None:
    repository.write("docker-compose.override.yml", override)
    repository.write("stolen.env", "STOLEN=x${SECRET_A}\n")
    repository.write("other/compose.yml", "services: {other: {image: x, env_file: [../stolen.env]}}\n")
    with pytest.raises(BootstrapError) as refused:
        check(client, _SHOWN, _NAMES, {})
    assert f" {secret}" in refused.value.message
    assert service in refused.value.message


def test_a_file_that_compose_does_not_take_is_an_error_in_its_words(
    client: Client, repository: Repository
) -> None:
    repository.write("docker-compose.override.yml", "services: {jobs: {nope: 1}}\n")
    with pytest.raises(BootstrapError, match="nope"):
        check(client, _SHOWN, _NAMES, {})


@pytest.mark.parametrize(
    "line",
    [
        "COMPOSE_FILE=evil.yml",
        "COMPOSE_PROJECT_NAME=evil",
        "COMPOSE_PROFILES=evil",
        "DOCKER_HOST=tcp://127.0.0.1:1",
        "BUILDX_CONFIG=./evil",
        "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=evil.json",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1",
    ],
)
def test_a_dotenv_steers_neither_compose_nor_docker(
    client: Client, repository: Repository, line: str
) -> None:
    repository.write("evil.yml", "services: {evil: {image: evil}}\n")
    repository.write("docker-compose.override.yml", "services: {hidden: {image: x, profiles: [evil]}}\n")
    repository.write(".env", f"{line}\nTAG=seven\n")
    plain, without_effect = plain_values(repository.root, _project(), {})
    assert without_effect == (line.partition("=")[0],)
    assert plain == {"TAG": "seven"}
    assert sorted(check(client, _SHOWN, _NAMES, plain)) == ["jobs", "posts"]
    assert client.project.startswith("project-")


@pytest.mark.parametrize("build", ["args: [SECRET_A]", "labels: {x: $SECRET_A}", "tags: ['x:$SECRET_A']"])
def test_no_secret_stays_in_an_image_not_even_its_own_services(
    client: Client, repository: Repository, build: str
) -> None:
    repository.write(
        "docker-compose.override.yml", f"services: {{posts: {{build: {{context: ., {build}}}}}}}"
    )
    with pytest.raises(BootstrapError, match=r"services\.posts\.build refers to SECRET_A, which would stay"):
        check(client, _SHOWN, _NAMES, {})


def test_a_build_may_mount_the_secret_of_its_service(client: Client, repository: Repository) -> None:
    repository.write(
        "docker-compose.override.yml",
        "{services: {posts: {build: {context: ., secrets: [s]}}}, secrets: {s: {environment: SECRET_A}}}",
    )
    assert "posts" in check(client, _SHOWN, _NAMES, {})


@pytest.mark.parametrize("value", ["plain-enough", "a$b$${c}d"])
def test_a_dotenv_as_a_whole_is_for_those_who_may_see_all_of_it(
    client: Client, repository: Repository, value: str
) -> None:
    repository.write(".env", f"SECRET_A='{value}'\nTAG=seven\n")
    found = secret_values(repository.root, _project())
    assert found == {"SECRET_A": value}
    repository.write("docker-compose.override.yml", "services: {posts: {env_file: [.env]}}")
    check(client, {}, (), {}, dotenv=Dotenv(found, {"SECRET_A": ("posts",)}))
    repository.write("docker-compose.override.yml", "services: {jobs: {env_file: [.env]}}")
    with pytest.raises(BootstrapError, match=r"services\.jobs refers to SECRET_A \(in \.env\)") as refused:
        check(client, {}, (), {}, dotenv=Dotenv(found, {"SECRET_A": ("posts",)}))
    assert value not in refused.value.message + refused.value.hint


def test_a_service_that_nobody_starts_is_looked_at_and_not_among_them(
    client: Client, repository: Repository
) -> None:
    repository.write(
        "docker-compose.override.yml",
        "services: {jobs: {profiles: [w]}, one: {image: x, profiles: [a]}, two: {image: x, profiles: [b]}}\n",
    )
    assert sorted(check(client, _SHOWN, _NAMES, {})) == ["jobs", "posts"]
    client.environ["COMPOSE_PROFILES"] = "b,c"
    assert sorted(check(client, _SHOWN, _NAMES, {})) == ["jobs", "posts", "two"]


def test_a_secret_in_a_dotenv_is_no_plain_value(repository: Repository) -> None:
    repository.write(".env", "SECRET_A=x\nHONEYCOMB_API_KEY=x\nTAG=${SECRET_A}\n")
    assert plain_values(repository.root, _project(), {}) == ({"TAG": "${SECRET_A}"}, ())


def test_a_shell_goes_before_a_dotenv(repository: Repository) -> None:
    repository.write(".env", "TAG=theirs\nCOLOUR=red\n")
    assert plain_values(repository.root, _project(), {"TAG": "mine"}) == ({"COLOUR": "red"}, ())


def test_a_shell_steers_no_compose_either(repository: Repository) -> None:
    steering: dict[str, Any] = {
        "COMPOSE_FILE": "evil.yml",
        "COMPOSE_PROJECT_NAME": "x",
        "COMPOSE_ENV_FILES": "e",
    }
    own = {"COMPOSE_PROFILES": "mine", "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "true"}
    client = Client(repository.root, State(repository.root, os.environ), {**steering, **own})
    assert client.environ == {**own, "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false"}


@pytest.mark.parametrize("address", ["https://127.0.0.1:1/other.git", "oci://127.0.0.1:1/other"])
def test_no_file_is_fetched_from_elsewhere(client: Client, repository: Repository, address: str) -> None:
    repository.write("docker-compose.override.yml", f"{{include: ['{address}'], services: {{}}}}\n")
    with pytest.raises(BootstrapError, match=r"COMPOSE_EXPERIMENTAL_(GIT|OCI)_REMOTE"):
        check(client, _SHOWN, _NAMES, {})


def _project() -> Project:
    return Project("p", "us-east-1", {}, secrets={"SECRET_A": SecretSpec("SECRET_A")})


def test_an_aws_key_in_a_dotenv_is_for_nobody_who_has_no_other_in_its_place(
    repository: Repository, bootstrap: Bootstrap
) -> None:
    need_compose()
    repository.write(
        "bootstrap.toml",
        '[project]\nname = "small"\n'
        '[services.web]\nbuild = "web"\ntelemetry = ["cloudwatch"]\n'
        '[services.job]\nbuild = "job"\ntelemetry = ["xray"]\n',
    )
    bootstrap("render", cwd=repository.root).check(0)
    value = "not-the-id-of-a-key"
    repository.write(".env", f"AWS_ACCESS_KEY_ID={value}\n")
    for name, code in (("web", 0), ("job", 1), ("job", 0)):
        repository.write("docker-compose.override.yml", f"services: {{{name}: {{env_file: [.env]}}}}")
        raw = ("--raw-aws-keys",) if (name, code) == ("job", 0) else ()
        shown = bootstrap("compose", *raw, "--", "config", cwd=repository.root, env=ENVIRON)
        shown.check(code)
        # What the collector's SDK wants stands before what a file says.
        assert (value in shown.out) is bool(raw), shown.out
        assert ("job would get AWS_ACCESS_KEY_ID itself from .env" in shown.err) is (code == 1)


@pytest.mark.parametrize(
    "name",
    [TOKEN, MASK, PROOF_KEY, *(Claim(part, purpose).variable for part in KEY_PARTS for purpose in PURPOSES)],
)
def test_no_secret_has_the_name_of_a_value_of_the_run(name: str) -> None:
    """Its service would get that value: another one's session, or every secret that is masked."""
    options: dict[str, Any] = {vendor.name: vendor.options for vendor in VENDORS.values()}
    services = {"web": {"build": ".", "secrets": {"MINE": name}}}
    with pytest.raises(ManifestError, match=f"secrets.{name}: "):
        parse({"project": {"name": "shop"}, "services": services, "secrets": {name: {}}}, options)
