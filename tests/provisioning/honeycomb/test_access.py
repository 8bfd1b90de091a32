"""Which keys open an environment, and what is said about one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from bootstrap.flows import provision
from bootstrap.model.errors import NotConfiguredError, RemoteRefusedError
from bootstrap.vendors.keys.honeycomb import MANAGES
from tests.provisioning.honeycomb.scenario import project_of
from tests.stand_ins.honeycomb import Honeycomb, classic_key, configuration_key, ingest_key, management_key
from tests.stand_ins.honeycomb_configuration import ALL, HoneycombConfiguration
from tests.stand_ins.honeycomb_rules import Environment

if TYPE_CHECKING:
    from bootstrap.model.errors import BootstrapError
    from bootstrap.provisioning.interface import Account
    from tests.provisioning.honeycomb.scenario import Someone

_MAKE = f"Make a configuration key (Environment > API keys), then: bootstrap secrets set {MANAGES}"


def refused(someone: Someone, kind: type[BootstrapError]) -> tuple[str, str]:
    with pytest.raises(kind) as caught:
        someone.plan()
    assert not someone.key or someone.key not in f"{caught.value.message} {caught.value.hint}"
    return caught.value.message, caught.value.hint


def test_it_says_whose_environment_it_is_before_anything_else(
    me: Someone, honeycomb: HoneycombConfiguration
) -> None:
    seen: list[Account] = []
    calls: list[str] = []

    def see(account: Account) -> None:
        seen.append(account)
        calls.extend(honeycomb.calls)

    provision.plan(me.opening(), seen=see)
    (account,) = seen
    assert calls == ["GET /1/auth"]
    identifier = honeycomb.keys[me.key].id
    assert (account.title, account.facts) == (
        "Honeycomb",
        {
            "team": "acme-shops",
            "environment": "production",
            "identity": f"key {identifier}",
            "region": "us",
        },
    )
    assert (account.owner.repository, account.owner.maker) == (me.repository, identifier)


def test_without_a_key(me: Someone) -> None:
    message, hint = refused(replace(me, key=""), NotConfiguredError)
    assert message == f"{MANAGES} is not set"
    assert hint.startswith(_MAKE)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ingest_key(), "is an ingest key: it sends traces, and makes no queries and no boards"),
        (classic_key(), "is a key of Honeycomb Classic: it needs a dataset header with every call"),
        (ingest_key("ic"), "is a key of Honeycomb Classic"),
        (management_key(), "is a management key: it manages a team's keys and environments"),
        ("hcxlk_" + "a" * 26, "is the id of a configuration key: the whole key is shown once"),
    ],
    ids=["ingest", "Classic", "ingest of Classic", "management", "id alone"],  # keys are made anew each time
)
def test_a_key_of_another_kind_is_sent_nowhere(
    key: str, words: str, me: Someone, honeycomb: HoneycombConfiguration
) -> None:
    message, hint = refused(replace(me, key=key), NotConfiguredError)
    assert message.startswith(f"{MANAGES} {words}")
    assert hint == _MAKE
    assert honeycomb.calls == []


def test_a_key_that_nobody_knows(me: Someone) -> None:
    message, hint = refused(replace(me, key=configuration_key()), RemoteRefusedError)
    assert (message, hint) == (f"Honeycomb does not know {MANAGES}: it is wrong, or was deleted", _MAKE)


@pytest.mark.parametrize(("ours", "other"), [("us", "eu"), ("eu", "us")])
def test_a_key_of_the_other_region(ours: str, other: str, me: Someone) -> None:
    with Honeycomb() as there:
        key = there.add(configuration_key())
        someone = replace(me, key=key, project=project_of(region=ours), other_region=there.url)
        message, hint = refused(someone, RemoteRefusedError)
    assert message == f"{MANAGES} is a key of the region {other!r}, and the project is set to another one"
    assert hint == f'In bootstrap.toml, under [telemetry.honeycomb]: region = "{other}"'


def test_an_environment_without_a_name_is_classic(me: Someone, honeycomb: HoneycombConfiguration) -> None:
    key, _ = honeycomb.add_key(Environment(""))
    message, hint = refused(replace(me, key=key), NotConfiguredError)
    assert message.startswith(f"{MANAGES} is a key of Honeycomb Classic (team acme-shops)")
    assert hint == _MAKE


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        ({"columns"}, "Manage Queries and Columns"),
        ({"boards"}, "Manage Public Boards"),
        ({"boards", "columns"}, "Manage Queries and Columns, Manage Public Boards"),
    ],
)
def test_a_key_that_may_not_do_it_all(
    lacks: set[str], words: str, me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    key, _ = honeycomb.add_key(environment, ALL - lacks)
    message, hint = refused(replace(me, key=key), RemoteRefusedError)
    assert message == f"{MANAGES} lacks: {words} (team acme-shops, environment production)"
    assert hint == "Allow it at Environment > API keys, or make another key there."
    assert honeycomb.calls == ["GET /1/auth"]


def test_a_key_that_may_make_no_datasets_works_where_there_is_one(
    me: Someone, honeycomb: HoneycombConfiguration, environment: Environment
) -> None:
    key, _ = honeycomb.add_key(environment, ALL - {"createDatasets"})
    someone = replace(me, key=key)
    remarks: list[str] = []
    provision.plan(someone.opening(), seen=lambda account: remarks.extend(account.remarks))
    assert "Create Datasets" in remarks[0]
    outcome = someone.carry_out()
    ((change, message, hint),) = outcome.failed
    assert change.resource.key == "Honeycomb dataset posts"
    assert message == "there is no dataset 'posts', and this key may not make one"
    assert hint.startswith("Allow Create Datasets at Environment > API keys, or send a trace")
    assert outcome.done == ()
    assert not environment.datasets

    honeycomb.make_dataset(environment, "posts")
    someone.apply()
    assert someone.pending() == []
    assert not [call for call in honeycomb.calls if "/1/datasets" in call]


def test_a_repository_without_a_remote_has_no_mark(me: Someone, honeycomb: HoneycombConfiguration) -> None:
    message, hint = refused(replace(me, repository="somewhere"), NotConfiguredError)
    assert message == "what is made carries the name of the repository's remote, and it has none on a host"
    assert hint.startswith("git remote add origin URL. ")
    assert honeycomb.calls == []
