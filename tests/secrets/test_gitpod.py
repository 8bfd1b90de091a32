"""The gitpod store: the contract, and what `gp env` does to values, scopes and people."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.secrets import open_store
from bootstrap.secrets.gitpod import Store, parse_exports
from bootstrap.secrets.interface import Fate
from bootstrap.system.process import run
from tests.secrets.contract import CANARY, FIVE, HOSTILE, StoreContract, secret, told
from tests.secrets.stand_ins.gp import pair, printed, validate, visible
from tests.secrets.stand_ins.machine import workspace
from tests.secrets.stand_ins.program import ProgramError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from tests.secrets.conftest import ForAll, MakePlace
    from tests.secrets.contract import Open
    from tests.secrets.stand_ins.machine import StandIns

NAMES = st.sampled_from(["A", "AB", "_", "a1", "KEY", "export", "OTHER_KEY_2"])


@pytest.fixture
def in_workspace(stand_ins: StandIns) -> Callable[..., dict[str, str]]:
    """The environment of a workspace that was opened for a repository, or for none."""

    def make(slug: str | None = "acme/shop", **more: str) -> dict[str, str]:
        path = f"{stand_ins.programs}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, **workspace(slug), **more}

    return make


@pytest.fixture
def opened(place: MakePlace, in_workspace: Callable[..., dict[str, str]]) -> Open:
    """Open it as the first command of a workspace of that repository would."""

    def open_(slug: str = "acme/shop") -> Store:
        return Store(place(slug, environ=in_workspace(slug)))

    return open_


class TestGitpod(StoreContract):
    """`gp env` in workspaces of one server."""

    store = "gitpod"
    examples = 5

    @pytest.fixture
    def opened(self, opened: Open) -> Open:
        return opened

    @pytest.fixture
    def held(self, stand_ins: StandIns) -> Callable[[str], str | None]:
        return lambda name: visible(stand_ins.state("gp"), "acme/shop").get(name)

    @pytest.fixture
    def sabotage(self, stand_ins: StandIns) -> Callable[[], AbstractContextManager[object]]:
        return lambda: stand_ins.trouble("gp", writes=0)


def test_every_value_can_be_read_from_what_gp_prints(
    for_all: ForAll, hostile: st.SearchStrategy[str]
) -> None:
    def check(values: Mapping[str, str]) -> None:
        text = "".join(printed(name, value, export=True) for name, value in values.items())
        assert parse_exports(text) == values

    any_value = st.one_of(hostile, st.text(st.sampled_from('"\\\nexport A=x'), min_size=1, max_size=30))
    for_all(st.dictionaries(NAMES, any_value, max_size=6), check, examples=200)


def test_a_value_is_refused_exactly_where_gp_or_the_server_would_not_keep_it(
    place: MakePlace, for_all: ForAll, hostile: st.SearchStrategy[str]
) -> None:
    store = Store(place())

    def kept(value: str) -> bool:
        try:
            name, stored = pair(f"KEY={value}")
            validate(name, stored)
        except ProgramError:
            return False
        return stored == value

    def taken(value: str) -> bool:
        try:
            store.check("KEY", secret(value))
        except BootstrapError:
            return False
        return True

    def check(value: str) -> None:
        # what is blank for Python alone is refused, too
        assert taken(value) == (kept(value) and bool(value.replace("\ufeff", "").strip()))

    for_all(hostile, check, examples=300)


def test_every_value_can_be_read_through_the_program(opened: Open, stand_ins: StandIns) -> None:
    values = {
        f"NAME_{number}": value
        for number, value in enumerate(HOSTILE.values())
        if value and "\0" not in value and "\udc80" not in value
    }
    with stand_ins.change("gp") as state:
        state["variables"] = [
            {"pattern": "acme/shop", "name": name, "value": value} for name, value in values.items()
        ]
    found = opened().get_many(values)
    assert {name: value.reveal() for name, value in found.items()} == values


@pytest.mark.parametrize(
    "text",
    [
        "A=b\n",
        'export A="b"',
        'export A="b"\nnoise\n',
        'noise\nexport A="b"\n',
        'export A="b"c"\n',
        "export A=b\n",
    ],
)
def test_an_answer_of_another_form_is_an_error_without_its_text(text: str) -> None:
    with pytest.raises(BootstrapError, match="no form that is known") as refused:
        parse_exports(text.replace("b", CANARY))
    assert CANARY not in told(refused.value)


def test_one_question_serves_until_something_is_written(opened: Open, stand_ins: StandIns) -> None:
    store = opened()
    assert store.unavailable() is None
    store.get_many(FIVE)
    store.names()
    assert stand_ins.calls("gp") == [["gp", "env", "--export"]]
    store.set("KEY", secret("value"))
    assert len(stand_ins.calls("gp")) == 3


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ('"quoted"', "quote"),
        ("it is 'quoted'", "quote"),
        ("a\\ b", "backslash before a blank"),
        (" \u3000\ufeff\n", "blank"),
        ("x" * 32768, "32767"),
        ("\U0001f600" * 16384, "32767"),
    ],
)
def test_what_gp_would_change_is_refused_in_words(
    opened: Open, stand_ins: StandIns, value: str, why: str
) -> None:
    with pytest.raises(BootstrapError, match=why):
        opened().set("KEY", secret(value))
    assert stand_ins.calls("gp") == []


def test_the_longest_value_that_gitpod_takes(opened: Open) -> None:
    longest = "\U0001f600" * 16383 + "x"
    assert opened().set("KEY", secret(longest)) is Fate.STORED


@pytest.mark.parametrize("name", ["GITPOD_TOKEN", "a-b", "1A", "x" * 256, "KEY "])
def test_names_that_gitpod_refuses(opened: Open, stand_ins: StandIns, name: str) -> None:
    (outcome,) = opened().set_many({name: secret("value")})
    assert outcome.fate is Fate.REFUSED
    assert stand_ins.calls("gp") == []


def test_the_stand_in_strips_what_gp_strips(
    opened: Open, in_workspace: Callable[..., dict[str, str]]
) -> None:
    """The refusals above are worth something only if the program really bends such values."""
    argv = ["gp", "env", """A="a" and 'b'""", "B='\"x\"'", "C=a\\ b"]
    answer = run(argv, environ=in_workspace())
    assert answer.code == 0
    assert sorted(answer.output.splitlines()) == ["A=a\\\" and 'b", 'B=\\"x\\"', "C=a b"]
    found = opened().get_many(["A", "B", "C"])
    assert {name: value.reveal() for name, value in found.items()} == {
        "A": "a\" and 'b",
        "B": '"x"',
        "C": "a b",
    }


def test_a_call_of_several_stops_at_the_first_failure(
    opened: Open, stand_ins: StandIns, in_workspace: Callable[..., dict[str, str]]
) -> None:
    with stand_ins.trouble("gp", writes=2):
        answer = run(["gp", "env", "A=1", "B=2", "C=3", "D=4"], environ=in_workspace())
    assert answer.code == 1
    assert len(opened().names() or ()) == 2


def test_a_value_is_in_the_arguments_of_gp_and_in_no_file(
    opened: Open, place: MakePlace, stand_ins: StandIns
) -> None:
    store = opened()
    store.set("KEY", secret(CANARY))
    list(store.delete_many(["KEY"]))
    assert [call for call in stand_ins.calls("gp") if CANARY in str(call)] == [
        ["gp", "env", "--scope", "repo", f"KEY={CANARY}"]
    ]
    assert "argument" in store.caution
    assert list(place().session.path.iterdir()) == []


def test_a_user_variable_is_read_and_comes_after_the_repositorys(opened: Open, stand_ins: StandIns) -> None:
    with stand_ins.change("gp") as state:
        state["variables"] = [
            {"pattern": "*/**", "name": "MINE", "value": "user"},
            {"pattern": "*/**", "name": "BOTH", "value": "user"},
            {"pattern": "acme/shop", "name": "BOTH", "value": "repository"},
        ]
    found = opened().get_many(["MINE", "BOTH"])
    assert {name: value.reveal() for name, value in found.items()} == {"MINE": "user", "BOTH": "repository"}


def test_a_user_variable_can_be_changed_and_not_made(
    place: MakePlace, stand_ins: StandIns, in_workspace: Callable[..., dict[str, str]]
) -> None:
    store = open_store("gitpod-user", place(environ=in_workspace()))
    with pytest.raises(NotConfiguredError, match="KEY: a workspace may change") as refused:
        store.set("KEY", secret(CANARY))
    assert "https://gitpod.example/user/variables" in refused.value.hint
    assert CANARY not in told(refused.value)
    with stand_ins.change("gp") as state:
        state["variables"] = [{"pattern": "*/**", "name": "KEY", "value": "old"}]
    store = open_store("gitpod-user", place(environ=in_workspace()))
    assert store.set("KEY", secret(CANARY)) is Fate.STORED
    assert stand_ins.state("gp")["variables"] == [{"pattern": "*/**", "name": "KEY", "value": CANARY}]


def test_a_user_variable_cannot_be_removed_and_it_says_where(opened: Open, stand_ins: StandIns) -> None:
    entry = {"pattern": "*/**", "name": "KEY", "value": CANARY}
    with stand_ins.change("gp") as state:
        state["variables"] = [entry, {**entry, "pattern": "acme/shop"}]
    for _ in range(2):  # once with this repository's before it, once without
        (outcome,) = opened().delete_many(["KEY"])
        assert outcome.fate is Fate.FAILED
        assert outcome.error is not None
        assert "https://gitpod.example/user/variables" in outcome.error.hint
    assert stand_ins.state("gp")["variables"] == [entry]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"GITPOD_WORKSPACE_ID": ""}, "no Gitpod workspace"),
        ({"PATH": "/nowhere"}, "no `gp` command"),
        ({"GITPOD_HEADLESS": "true"}, "prebuild"),
        (workspace(None), "without a repository"),
        (workspace("stranger/shop"), "opened for another repository"),
        (workspace("acme/shop", host="gitlab.com"), "opened for another repository"),
        ({"GITPOD_WORKSPACE_CONTEXT": "", "GITPOD_REPO_ROOT": "/workspace/other"}, "another repository"),
        (
            {"GITPOD_WORKSPACE_CONTEXT": json.dumps({"repository": {"owner": "a"}})},
            "is missing|without a repository",
        ),
    ],
)
def test_it_says_why_it_cannot_work(
    place: MakePlace, in_workspace: Callable[..., dict[str, str]], changes: dict[str, str], words: str
) -> None:
    reason = Store(place(environ=in_workspace(**changes))).unavailable()
    assert reason is not None
    assert re.search(words, reason)


def test_the_case_of_a_repositorys_name_makes_no_other_repository(
    place: MakePlace, in_workspace: Callable[..., dict[str, str]]
) -> None:
    assert Store(place("Acme/Shop", environ=in_workspace("acme/shop"))).unavailable() is None


class Impatient(Store):
    """Waits for a second only."""

    patience = 1.0


def test_a_gp_that_hangs_is_given_up_without_a_word_of_the_value(
    place: MakePlace, stand_ins: StandIns, in_workspace: Callable[..., dict[str, str]]
) -> None:
    store = Impatient(place(environ=in_workspace()))
    store.names()
    with (
        stand_ins.trouble("gp", hang=True),
        pytest.raises(BootstrapError, match="no answer within 1") as failed,
    ):
        store.set("KEY", secret(CANARY))
    assert CANARY not in told(failed.value)
    with stand_ins.trouble("gp", hang=True):
        assert "no answer" in (Impatient(place(environ=in_workspace())).unavailable() or "")


def test_a_failing_gp_is_quoted_where_it_knows_no_value(opened: Open, stand_ins: StandIns) -> None:
    store = opened()
    store.set("KEY", secret(CANARY))
    with stand_ins.trouble("gp", writes=0):
        (outcome,) = store.delete_many(["KEY"])
    assert outcome.error is not None
    assert "not available (stand-in)" in outcome.error.message
