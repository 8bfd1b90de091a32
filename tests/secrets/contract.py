"""What every store promises; a store's test inherits it and says how the store is opened.

class TestFile(StoreContract):      # tests/secrets/test_file.py
    store = "file"                  # as in STORES

    @pytest.fixture
    def sabotage(self): ...         # how its writes fail
"""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import TYPE_CHECKING, ClassVar, Protocol

import pytest

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.secrets import open_store
from bootstrap.secrets.interface import Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from hypothesis import strategies as st

    from bootstrap.secrets.interface import Place, SecretStore
    from tests.secrets.conftest import ForAll, MakePlace

#: made up, and nowhere else: wherever it turns up, it has leaked
CANARY = "canary-7f3a91d25c"

HOSTILE = {
    "double quotes": '"quoted"',
    "a double quote at the end": 'ends with "',
    "single quotes": "'quoted'",
    "only a quote": '"',
    "quotes inside": 'a"b"c\'d',
    "an escaped blank": "a\\ b",
    "backslashes": "a\\b\\\\",
    "an escaped quote": 'a\\"b',
    "a line break": "line 1\nline 2",
    "a final line break": "value\n",
    "carriage returns": "a\r\nb\r",
    "blanks around": "  value\t",
    "only blanks": " \t ",
    "a dollar": "pa$$word $HOME ${HOME}",
    "a command": "$(touch executed) `touch executed`",
    "a comment": "a#b # c",
    "an entry of its own": 'x"\nexport OTHER="y',
    "an option": "--unset",
    "an assignment": "A=b=c",
    "JSON": '{"a": "b", "c": ["d"]}',
    "a key file": f"-----BEGIN KEY-----\n{'A' * 64}\n-----END KEY-----",
    "Unicode": "pässwörd ☃ \U0001f600",
    "control characters": "\x01\x1b[31m\x7f\x85\u2028",
    "empty": "",
    "a NUL": "a\0b",
    "half a surrogate": "a\udc80b",
    "32 KiB": "x" * 32768,
    "100 KB": "é" * 50_000,
}

FIVE = {f"NUMBER_{number}": Secret(f"{CANARY}-{number}", "test") for number in range(1, 6)}


def secret(value: str) -> Secret:
    """A value as a person has just typed it."""
    return Secret(value, "prompt")


def told(error: BaseException) -> str:
    """Everything that an exception could show to anybody."""
    hint = getattr(error, "hint", "")
    return f"{error!r} {error} {hint}" + "".join(traceback.format_exception(error))


class Open(Protocol):
    """Open the store as a new process would, for one repository."""

    def __call__(self, slug: str = "acme/shop") -> SecretStore: ...


class _Contract:
    """What readers and writers have in common."""

    #: its name in STORES
    store: ClassVar[str]

    def open_at(self, place: Place) -> SecretStore:
        """Open it in a place."""
        return open_store(self.store, place)

    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        """The environment that the store works in."""
        return dict(os.environ)

    @pytest.fixture
    def opened(self, place: MakePlace, environ: Mapping[str, str]) -> Open:
        """Open it for a repository."""

        def open_(slug: str = "acme/shop") -> SecretStore:
            return self.open_at(place(slug, environ=environ))

        return open_

    def test_it_is_available_here(self, opened: Open) -> None:
        assert opened().unavailable() is None

    def test_an_absent_secret_is_none(self, opened: Open) -> None:
        if opened().readable:
            assert opened().get("ABSENT") is None
            assert opened().get_many(["ABSENT", "ALSO_ABSENT"]) == {}

    def test_it_says_in_words_why_it_cannot_work(self, place: MakePlace) -> None:
        store = self.open_at(place(environ={"PATH": "/nowhere"}))
        reason = store.unavailable()
        assert reason is None or len(reason.split()) > 3

    def test_it_says_what_it_is(self, opened: Open) -> None:
        store = opened()
        assert store.name
        assert store.title
        assert store.silent in (True, False)


