"""The journal's whole stack, read by the real Docker Compose: every variable of the original has its place.

What the original had and this does not have, and why:

- AWS_XRAY_URL switched the recorder to dynamic naming, which names segments after the host that was asked:
  then neither the sampling rule nor the group, which go by the service's name, would match them.
- HONEYCOMB_SERVICE_NAME gave every service one name. Each has its own OTEL_SERVICE_NAME now.
- 2000:2000 published the X-Ray daemon, which signs whatever reaches it with the account's keys.
- ["xray -o -b xray-daemon:2000"] is one argument, which the daemon ignores; ["-o"] is what was meant.
- version: is obsolete, and internal-network was never used.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bootstrap
    from tests.rendering.conftest import Compose, Scenario

#: nothing anybody could use, each different so that a mix-up shows
SECRETS = {
    "HONEYCOMB_API_KEY": "plainly-fake-honeycomb",
    "AWS_ACCESS_KEY_ID": "plainly-fake-id",
    "AWS_SECRET_ACCESS_KEY": "plainly-fake-$secret$${x}",
    "AWS_SESSION_TOKEN": "plainly-fake-token",
    "ROLLBAR_ACCESS_TOKEN": "plainly-fake-rollbar",
}
AWS = {name: value for name, value in SECRETS.items() if name.startswith("AWS_")}

#: workspace -> its own variables, the backend's URL and the frontend's
WORKSPACES = {
    "Gitpod": (
        {"GITPOD_WORKSPACE_ID": "cruddur-abc123", "GITPOD_WORKSPACE_CLUSTER_HOST": "ws-eu89.gitpod.io"},
        "https://4567-cruddur-abc123.ws-eu89.gitpod.io",
        "https://3000-cruddur-abc123.ws-eu89.gitpod.io",
    ),
    "Codespaces": (
        {
            "CODESPACES": "true",
            "CODESPACE_NAME": "fuzzy-guide-123",
            "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev",
        },
        "https://fuzzy-guide-123-4567.app.github.dev",
        "https://fuzzy-guide-123-3000.app.github.dev",
    ),
    "local": ({}, "http://localhost:4567", "http://localhost:3000"),
}


@pytest.mark.parametrize("workspace", WORKSPACES)
def test_every_variable_of_the_original_has_its_value(
    workspace: str, scenario: Scenario, compose: Compose
) -> None:
    environ, backend, frontend = WORKSPACES[workspace]
    services = compose.services(scenario("journal", environ).root, SECRETS)
    seen = {name: service["environment"] for name, service in services.items()}

    assert seen["backend-flask"] == {
        "FRONTEND_URL": frontend,
        "BACKEND_URL": backend,
        "OTEL_SERVICE_NAME": "backend-flask",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://api.honeycomb.io",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team=plainly-fake-honeycomb",
        "AWS_XRAY_DAEMON_ADDRESS": "xray-daemon:2000",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        **AWS,
        "CLOUDWATCH_LOG_GROUP": "cruddur",
        "ROLLBAR_ACCESS_TOKEN": "plainly-fake-rollbar",
        "ROLLBAR_ENVIRONMENT": "development",
        "PORT": "4567",
    }
    assert seen["frontend-react-js"] == {
        "REACT_APP_BACKEND_URL": backend,
        "OTEL_SERVICE_NAME": "frontend-react-js",
        "PORT": "3000",
    }
    nobodys = {"AWS_EC2_METADATA_DISABLED": "true"}
    assert seen["xray-daemon"] == {"AWS_REGION": "us-east-1", **nobodys, **AWS}
    assert seen["dynamodb-local"] == {}
    assert seen["db"] == {"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "password"}


def test_everything_else_of_the_original_is_there(scenario: Scenario, compose: Compose) -> None:
    services = compose.services(scenario("journal").root)

    def mounts(name: str) -> list[tuple[str, str, str]]:
        root = str(scenario("journal").root)
        return [
            (mount["type"], mount["source"].removeprefix(root), mount["target"])
            for mount in services[name]["volumes"]
        ]

    def published(name: str) -> list[tuple[str, int, str]]:
        ports: list[dict[str, Any]] = services[name].get("ports", [])
        return [(port.get("host_ip", "everywhere"), port["target"], port["published"]) for port in ports]

    assert mounts("backend-flask") == [("bind", "/backend-flask", "/backend-flask")]
    assert mounts("frontend-react-js") == [("bind", "/frontend-react-js", "/frontend-react-js")]
    assert mounts("dynamodb-local") == [("bind", "/docker/dynamodb", "/home/dynamodblocal/data")]
    assert mounts("db") == [("volume", "db", "/var/lib/postgresql/data")]
    assert published("backend-flask") == [("everywhere", 4567, "4567")]
    assert published("frontend-react-js") == [("everywhere", 3000, "3000")]
    assert published("dynamodb-local") == [("127.0.0.1", 8000, "8000")]
    assert published("db") == [("127.0.0.1", 5432, "5432")]
    assert published("xray-daemon") == []
    assert services["xray-daemon"]["command"] == ["-o"]
    assert services["xray-daemon"]["networks"].keys() == {"xray-daemon"}
    assert services["backend-flask"]["networks"].keys() == {"default", "xray-daemon"}
    assert {name for name, each in services.items() if "xray-daemon" in each["networks"]} == {
        "backend-flask",
        "xray-daemon",
    }
    dynamodb = services["dynamodb-local"]
    assert (dynamodb["user"], dynamodb["working_dir"]) == ("root", "/home/dynamodblocal")
    assert dynamodb["command"] == ["-jar", "DynamoDBLocal.jar", "-sharedDb", "-dbPath", "./data"]
    assert dynamodb["container_name"] == "dynamodb-local"
    assert services["db"]["restart"] == "always"


def test_without_any_secret_nothing_is_half_on(scenario: Scenario, compose: Compose) -> None:
    services = compose.services(scenario("journal").root)
    for service in services.values():
        assert not service["environment"].keys() & SECRETS.keys()
    backend = services["backend-flask"]["environment"]
    # Empty, which a service takes for unset: an endpoint without a key would only make noise.
    assert {backend[name] for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS")} == {""}
    assert backend["CLOUDWATCH_LOG_GROUP"] == ""


def test_no_value_of_a_secret_is_in_any_file(scenario: Scenario, bootstrap: Bootstrap) -> None:
    root = scenario("journal", SECRETS).root
    bootstrap("init", "--defaults", cwd=root, env=SECRETS).check(0)
    for path in root.rglob("*"):
        if path.is_file():
            assert b"plainly-fake" not in path.read_bytes(), path


@pytest.fixture
def clone(scenario: Scenario, tmp_path: Path) -> Path:
    """A fresh checkout: no .bootstrap folder, nothing rendered in it, no secret set."""
    repository = scenario("journal")
    repository.write(".gitignore", "/.bootstrap/\n")
    repository.commit()
    subprocess.run(["git", "clone", "--quiet", repository.root, tmp_path / "clone"], check=True)
    return tmp_path / "clone"


def test_compose_accepts_a_fresh_checkout_without_a_word(clone: Path, compose: Compose) -> None:
    assert not (clone / ".bootstrap").exists()
    done = compose.run(clone, "config", "-q", env={"DOCKER_HOST": f"unix://{clone}/no.sock"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("arguments", [["ps", "--all"], ["logs"], ["down"]])
def test_what_looks_and_stops_needs_no_secret(arguments: list[str], clone: Path, compose: Compose) -> None:
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no container engine answers")
    # A name of its own: another checkout's containers are none of this test's business.
    done = compose.run(clone, "--project-name", f"journal-{secrets.token_hex(4)}", *arguments)
    assert done.returncode == 0, done.stderr
    assert "variable is not set" not in done.stderr
    assert "required" not in done.stderr
