"""The session file: the contract, removals, and what the next start makes of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from bootstrap.secrets.session import Store
from tests.secrets.contract import CANARY, StoreContract, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from bootstrap.secrets.interface import Place, SecretStore
    from tests.secrets.conftest import MakePlace


class TestSession(StoreContract):
    """A document in the repository's folder of this start."""

    store = "session"

    def open_at(self, place: Place) -> SecretStore:
        return Store(place)

    @pytest.fixture
    def sabotage(self, place: MakePlace) -> Callable[[], AbstractContextManager[object]]:
        folder = place().session

        @contextlib.contextmanager
        def break_() -> Iterator[None]:
            aside = folder.path.with_name("aside")
            folder.directory.rename(aside)
            folder.path.write_text("not a folder", encoding="utf-8")
            try:
                yield
            finally:
                folder.path.unlink()
                aside.rename(folder.path)

        return break_


def test_the_next_start_knows_nothing_of_it(place: MakePlace) -> None:
    first = Store(place())
    first.set("KEY", secret(CANARY))
    first.mark_removed("OLD")
    second = Store(place(instance="second start"))
    assert second.get("KEY") is None
    assert second.names() == frozenset()
    assert not second.removed("OLD")


def test_the_next_start_throws_the_values_away(place: MakePlace) -> None:
    Store(place()).set("KEY", secret(CANARY))
    Store(place(instance="second start")).set("OTHER", secret("b"))
    texts = [path.read_text(encoding="utf-8") for path in place().session.path.iterdir()]
    assert not any(CANARY in text for text in texts)
    assert Store(place()).get("KEY") is None


def test_a_removal_is_remembered_until_it_is_dropped(place: MakePlace) -> None:
    store = Store(place())
    assert not store.removed("KEY")
    store.mark_removed("KEY")
    assert Store(place()).removed("KEY")
    assert store.get("KEY") is None
    assert store.names() == frozenset()
    store.drop("KEY")
    assert not store.removed("KEY")


def test_a_value_ends_a_removal_and_the_other_way_round(place: MakePlace) -> None:
    store = Store(place())
    store.mark_removed("KEY")
    store.set("KEY", secret(CANARY))
    assert not store.removed("KEY")
    list(store.delete_many(["KEY"]))
    assert store.removed("KEY")
    assert store.get("KEY") is None