class ReaderContract(_Contract):
    """A store that is only read: override `holding`."""

    @pytest.fixture
    def holding(self) -> Callable[[Mapping[str, str]], SecretStore]:
        """Open the store when it already has these values."""
        raise NotImplementedError

    def test_it_gives_what_is_there(self, holding: Callable[[Mapping[str, str]], SecretStore]) -> None:
        store = holding({"KEY": CANARY, "OTHER": "b"})
        assert store.get("KEY") == secret(CANARY)
        assert store.get_many(["OTHER", "KEY", "ABSENT"]) == {"KEY": secret(CANARY), "OTHER": secret("b")}
        found = store.get("KEY")
        assert found is not None
        assert found.store == store.name

    def test_an_empty_value_is_not_set(self, holding: Callable[[Mapping[str, str]], SecretStore]) -> None:
        assert holding({"KEY": ""}).get("KEY") is None

    def test_it_takes_and_removes_nothing(self, holding: Callable[[Mapping[str, str]], SecretStore]) -> None:
        store = holding({"KEY": CANARY})
        assert not store.writable
        with pytest.raises(NotConfiguredError, match="NEW") as refused:
            store.set("NEW", secret(CANARY))
        assert CANARY not in told(refused.value)
        (outcome,) = store.delete_many(["KEY"])
        assert (outcome.fate, outcome.done) == (Fate.FAILED, False)
        assert store.get("KEY") == secret(CANARY)


