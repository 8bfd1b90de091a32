"""The table that `bootstrap env --format` offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from bootstrap.encoding.formats import FORMATS
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from tests.encoding.conftest import ForAll


@pytest.mark.soak
def test_json_is_read_back_as_it_was(hostile: st.SearchStrategy[str], for_all: ForAll) -> None:
    def check(values: list[str]) -> None:
        pairs = [(f"V_{number}", value) for number, value in enumerate(values)]
        assert json.loads(FORMATS["json"](pairs).encode()) == dict(pairs)

    for_all(st.lists(hostile, min_size=50, max_size=60), check, examples=20)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_gives_nothing_to_read(form: str) -> None:
    assert FORMATS[form]([]) == ("{}\n" if form == "json" else "")


@pytest.mark.parametrize("form", FORMATS)
def test_bytes_that_were_never_utf8_are_refused_by_name(form: str) -> None:
    with pytest.raises(BootstrapError, match=r"^API_KEY: .*UTF-8"):
        FORMATS[form]([("API_KEY", b"\xff".decode("utf-8", "surrogateescape"))])
