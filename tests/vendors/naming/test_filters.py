"""Reading filter expressions: whose traces a group can show, judged apart from how it is written."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.vendors.naming.filters import Match, match

NEVER, SOME, ALWAYS = Match(False, False), Match(True, False), Match(True, True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("expression", "anybodys", "ours"),
    [
        ('service("web")', SOME, ALWAYS),
        ('service("web") OR service("api")', SOME, ALWAYS),
        ('service("api")', SOME, NEVER),
        ('service("Web")', SOME, NEVER),
        ("service()", ALWAYS, ALWAYS),
        ('service("web") {fault OR error}', SOME, SOME),
        ('service("https://4567-shop.ws-eu1.gitpod.io") {fault OR error}', NEVER, NEVER),
        ('service("HTTP://web")', NEVER, NEVER),
        ('service("https://web") OR service("web")', SOME, ALWAYS),
        ('service("https://web") AND service("web")', NEVER, NEVER),
        ('!service("https://web")', ALWAYS, ALWAYS),
        ('!service("web")', SOME, NEVER),
        ('edge("https://web", "api")', NEVER, NEVER),
        ('edge("web", "api") {fault = true}', SOME, SOME),
        ('service(id(name: "web", type: "AWS::EC2::Instance"))', SOME, SOME),
        ('service(id(name: "web"))', SOME, ALWAYS),
        ('service(id(type: "AWS::S3::Bucket"))', SOME, SOME),
        ('service("web") AND annotation.account = "12345"', SOME, SOME),
        ('annotation[a key] = "https://web"', SOME, SOME),
        ('http.url BEGINSWITH "https://web/" AND http.url CONTAINS "/v2/" AND !service("api")', SOME, SOME),
        ("ok !partial duration <3", SOME, SOME),
        ("responsetime > 2.5", SOME, SOME),
        ('(service("web") AND ok) OR (service("web"))', SOME, ALWAYS),
    ],
)
def test_documented_forms(expression: str, anybodys: Match, ours: Match) -> None:
    assert match(expression) == anybodys
    assert match(expression, "web") == ours


@pytest.mark.parametrize(
    "expression",
    [
        *("", " ", "service(", 'service("web"', 'service("web" "api")', 'service("a", "b")', "§", '"web"'),
        *("ok AND", "OR ok", "= 3", "duration >", "duration > >", 'service("web") {', "{ok}", "ok)"),
        *('edge("a", "b", "c")', "(" * 60 + "ok" + ")" * 60, "!" * 2000 + "ok", "ok " * 1000),
    ],
)
def test_what_is_no_expression_is_not_judged(expression: str) -> None:
    assert match(expression) is None


@given(st.text(alphabet=string.printable, max_size=60) | st.text(max_size=30))
def test_whatever_is_written_it_is_read_or_left(expression: str) -> None:
    for service in (None, "web"):
        found = match(expression, service)
        assert found is None or found.possible or not found.always


names = st.sampled_from(["web", "api", "https://web", 'quoted " name', "back\\slash"])
_leaves = st.one_of(
    names.map(lambda name: ("service", name)),
    names.map(lambda name: ("faulty", name)),
    st.sampled_from(["ok", "duration >= 5", 'user = "a OR b"', "annotation.x = true"]).map(
        lambda text: ("keyword", text)
    ),
)
expressions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: ("not", one)),
        st.tuples(st.sampled_from(["and", "or", "beside"]), inner, inner),
    ),
    max_leaves=12,
)


def written(node: Any) -> str:
    kind, *parts = node
    if kind == "keyword":
        return str(parts[0])
    if kind in ("service", "faulty"):
        quoted = parts[0].replace("\\", "\\\\").replace('"', '\\"')
        return f'service("{quoted}")' + (" { fault }" if kind == "faulty" else "")
    if kind == "not":
        return f"!({written(parts[0])})"
    sign = {"and": " AND ", "or": " OR ", "beside": " "}[kind]
    return f"({written(parts[0])}){sign}({written(parts[1])})"


def judged(node: Any, service: str | None) -> tuple[bool, bool]:
    """(possible, always), from the tree that the text was made from."""
    kind, *parts = node
    if kind == "keyword":
        return True, False
    if kind in ("service", "faulty"):
        possible = "://" not in parts[0] and service in (None, parts[0])
        return possible, possible and kind == "service" and service == parts[0]
    found = [judged(part, service) for part in parts]
    if kind == "not":
        return not found[0][1], not found[0][0]
    combine = any if kind == "or" else all
    return combine(possible for possible, _ in found), combine(always for _, always in found)


@given(expressions, st.sampled_from([None, "web", "other"]))
def test_it_is_judged_as_what_it_was_made_from(node: Any, service: str | None) -> None:
    expression = written(node)
    found = match(expression, service)
    if len(expression) <= 2000:
        assert found is not None
        assert (found.possible, found.always) == judged(node, service)


@given(st.lists(st.sampled_from(["web", "api", "db"]), min_size=1, unique=True))
def test_and_binds_closer_than_or(services: list[str]) -> None:
    text = " OR ".join(f'ok AND service("{name}")' for name in services)
    assert match(text, "web") == (SOME if "web" in services else NEVER)
