"""What keeping and forgetting does besides: the session file, the journal, the choice, and whose they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.health import moved
from bootstrap.flows.secrets.keep import forget, keep
from bootstrap.flows.secrets.place import repository_of
from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.secrets import open_store
from bootstrap.secrets.interface import Fate
from tests.secrets.shop import Shop
from tests.secrets.stand_ins.machine import StandIns

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    programs = StandIns(tmp_path / "stand-ins")
    with programs.change("gh") as state:
        state["repositories"] = {"acme/shop": 101}
    return programs


def kept(shop: Shop, store: str, **values: str) -> list[Fate]:
    secrets = {name: Secret(value, "test") for name, value in values.items()}
    return [outcome.fate for outcome in keep(shop.place, open_store(store, shop.place), secrets)]


def forgotten(shop: Shop, store: str, *names: str) -> list[Fate]:
    return [outcome.fate for outcome in forget(shop.place, open_store(store, shop.place), names)]


def test_a_laptop_that_sends_to_codespaces_keeps_no_copy(shop: Shop, programs: StandIns) -> None:
    shop.enter(programs, {})
    assert kept(shop, "codespaces", DATABASE_URL="plainly-fake-1") == [Fate.ACCEPTED]
    assert shop.session.names() == frozenset()
    assert not shop.session.removed("DATABASE_URL")
    shop.enter(programs, {"CODESPACES": "true"})
    assert kept(shop, "codespaces", DATABASE_URL="plainly-fake-2") == [Fate.ACCEPTED]
    assert shop.session.names() == {"DATABASE_URL"}


def test_what_an_older_start_left_is_removed_when_it_is_met(shop: Shop, programs: StandIns) -> None:
    shop.enter_gitpod(programs)
    kept(shop, "gitpod", DATABASE_URL="plainly-fake-value")
    (path,) = (shop.home / "state").rglob("session.json")
    assert "plainly-fake-value" in path.read_text("utf-8")
    shop.environ["GITPOD_INSTANCE_ID"] = "the-next-start"
    assert shop.session.get("DATABASE_URL") is None
    assert "plainly-fake-value" not in path.read_text("utf-8")


def test_the_users_own_variables_never_cost_the_repositorys(shop: Shop, programs: StandIns) -> None:
    shop.enter_gitpod(programs)
    kept(shop, "gitpod", DATABASE_URL="the repository's")
    assert forgotten(shop, "gitpod-user", "DATABASE_URL") == [Fate.FAILED]
    assert shop.kept("gitpod")["DATABASE_URL"] == "the repository's"


def test_a_removal_that_failed_halfway_does_not_go_on_serving_the_old_value(
    shop: Shop, programs: StandIns
) -> None:
    shop.enter_gitpod(programs)
    kept(shop, "gitpod", DATABASE_URL="the repository's")
    with programs.change("gp") as state:
        state["variables"].append({"pattern": "*/**", "name": "DATABASE_URL", "value": "the user's"})
    assert forgotten(shop, "gitpod", "DATABASE_URL") == [Fate.FAILED]
    assert shop.session.get("DATABASE_URL") is None


def test_what_was_sent_otherwise_is_sent_again(shop: Shop, programs: StandIns) -> None:
    shop.enter(programs, {})
    shop.keep("file", DATABASE_URL="one")
    copy = ("secrets", "copy", "--from", "file", "--to", "codespaces", "--json")
    shop(*copy).check(0)
    shop("secrets", "set", "DATABASE_URL", "--store", "codespaces", data="two").check(0)
    assert json.loads(shop(*copy).check(0).out)["outcomes"][0]["fate"] == "accepted"
    assert programs.state("gh")["secrets"]["DATABASE_URL"]["value"] == "one"
    assert json.loads(shop(*copy).check(0).out)["outcomes"][0]["fate"] == "sent"
    shop("secrets", "unset", "DATABASE_URL", "--store", "codespaces").check(0)
    assert json.loads(shop(*copy).check(0).out)["outcomes"][0]["fate"] == "accepted"


def test_a_store_that_cannot_be_read_back_stops_nobody_who_reads(shop: Shop, programs: StandIns) -> None:
    shop.enter(programs, {"CODESPACES": "true", "CODESPACE_NAME": "acme-shop"})
    shop("secrets", "use", "codespaces").check(0)
    shop("secrets", "set", "DATABASE_URL", data="plainly-fake").check(0)
    # Every terminal of a codespace has one, and gh then refuses.
    shop.environ["GITHUB_TOKEN"] = "plainly-fake-token"
    assert shop("secrets", "get", "DATABASE_URL").check(0).out == "plainly-fake\n"
    shop("secrets", "list").check(0)
    shop("run", "api", "--", "true").check(0)
    assert shop("secrets", "set", "DATABASE_URL", data="plainly-fake").code == 3


@pytest.mark.parametrize("text", ["", "{", '{"name": "vault9"}', "[]"])
def test_a_choice_that_cannot_be_read_is_no_free_choice(shop: Shop, text: str) -> None:
    shop.choose("file", DATABASE_URL="plainly-fake")
    path = shop.place.folder.path / "store.json"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(NotConfiguredError):
        choice.recorded(shop.place)
    assert shop("secrets", "set", "WORKER_KEY", data="x").code == 3
    assert shop("run", "api", "--", "true").code == 125
    assert path.read_text("utf-8") == text
    shop("secrets", "use", "file").check(0)
    assert shop("secrets", "get", "DATABASE_URL").check(0).out == "plainly-fake\n"


def test_a_folder_that_git_ignores_has_none_of_its_repositorys_secrets(shop: Shop) -> None:
    shop.write(".gitignore", "node_modules/\n")
    shop.write("node_modules/evil/bootstrap.toml", "[project]\nname = 'shop'\n")
    shop.write("packages/mine/bootstrap.toml", "[project]\nname = 'shop'\n")
    evil = shop.root / "node_modules" / "evil"
    assert repository_of(evil).identity == str(evil.resolve())
    assert repository_of(shop.root / "packages" / "mine").identity == "github.com/acme/shop"
    assert repository_of(shop.root).identity == "github.com/acme/shop"


def test_secrets_of_before_the_remote_are_found_and_can_be_taken_along(shop: Shop) -> None:
    shop.git("remote", "remove", "origin")
    shop.choose("file", DATABASE_URL="plainly-fake")
    assert list(moved(shop.place)) == []
    shop.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    (remark,) = moved(shop.place)
    listed = shop("secrets", "list").check(0, remark.text)
    assert "missing" in listed.out
    command = remark.hint.removeprefix("bootstrap ").partition(";")[0].split()
    shop(*command).check(0)
    assert shop("secrets", "get", "DATABASE_URL").check(0).out == "plainly-fake\n"
