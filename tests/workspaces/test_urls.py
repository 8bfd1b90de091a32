"""Where each workspace is reached, how it is known, and what it says when a part of a URL is missing."""

from __future__ import annotations

import pytest

from bootstrap.model.errors import NotConfiguredError
from bootstrap.workspaces import WORKSPACES, detect

GITPOD = {"GITPOD_WORKSPACE_ID": "shop-abc123", "GITPOD_WORKSPACE_CLUSTER_HOST": "ws-eu1.gitpod.io"}
CODESPACE = {
    "CODESPACES": "true",
    "CODESPACE_NAME": "fuzzy-guide-123",
    "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev",
}
ONA = {"GITPOD_ENVIRONMENT_ID": "0192-abcd", "GITPOD_REGION": "us-east-1-01"}

#: what the environment says -> (which workspace that is, the URL of port 4567)
URLS: list[tuple[dict[str, str], str, str]] = [
    ({}, "local", "http://localhost:4567"),
    ({"REMOTE_CONTAINERS": "true"}, "devcontainer", "http://localhost:4567"),
    ({"BOOTSTRAP_DEVCONTAINER": "true"}, "devcontainer", "http://localhost:4567"),
    ({"REMOTE_CONTAINERS": "false"}, "local", "http://localhost:4567"),
    (GITPOD, "gitpod", "https://4567-shop-abc123.ws-eu1.gitpod.io"),
    (
        {"GITPOD_WORKSPACE_URL": "https://shop-abc123.ws-eu1.gitpod.io"},
        "gitpod",
        "https://4567-shop-abc123.ws-eu1.gitpod.io",
    ),
    ({"GITPOD_WORKSPACE_URL": "https://shop.example.com/ "}, "gitpod", "https://4567-shop.example.com"),
    ({**GITPOD, "GITPOD_WORKSPACE_URL": " "}, "gitpod", "https://4567-shop-abc123.ws-eu1.gitpod.io"),
    (CODESPACE, "codespaces", "https://fuzzy-guide-123-4567.app.github.dev"),
    ({**CODESPACE, "CODESPACES": ""}, "codespaces", "https://fuzzy-guide-123-4567.app.github.dev"),
    (ONA, "ona", "https://4567--0192-abcd.us-east-1-01.gitpod.dev"),
    ({**ONA, "GITPOD_REGION": ".us-east-1-01. "}, "ona", "https://4567--0192-abcd.us-east-1-01.gitpod.dev"),
    # Each may run a devcontainer, and Ona sets variables of Gitpod Classic, too.
    ({**GITPOD, **ONA}, "ona", "https://4567--0192-abcd.us-east-1-01.gitpod.dev"),
    ({**GITPOD, "REMOTE_CONTAINERS": "true"}, "gitpod", "https://4567-shop-abc123.ws-eu1.gitpod.io"),
    (
        {**CODESPACE, "BOOTSTRAP_DEVCONTAINER": "true"},
        "codespaces",
        "https://fuzzy-guide-123-4567.app.github.dev",
    ),
    ({**GITPOD, **CODESPACE}, "gitpod", "https://4567-shop-abc123.ws-eu1.gitpod.io"),
]


@pytest.mark.parametrize(("environ", "name", "url"), URLS)
def test_a_workspace_is_known_by_its_variables(environ: dict[str, str], name: str, url: str) -> None:
    workspace = detect(environ)
    assert (workspace.name, workspace.url(4567)) == (name, url)


def without(environ: dict[str, str], name: str, value: str | None) -> dict[str, str]:
    rest = {key: item for key, item in environ.items() if key != name}
    return rest if value is None else {**rest, name: value}


@pytest.mark.parametrize("value", [None, "", "   "])
@pytest.mark.parametrize(
    ("environ", "name"),
    [
        *((GITPOD, name) for name in GITPOD),
        *((CODESPACE, name) for name in CODESPACE if name != "CODESPACES"),
        (ONA, "GITPOD_REGION"),
    ],
)
def test_an_empty_part_is_an_error_that_names_the_variable(
    environ: dict[str, str], name: str, value: str | None
) -> None:
    # Gitpod is known by any of three variables, so that a missing one can still be missed.
    given = without({**environ, "GITPOD_INSTANCE_ID": "x"} if environ is GITPOD else environ, name, value)
    with pytest.raises(NotConfiguredError, match=f"^{name} is empty, so this .* has no URLs$") as caught:
        detect(given).url(3000)
    assert name in caught.value.hint


@pytest.mark.parametrize(
    "url",
    ["https://", "https://.", "https://.ws-eu1.gitpod.io", "http://shop.gitpod.io", "shop.gitpod.io", "x"],
)
def test_a_workspace_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(NotConfiguredError, match=r"^GITPOD_WORKSPACE_URL is ") as caught:
        detect({**GITPOD, "GITPOD_WORKSPACE_URL": url}).url(3000)
    assert caught.value.hint


@pytest.mark.parametrize("headless", ["true", "false", "", None])
def test_only_a_headless_gitpod_is_a_prebuild(headless: str | None) -> None:
    environ = without(GITPOD, "GITPOD_HEADLESS", headless)
    assert detect(environ).prebuild is (headless == "true")
    assert not detect({"GITPOD_HEADLESS": "true"}).prebuild


@pytest.mark.parametrize(("environ", "name", "url"), URLS)
def test_two_workspaces_of_one_kind_are_told_apart_when_their_urls_differ(
    environ: dict[str, str], name: str, url: str
) -> None:
    other = {
        key: value.replace("shop", "other").replace("fuzzy", "other").replace("0192", "1")
        for key, value in environ.items()
    }
    same_url = detect(other).url(4567) == url
    assert (detect(other).instance == detect(environ).instance) is same_url
    assert detect(environ).title
    assert detect(environ).name == name


def test_each_workspace_has_a_name_of_its_own() -> None:
    assert len({workspace.name for workspace in WORKSPACES}) == len(WORKSPACES)
    assert WORKSPACES[-1].detected({})