class StoreContract(_Contract):
    """A store that is written; override `sabotage`, and `held` where it cannot be read."""

    #: whether several values are written all at once or not at all
    atomic: ClassVar[bool] = False
    #: whether it tells repositories apart
    repositories: ClassVar[bool] = True
    #: how many generated values it has to bear
    examples: ClassVar[int] = 100

    @pytest.fixture
    def held(self, opened: Open) -> Callable[[str], str | None]:
        """What the store really holds under a name."""

        def look(name: str) -> str | None:
            found = opened().get(name)
            return found.reveal() if found else None

        return look

    @pytest.fixture
    def sabotage(self) -> Callable[[], AbstractContextManager[object]]:
        """While the context is open, every write fails; afterwards the store works again."""
        raise NotImplementedError

    def test_it_keeps_a_value(self, opened: Open, held: Callable[[str], str | None]) -> None:
        store = opened()
        assert store.set("KEY", secret(CANARY)) is (Fate.STORED if store.readable else Fate.ACCEPTED)
        assert held("KEY") == CANARY

    def test_it_says_where_a_value_comes_from(self, opened: Open) -> None:
        store = opened()
        store.set("KEY", secret(CANARY))
        if store.readable:
            found = opened().get("KEY")
            assert found is not None
            assert found.store == store.name
            assert opened().get_many(["ABSENT", "KEY"]) == {"KEY": secret(CANARY)}

    def test_it_replaces_a_value(self, opened: Open, held: Callable[[str], str | None]) -> None:
        opened().set("KEY", secret("old"))
        opened().set("KEY", secret("new"))
        assert held("KEY") == "new"

    def test_the_same_value_is_unchanged(self, opened: Open) -> None:
        store = opened()
        store.set("KEY", secret(CANARY))
        expected = Fate.UNCHANGED if store.readable else Fate.ACCEPTED
        assert store.set("KEY", secret(CANARY)) is expected
        assert opened().set("KEY", secret(CANARY)) is expected

    def test_it_keeps_several(self, opened: Open, held: Callable[[str], str | None]) -> None:
        outcomes = list(opened().set_many(FIVE))
        assert [outcome.name for outcome in outcomes] == list(FIVE)
        assert all(outcome.done for outcome in outcomes)
        assert {name: held(name) for name in FIVE} == {name: value.reveal() for name, value in FIVE.items()}

    def test_it_lists_what_it_keeps(self, opened: Open) -> None:
        list(opened().set_many(FIVE))
        if (names := opened().names()) is not None:
            assert names == frozenset(FIVE)
            list(opened().delete_many(["NUMBER_2"]))
            assert opened().names() == frozenset(FIVE) - {"NUMBER_2"}

    def test_it_forgets_one_and_keeps_the_rest(self, opened: Open, held: Callable[[str], str | None]) -> None:
        list(opened().set_many(FIVE))
        (outcome,) = opened().delete_many(["NUMBER_3"])
        assert (outcome.fate, outcome.error) == (Fate.REMOVED, None)
        assert held("NUMBER_3") is None
        assert held("NUMBER_4") == FIVE["NUMBER_4"].reveal()

    def test_what_is_not_there_was_absent(self, opened: Open) -> None:
        opened().set("KEY", secret(CANARY))
        outcomes = list(opened().delete_many(["ABSENT", "KEY", "KEY"]))
        assert [outcome.fate for outcome in outcomes] == [Fate.ABSENT, Fate.REMOVED, Fate.ABSENT]

    @pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
    def test_a_value_is_kept_as_it_is_or_refused(
        self, value: str, opened: Open, held: Callable[[str], str | None]
    ) -> None:
        self.keep_or_refuse(value, opened, held)

    def test_any_value_is_kept_as_it_is_or_refused(
        self,
        opened: Open,
        held: Callable[[str], str | None],
        for_all: ForAll,
        hostile: st.SearchStrategy[str],
    ) -> None:
        for_all(hostile, lambda value: self.keep_or_refuse(value, opened, held), examples=self.examples)

    def keep_or_refuse(self, value: str, opened: Open, held: Callable[[str], str | None]) -> None:
        """Set it; nothing may be half done."""
        before = held("KEY")
        (outcome,) = opened().set_many({"KEY": secret(value)})
        if outcome.done:
            assert held("KEY") == value
            return
        assert held("KEY") == before
        assert outcome.fate is Fate.REFUSED
        assert outcome.error is not None
        assert outcome.error.message.startswith("KEY: ")
        assert outcome.error.hint
        assert len(value) < 8 or value not in told(outcome.error)

    def test_one_that_is_refused_keeps_all_from_being_written(
        self, opened: Open, held: Callable[[str], str | None]
    ) -> None:
        values = {"BEFORE": secret("before"), "KEY": secret("a\0b"), "AFTER": secret("after")}
        outcomes = list(opened().set_many(values))
        assert [outcome.name for outcome in outcomes] == list(values)
        assert [outcome.fate for outcome in outcomes] == [Fate.NOT_TRIED, Fate.REFUSED, Fate.NOT_TRIED]
        assert [held(name) for name in values] == [None, None, None]

    def test_failing_halfway_is_told_for_each_name(
        self,
        opened: Open,
        held: Callable[[str], str | None],
        sabotage: Callable[[], AbstractContextManager[object]],
    ) -> None:
        fates = opened().set_many(FIVE)
        outcomes = [] if self.atomic else [next(fates), next(fates)]
        kept = [True] * len(outcomes) + [False] * (5 - len(outcomes))
        with sabotage():
            outcomes += fates
        assert [outcome.name for outcome in outcomes] == list(FIVE)
        assert [outcome.done for outcome in outcomes] == kept
        assert [held(name) is not None for name in FIVE] == kept
        for outcome in outcomes[kept.count(True) :]:
            assert outcome.fate is Fate.FAILED
            assert outcome.error is not None
            assert CANARY not in told(outcome.error)

    def test_a_failed_write_leaves_the_old_value(
        self,
        opened: Open,
        held: Callable[[str], str | None],
        sabotage: Callable[[], AbstractContextManager[object]],
    ) -> None:
        opened().set("KEY", secret("old"))
        store = opened()
        with sabotage(), pytest.raises(BootstrapError) as failed:
            store.set("KEY", secret(CANARY))
        assert CANARY not in told(failed.value)
        assert held("KEY") == "old"
        opened().set("KEY", secret(CANARY))
        assert held("KEY") == CANARY

    def test_another_repository_sees_nothing(self, opened: Open) -> None:
        if not self.repositories:
            pytest.skip("it does not tell repositories apart, and says so")
        list(opened().set_many(FIVE))
        other = opened("stranger/shop")
        if other.readable:
            assert other.get_many(FIVE) == {}
        assert not other.names()

    def test_another_repository_changes_nothing(
        self, opened: Open, held: Callable[[str], str | None]
    ) -> None:
        if not self.repositories:
            pytest.skip("it does not tell repositories apart, and says so")
        opened().set("KEY", secret(CANARY))
        with contextlib.suppress(BootstrapError):  # it may refuse
            opened("stranger/shop").set("KEY", secret("theirs"))
        list(opened("stranger/shop").delete_many(["KEY"]))
        assert held("KEY") == CANARY

    def test_nothing_of_a_value_is_in_what_describes_the_store(self, opened: Open) -> None:
        store = opened()
        outcomes = list(store.set_many(FIVE))
        found = store.get_many(FIVE) if store.readable else {}
        assert CANARY not in f"{store!r} {vars(store)!r} {outcomes!r} {found!r} {store.unavailable()}"
