"""Every field of every resource is made to differ: plan shows exactly it, and apply mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bootstrap.provisioning.interface import Action
from tests.provisioning.drifts import drifts
from tests.provisioning.people import Person, arn, carried_out, inventory, project, told

if TYPE_CHECKING:
    from bootstrap.provisioning.interface import Resource
    from tests.stand_ins.aws import Account, Aws


@pytest.fixture(scope="module")
def account(aws: Aws) -> Account:
    return aws.account()


@pytest.fixture(scope="module")
def person(aws: Aws, account: Account) -> Person:
    keys = account.user("ann")
    made = Person(aws, keys, project("web", principal=arn(account, "iam", "user/ann")))
    assert not made.apply().failed
    return made


def resources(person: Person) -> list[Resource]:
    return [change.resource for change in person.plan().plan.changes]


@pytest.mark.slow
def test_every_field_of_every_resource(person: Person, account: Account, soak: int) -> None:
    """One by one is for `make soak`; else one of each resource at once, until every way has been gone."""
    every = [
        [(resource, name, what, change) for name, what, change in drifts(account, resource)]
        for resource in resources(person)
    ]
    clean = inventory(account)
    fields = {(resource.key, name) for ways in every for resource, name, _, _ in ways}
    assert fields == {(each.key, name) for each in resources(person) for name in each.wanted()}
    rounds = [[way] for ways in every for way in ways]
    if soak == 1:
        rounds = [[ways[turn] for ways in every if turn < len(ways)] for turn in range(max(map(len, every)))]
    gone = 0
    for ways in rounds:
        # What was drifted before is back, but as another object than the one that a way was made for.
        wanted = {(resource.key, name, what) for resource, name, what, _ in ways}
        for resource, _, _, _ in ways:
            for name, what, change in list(drifts(account, resource)):
                if (resource.key, name, what) in wanted:
                    change()
                    gone += 1
        work = person.plan()
        pending = work.plan.pending
        seen = {(change.resource.key, drift.name) for change in pending for drift in change.drift}
        assert seen == {(key, name) for key, name, _ in wanted}, ways
        assert all(change.action is Action.UPDATE for change in pending)
        outcome = carried_out(work)
        assert not outcome.failed
        assert set(told(outcome.done)) == {key for key, _, _ in wanted}
        assert without_versions(inventory(account)) == without_versions(clean), ways
    assert gone == sum(map(len, every))
    assert not person.plan().plan.pending


def without_versions(found: dict[str, dict[str, object]]) -> dict[str, object]:
    """What is in force; policies of others that a way has made are not ours to remove."""
    kept: dict[str, object] = {}
    for name, each in found.items():
        if ":policy/other-" not in name:
            documents = each.get("documents")
            kept[name] = {**each, "documents": documents[:1]} if isinstance(documents, list) else each
    return kept
