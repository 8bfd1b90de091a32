"""One stand-in of Honeycomb for all tests of a module, and an environment of its own for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.provisioning.honeycomb.scenario import Someone
from tests.stand_ins.honeycomb_configuration import HoneycombConfiguration
from tests.stand_ins.honeycomb_rules import Environment
from tests.stand_ins.openapi import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICIAL = Path(__file__).parents[4] / "shared" / "schemas" / "honeycomb-openapi.json"


@pytest.fixture(scope="session")
def official() -> Document | None:
    """Honeycomb's own description of its API, which is not ours to keep; None where it is not at hand."""
    return Document(OFFICIAL) if OFFICIAL.is_file() else None


@pytest.fixture(scope="module")
def server(official: Document | None) -> Iterator[HoneycombConfiguration]:
    with HoneycombConfiguration(official) as running:
        yield running


@pytest.fixture
def honeycomb(server: HoneycombConfiguration) -> Iterator[HoneycombConfiguration]:
    """The stand-in; whatever a test does, every request is valid and no board is broken for a moment."""
    server.reset()
    yield server
    assert server.violations == []
    assert server.broken == []


@pytest.fixture
def environment() -> Environment:
    return Environment("production")


@pytest.fixture
def me(honeycomb: HoneycombConfiguration, environment: Environment) -> Someone:
    key, _ = honeycomb.add_key(environment)
    return Someone(key=key, url=honeycomb.url, told=[])
