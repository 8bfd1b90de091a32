"""The ona store: the contract as far as a store can keep it that knows no repositories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.secrets.interface import Fate
from bootstrap.secrets.ona import Store
from tests.secrets.contract import CANARY, FIVE, StoreContract, secret, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from tests.secrets.conftest import MakePlace
    from tests.secrets.stand_ins.machine import StandIns


@pytest.fixture
def environ(stand_ins: StandIns) -> dict[str, str]:
    """An environment with `ona`, logged in."""
    return {**os.environ, "PATH": f"{stand_ins.programs}{os.pathsep}{os.environ['PATH']}"}


class TestOna(StoreContract):
    """`ona user secret`."""

    store = "ona"
    repositories = False
    examples = 5

    @pytest.fixture
    def environ(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        return environ

    @pytest.fixture
    def held(self, stand_ins: StandIns) -> Callable[[str], str | None]:
        def look(name: str) -> str | None:
            entries = stand_ins.state("ona").get("secrets", [])
            return next((entry["value"] for entry in entries if entry["name"] == name), None)

        return look

    @pytest.fixture
    def sabotage(self, stand_ins: StandIns) -> Callable[[], AbstractContextManager[object]]:
        return lambda: stand_ins.trouble("ona", writes=0)


def test_it_warns_of_what_it_cannot_do(place: MakePlace) -> None:
    caution = Store(place()).caution
    assert "all of your environments" in caution
    assert "Nobody has tried" in caution


def test_no_argument_holds_a_value(place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns) -> None:
    store = Store(place(environ=environ))
    for _ in range(2):  # made, then updated
        list(store.set_many(FIVE))
    list(store.delete_many(FIVE))
    assert len(stand_ins.calls("ona")) > 15
    assert CANARY not in str(stand_ins.calls("ona"))


def test_an_update_keeps_the_id(place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns) -> None:
    entry = {"id": "0123", "name": "KEY", "value": "old"}
    with stand_ins.change("ona") as state:
        state["secrets"] = [entry]
    assert Store(place(environ=environ)).set("KEY", secret("new")) is Fate.ACCEPTED
    assert stand_ins.state("ona")["secrets"] == [{**entry, "value": "new"}]


def test_the_program_may_have_its_old_name(
    place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns
) -> None:
    (stand_ins.programs / "ona").unlink()
    store = Store(place(environ=environ))
    assert store.unavailable() is None
    assert store.set("KEY", secret("new")) is Fate.ACCEPTED


@pytest.mark.parametrize("name", ["AB", "A-B-C", "1KEY", "X" * 128])
def test_names_that_ona_refuses(
    place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns, name: str
) -> None:
    (outcome,) = Store(place(environ=environ)).set_many({name: secret("value")})
    assert outcome.fate is Fate.REFUSED
    assert stand_ins.calls("ona") == []


def test_a_value_cannot_be_read(place: MakePlace, environ: Mapping[str, str]) -> None:
    store = Store(place(environ=environ))
    store.set("KEY", secret(CANARY))
    with pytest.raises(NotConfiguredError, match="KEY: cannot be read back"):
        store.get("KEY")
    assert store.get_many(["KEY"]) == {}


def test_it_says_why_it_cannot_work(
    place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns
) -> None:
    assert "no `ona` or `gitpod` command" in (Store(place(environ={"PATH": "/nowhere"})).unavailable() or "")
    with stand_ins.change("ona") as state:
        state["login"] = False
    assert "please log in" in (Store(place(environ=environ)).unavailable() or "")


def test_a_list_of_another_form_is_an_error(
    place: MakePlace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("other")
    program = folder / "ona"
    program.write_text("#!/bin/sh\necho '{\"secrets\": []}'\n", encoding="utf-8")
    program.chmod(0o755)
    store = Store(place(environ={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}))
    with pytest.raises(BootstrapError, match="no form that is known") as refused:
        store.set("KEY", secret(CANARY))
    assert CANARY not in told(refused.value)
