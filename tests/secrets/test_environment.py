"""The environment as a store: the contract of readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bootstrap.secrets.environment import Store
from tests.secrets.contract import ReaderContract, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis import strategies as st

    from bootstrap.secrets.interface import SecretStore
    from tests.secrets.conftest import ForAll, MakePlace


class TestEnvironment(ReaderContract):
    """Variables of this process."""

    store = "environment"

    @pytest.fixture
    def holding(self, place: MakePlace) -> Callable[[Mapping[str, str]], SecretStore]:
        return lambda values: Store(place(environ=values))


def test_any_value_is_given_as_it_is(
    place: MakePlace, for_all: ForAll, hostile: st.SearchStrategy[str]
) -> None:
    def check(value: str) -> None:
        assert Store(place(environ={"KEY": value})).get("KEY") == secret(value)

    for_all(hostile, check, examples=50)
