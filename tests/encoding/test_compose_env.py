"""What the Compose env file encoder writes, read back by Docker Compose itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from bootstrap.encoding import compose_env
from bootstrap.encoding.formats import FORMATS
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from tests.encoding.conftest import Compose, ForAll

SERVICE = "services:\n  s:\n    image: x\n    env_file: [values.env]\n"


@pytest.mark.soak
def test_compose_reads_back_every_value(
    hostile: st.SearchStrategy[str], for_all: ForAll, compose: Compose
) -> None:
    def check(values: list[str]) -> None:
        pairs = [(f"V_{number}", value) for number, value in enumerate(values)]
        read = compose.environment(SERVICE, **{"values.env": FORMATS["compose-env"](pairs)})
        assert read == dict(pairs)

    for_all(st.lists(hostile, min_size=80, max_size=100), check, examples=12)


def test_a_later_line_does_not_see_an_earlier_one(compose: Compose) -> None:
    pairs = [("V_A", "first"), ("V_B", "$V_A ${V_A} ${V_A:-x}")]
    read = compose.environment(SERVICE, **{"values.env": FORMATS["compose-env"](pairs)})
    assert read == dict(pairs)


@pytest.mark.parametrize(("value", "what"), [("a\0b", "NUL"), ("a\udcff", "UTF-8")])
def test_what_compose_cannot_hold_is_refused_by_name(value: str, what: str) -> None:
    with pytest.raises(BootstrapError, match=f"^DATABASE_URL: .*{what}") as caught:
        compose_env.assignment("DATABASE_URL", value)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["", "1A", "A B", "A\n", "A=B", "A.B", "#A", "export A"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BootstrapError, match="is not the name of a variable"):
        compose_env.assignment(name, "x")
