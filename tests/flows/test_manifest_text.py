"""One more service in a manifest, however it is written: what was there stays, to the byte."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config.errors import ManifestError
from bootstrap.flows.manifest_text import with_service

TABLE: dict[str, Any] = {
    "build": "new",
    "port": 4568,
    "environment": {"UPSTREAM_URL": "http://${address:a}:${port:a}/"},
    "depends_on": ["a"],
}
BLOCK = """\
[services.new]
build = "new"
port = 4568
environment = { UPSTREAM_URL = "http://${address:a}:${port:a}/" }
depends_on = ["a"]
"""


def added(text: str, name: str = "new") -> str:
    return with_service(text.encode(), name, TABLE).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[project]\nname = "p"\n', ""),
        ('[services.a] # one\nbuild = "a"\n', "\n# about X-Ray\n[telemetry.xray] # two\n"),
        (
            '[services.a]\nbuild = "a"\n[services.a.compose]\nuser = "root"\n# its own end\n',
            "\n\n[workspace]\n",
        ),
        ('services.a.build = "a"\n[project]\nname = "p"\n', ""),
        ('[services]\na.build = "a"\nb = { build = "b" }\n', '\n[project]\nname = "p"\n'),
        ('["services"."a"]\nbuild = "a"\n', ""),
        ('[ services . a ]\nbuild = "a"\n', '\n[project]\nname = "p"\n'),
        ('[services.a]\nbuild = "a"\ncommand = """\n\n[workspace]\n"""\n', ""),
        ('[services.a]\nbuild = "a"\n[services.a.compose]\nx = [\n\n[1],\n]\n[project]\nname = "p"\n', ""),
    ],
)
def test_it_comes_after_the_last_service_and_changes_nothing_else(before: str, after: str) -> None:
    expected = f"{before}\n{BLOCK}{after}"
    assert added(before + after) == expected
    assert added("\ufeff" + before + after) == "\ufeff" + expected
    assert added((before + after).replace("\n", "\r\n")) == expected.replace("\n", "\r\n")


def test_an_empty_file_has_nothing_else_then() -> None:
    assert added("") == BLOCK


def test_a_last_line_that_has_no_end_gets_one() -> None:
    assert added('[services.a]\nbuild = "a"') == f'[services.a]\nbuild = "a"\n\n{BLOCK}'


@pytest.mark.parametrize(
    "services",
    ['{ a = { build = "a" } }', "{}", '{ a = { build = "a", telemetry = [ "xray" ] } } # all of them'],
)
def test_into_an_inline_table_it_goes_inside(services: str) -> None:
    before = f'# first\nservices = {services}\n\n[project] # last\nname = "p"\n'
    after = added(before)
    assert tomllib.loads(after)["services"]["new"] == TABLE
    kept = [line for line in before.splitlines() if not line.startswith("services")]
    assert [line for line in after.splitlines() if not line.startswith("services")] == kept
    assert ("# all of them" in after) == ("# all of them" in before)


@pytest.mark.parametrize("broken", ["[services", "services = 1\n", "[[services]]\n", "\xff"])
def test_what_is_no_manifest_is_refused(broken: str) -> None:
    with pytest.raises(ManifestError):
        with_service(broken.encode("latin-1"), "new", TABLE)


NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name != "new")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, st.dictionaries(TEXTS, VALUES, max_size=4), max_size=4), TEXTS, st.booleans())
@settings(deadline=None)
def test_any_manifest_says_the_same_and_one_service_more(
    services: dict[str, Any],
    comment: str,
    inline: bool,  # noqa: FBT001 - hypothesis hands it over by its place
) -> None:
    """As tomlkit writes it, with tables below each other or one inside the other."""
    document = tomlkit.document()
    document.add(tomlkit.comment(ascii(comment)))
    if inline:
        table = tomlkit.inline_table()
        table.update(services)
        document["services"] = table
    else:
        document["services"] = services
    document["project"] = {"name": comment}
    text = tomlkit.dumps(document)
    before = tomllib.loads(text)
    assert tomllib.loads(added(text)) == {**before, "services": {**before["services"], "new": TABLE}}
