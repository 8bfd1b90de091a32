"""`bootstrap provision` as a program, for what is made at Honeycomb."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.vendors.keys.honeycomb import HERE, MANAGES
from tests.stand_ins.honeycomb_configuration import HoneycombConfiguration
from tests.stand_ins.honeycomb_rules import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Bootstrap, Repository, Result

MANIFEST = """
[project]
name = "shop"

[services.web]
image = "busybox"
telemetry = ["honeycomb", "xray"]
"""


@pytest.fixture
def honeycomb() -> Iterator[HoneycombConfiguration]:
    with HoneycombConfiguration() as server:
        yield server


@pytest.fixture
def project(repository: Repository) -> Repository:
    repository.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    repository.write("bootstrap.toml", MANIFEST)
    return repository


def test_from_nothing_and_back(
    bootstrap: Bootstrap, project: Repository, honeycomb: HoneycombConfiguration
) -> None:
    environment = Environment("production")
    key, identifier = honeycomb.add_key(environment)

    def provision(*arguments: str) -> Result:
        env = {HERE: honeycomb.url, MANAGES: key}
        result = bootstrap("provision", *arguments, cwd=project.root, env=env)
        assert key not in result.out + result.err
        return result

    planned = provision("plan", "honeycomb").check(5, "web: slowest traces", "10 to create")
    words = f"Honeycomb: team acme-shops, environment production, identity key {identifier}, region us"
    assert words in planned.err
    provision("apply", "honeycomb", "--yes").check(0, "Creating Honeycomb board shop", "Done: 10 changes.")
    document: dict[str, Any] = json.loads(provision("plan", "honeycomb", "--json").check(0).out)
    assert document["pending"] == 0
    assert document["accounts"] == [
        {
            "provider": "honeycomb",
            "team": "acme-shops",
            "environment": "production",
            "identity": f"key {identifier}",
            "region": "us",
            "repository": "github.com/acme/shop",
            "maker": identifier,
            "remarks": [],
        }
    ]
    honeycomb.fail(8, fault="forbid")
    refused = provision("destroy", "honeycomb", "--yes").check(
        4, "Allow it to the key at Environment > API keys"
    )
    assert "bootstrap provision destroy honeycomb" in refused.err
    honeycomb.fail(0, fault="forbid")
    gone = provision("destroy", "honeycomb", "--yes").check(0)
    assert "its name and text go; the query itself stays" in gone.out
    assert "leave   Honeycomb column web/duration_ms: what traces say in it would be lost" in gone.out
    assert environment.annotations == {"web": {}}
    assert environment.boards == {}


def test_without_a_key_it_says_how_the_rest_is_done(bootstrap: Bootstrap, project: Repository) -> None:
    bootstrap("provision", "plan", cwd=project.root).check(3, "is not set", "name the others: ")
