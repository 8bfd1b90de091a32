"""The codespaces store: the contract, and who else has a secret of the same name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.repository import of_remote
from bootstrap.secrets.codespaces import Store
from bootstrap.secrets.interface import Fate
from tests.secrets.contract import CANARY, FIVE, StoreContract, secret, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.secrets.conftest import MakePlace
    from tests.secrets.contract import Open
    from tests.secrets.stand_ins.machine import StandIns

REPOSITORIES = {"acme/shop": 101, "stranger/shop": 102, "acme/other": 103}


@pytest.fixture
def environ(stand_ins: StandIns) -> dict[str, str]:
    """An environment with `gh`, logged in as somebody who has three repositories."""
    with stand_ins.change("gh") as state:
        state["repositories"] = REPOSITORIES
    return {**os.environ, "PATH": f"{stand_ins.programs}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def opened(place: MakePlace, environ: Mapping[str, str]) -> Open:
    """Open it for a repository."""

    def open_(slug: str = "acme/shop") -> Store:
        return Store(place(slug, environ=environ))

    return open_


@pytest.fixture
def opened_with(place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns) -> Callable[..., Store]:
    """Open it with this state behind `gh`, and these changes to the environment."""

    def open_(state: Mapping[str, Any], **changes: str) -> Store:
        with stand_ins.change("gh") as present:
            present.update(state)
        return Store(place(environ={**environ, **changes}))

    return open_


class TestCodespaces(StoreContract):
    """`gh` with somebody's login."""

    store = "codespaces"
    examples = 5

    @pytest.fixture
    def environ(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        return environ

    @pytest.fixture
    def held(self, stand_ins: StandIns) -> Callable[[str], str | None]:
        def look(name: str) -> str | None:
            kept = stand_ins.state("gh").get("secrets", {}).get(name)
            return kept["value"] if kept and REPOSITORIES["acme/shop"] in kept["repositories"] else None

        return look

    @pytest.fixture
    def sabotage(self, stand_ins: StandIns) -> Callable[[], AbstractContextManager[object]]:
        return lambda: stand_ins.trouble("gh", writes=0)


def keep(stand_ins: StandIns, name: str, *repositories: int) -> None:
    """A secret that was set by hand."""
    with stand_ins.change("gh") as state:
        state.setdefault("secrets", {})[name] = {"value": "old", "repositories": list(repositories)}


def kept(stand_ins: StandIns, name: str) -> Any:
    return stand_ins.state("gh").get("secrets", {}).get(name)


def test_no_argument_holds_a_value(opened: Open, stand_ins: StandIns) -> None:
    store = opened()
    list(store.set_many(FIVE))
    list(store.delete_many(FIVE))
    assert len(stand_ins.calls("gh")) > 10
    assert CANARY not in str(stand_ins.calls("gh"))


def test_a_value_cannot_be_read(opened: Open) -> None:
    store = opened()
    store.set("KEY", secret(CANARY))
    with pytest.raises(NotConfiguredError, match="KEY: cannot be read back"):
        store.get("KEY")
    assert store.get_many(["KEY"]) == {}


def test_setting_takes_no_access_away(opened: Open, stand_ins: StandIns) -> None:
    keep(stand_ins, "KEY", 101, 103)
    assert opened().set("KEY", secret("new")) is Fate.ACCEPTED
    assert kept(stand_ins, "KEY") == {"value": "new", "repositories": [103, 101]}


def test_a_secret_that_nobody_has_is_taken_over(opened: Open, stand_ins: StandIns) -> None:
    keep(stand_ins, "KEY")
    assert opened().names() == frozenset()
    assert opened().set("KEY", secret("new")) is Fate.ACCEPTED
    assert kept(stand_ins, "KEY") == {"value": "new", "repositories": [101]}


def test_a_secret_of_another_repository_is_not_touched(opened: Open, stand_ins: StandIns) -> None:
    keep(stand_ins, "KEY", 103)
    with pytest.raises(BootstrapError, match="KEY: is a secret of acme/other already") as refused:
        opened().set("KEY", secret(CANARY))
    assert "https://github.com/settings/codespaces" in refused.value.hint
    (outcome,) = opened().delete_many(["KEY"])
    assert outcome.fate is Fate.ABSENT
    assert kept(stand_ins, "KEY") == {"value": "old", "repositories": [103]}


def test_removing_leaves_it_to_the_others(opened: Open, stand_ins: StandIns) -> None:
    keep(stand_ins, "KEY", 101, 103)
    (outcome,) = opened().delete_many(["KEY"])
    assert outcome.fate is Fate.REMOVED
    assert kept(stand_ins, "KEY") == {"value": "old", "repositories": [103]}
    assert opened().names() == frozenset()


def test_removing_the_last_repository_removes_the_secret(opened: Open, stand_ins: StandIns) -> None:
    keep(stand_ins, "KEY", 101)
    list(opened().delete_many(["KEY"]))
    assert kept(stand_ins, "KEY") is None


def test_more_repositories_than_fit_on_a_page(opened: Open, stand_ins: StandIns) -> None:
    many = {f"acme/number-{number}": number for number in range(1000, 1230)}
    with stand_ins.change("gh") as state:
        state["repositories"] = {**many, **REPOSITORIES}
    keep(stand_ins, "KEY", *many.values(), 101)
    assert opened().set("KEY", secret("new")) is Fate.ACCEPTED
    assert set(kept(stand_ins, "KEY")["repositories"]) == {*many.values(), 101}


@pytest.mark.parametrize("name", ["GITHUB_KEY", "1KEY", "key", "KEY-1", ""])
def test_names_that_github_refuses(opened: Open, stand_ins: StandIns, name: str) -> None:
    (outcome,) = opened().set_many({name: secret("value")})
    assert outcome.fate is Fate.REFUSED
    assert stand_ins.calls("gh") == []


def test_a_full_account_fails_in_github_words(opened: Open, stand_ins: StandIns) -> None:
    for number in range(100):
        keep(stand_ins, f"NUMBER_{number}")
    with pytest.raises(BootstrapError, match="limit of 100 secrets") as refused:
        opened().set("KEY", secret(CANARY))
    assert CANARY not in told(refused.value)


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        ({}, {"PATH": "/nowhere"}, "no `gh` command"),
        ({"login": False}, {}, "Type: gh auth login -h github.com -s codespace:secrets"),
        ({"scopes": ["repo"]}, {}, "Type: gh auth refresh -h github.com -s codespace:secrets"),
        ({}, {"GITHUB_TOKEN": "made-up"}, "Type: unset GITHUB_TOKEN; gh auth login"),
    ],
)
def test_it_says_why_it_cannot_work(
    state: dict[str, Any],
    changes: dict[str, str],
    words: str,
    opened_with: Callable[..., Store],
) -> None:
    assert words in (opened_with(state, **changes).unavailable() or "")


@pytest.mark.parametrize(
    "remote", ["https://gitlab.com/acme/shop.git", "https://github.com/shop", "/srv/shop.git"]
)
def test_a_repository_that_is_not_on_github_has_no_codespaces(
    place: MakePlace, environ: Mapping[str, str], tmp_path: Path, remote: str
) -> None:
    store = Store(place(environ=environ, repository=of_remote(remote, tmp_path)))
    assert "not on github.com" in (store.unavailable() or "")


class Impatient(Store):
    """Waits for a second only."""

    patience = 1.0


def test_a_gh_that_hangs_is_given_up(
    place: MakePlace, environ: Mapping[str, str], stand_ins: StandIns
) -> None:
    with stand_ins.trouble("gh", hang=True):
        assert "no answer within 1 seconds" in (Impatient(place(environ=environ)).unavailable() or "")
