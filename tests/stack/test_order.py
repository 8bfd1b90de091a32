"""The order of the start."""

from pathlib import Path

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import Launch
from bootstrap.stack.order import waves


def launch(name: str, *depends_on: str) -> Launch:
    return Launch(name, "true", Path("/"), {}, depends_on=depends_on)


def test_each_wave_depends_on_earlier_ones_only() -> None:
    found = waves([launch("web", "api", "cache"), launch("api", "db"), launch("db"), launch("cache")])
    assert [[each.name for each in wave] for wave in found] == [["db", "cache"], ["api"], ["web"]]


def test_a_circle_is_named() -> None:
    with pytest.raises(BootstrapError) as caught:
        waves([launch("a", "b"), launch("b", "c"), launch("c", "a"), launch("d")])
    circle = caught.value.message.removeprefix("depends_on goes in a circle: ").split(" -> ")
    assert len(circle) == 4
    assert "".join(circle) in {"abca", "bcab", "cabc"}


def test_a_dependency_that_is_not_started_is_named() -> None:
    with pytest.raises(BootstrapError) as caught:
        waves([launch("web", "db")])
    assert caught.value.message == "services.web.depends_on: db is not among the services to start"


def test_nothing_needs_no_order() -> None:
    assert waves([]) == []
