"""Every way in which a field of a resource can come to differ, behind everybody's back."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from moto.iam.models import PolicyVersion

from tests.provisioning.people import REGION
from tests.stand_ins.aws import iam as strict_iam
from tests.stand_ins.aws import motos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moto.iam.models import ManagedPolicy, Role

    from bootstrap.provisioning.interface import Resource
    from tests.stand_ins.aws import Account

    Change = Callable[[], None]

#: another value for each field of a sampling rule
_RULES = {
    "ResourceARN": "arn:aws:ecs:*",
    "Priority": 1,
    "FixedRate": 0.9,
    "ReservoirSize": 77,
    "ServiceName": "somebody-else",
    "ServiceType": "AWS::ECS::Container",
    "Host": "*.example.com",
    "HTTPMethod": "GET",
    "URLPath": "/health",
    "Attributes": {"a": "b"},
}
OTHER_DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


def drifts(account: Account, resource: Resource) -> Iterator[tuple[str, str, Change]]:
    """Yield for every wanted field its name, what is done to it, and what does it.

    A KeyError says that there is a field which nothing here changes.
    """
    for name in resource.wanted():
        ways = _WAYS[resource.kind](account, resource, name)
        for what, change in ways:
            yield name, what, change


def _group(account: Account, resource: Resource, name: str) -> Iterator[tuple[str, Change]]:
    group = account.xray(REGION).groups[resource.name]
    value = {"FilterExpression": 'service("somebody-else")'}[name]
    yield "changed", lambda: group.update({name: value})
    yield "removed", lambda: _forget(group, name)


def _rule(account: Account, resource: Resource, name: str) -> Iterator[tuple[str, Change]]:
    rule = account.xray(REGION).rules[resource.name]["SamplingRule"]
    yield "changed", lambda: rule.update({name: _RULES[name]})


def _log_group(account: Account, resource: Resource, name: str) -> Iterator[tuple[str, Change]]:
    group = motos.logs(account.id, REGION).groups[resource.name]
    assert name == "retentionInDays"
    for days in (3653, None):
        yield f"now {days}", lambda days=days: setattr(group, "retention_in_days", days)  # type: ignore[misc]


def _policy(account: Account, resource: Resource, name: str) -> Iterator[tuple[str, Change]]:
    assert name == "document"
    backend = motos.iam(account.id, REGION)
    policy = next(each for each in backend.managed_policies.values() if each.name == resource.name)
    for what, document in changed_documents(motos.documents_of_policy(policy)[0]):
        yield what, lambda document=document: new_version(policy, document)  # type: ignore[misc]


def _role(account: Account, resource: Resource, name: str) -> Iterator[tuple[str, Change]]:
    backend = motos.iam(account.id, REGION)
    role = strict_iam.role_named(backend, resource.name)
    assert role is not None
    yield from _ROLES[name](account, role)


def _trust(account: Account, role: Role) -> Iterator[tuple[str, Change]]:
    document = json.loads(role.assume_role_policy_document)
    statement = document["Statement"][0]
    root = {"AWS": f"arn:aws:iam::{account.id}:root"}
    condition = {"StringEquals": {"sts:ExternalId": "x"}}
    for what, changed in (
        ("another principal", [statement | {"Principal": root}]),
        ("one more principal", [statement, statement | {"Principal": root}]),
        ("anybody", [statement | {"Principal": {"AWS": "*"}}]),
        ("a condition", [statement | {"Condition": condition}]),
        ("a denial", [statement | {"Effect": "Deny"}]),
        ("another action", [statement | {"Action": "sts:TagSession"}]),
    ):
        text = json.dumps({**document, "Statement": changed})
        yield what, lambda text=text: setattr(role, "assume_role_policy_document", text)  # type: ignore[misc]


def _seconds(_: Account, role: Role) -> Iterator[tuple[str, Change]]:
    yield "shorter", lambda: setattr(role, "max_session_duration", "3600")


def _attached(account: Account, role: Role) -> Iterator[tuple[str, Change]]:
    backend = motos.iam(account.id, REGION)
    ours = dict(role.managed_policies)

    def another() -> ManagedPolicy:
        name = f"other-{role.name}"
        known = (policy for policy in backend.managed_policies.values() if policy.name == name)
        return next(known, None) or backend.create_policy("", "/", json.dumps(OTHER_DOCUMENT), name, [])

    def detach() -> None:
        for arn in ours:
            backend.detach_role_policy(arn, role.name)

    def swap() -> None:
        detach()
        another().attach_to(role)

    yield "one more", lambda: another().attach_to(role)
    yield "none", detach
    yield "another one", swap


def _inline(_: Account, role: Role) -> Iterator[tuple[str, Change]]:
    text = json.dumps(OTHER_DOCUMENT)
    yield "one", lambda: role.put_policy("mine", text)

    def several() -> None:
        for name in ("a", "b"):
            role.put_policy(name, text)

    yield "several", several


def changed_documents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Change each part of each statement, and what statements there are."""
    statements = document["Statement"]
    yield "nothing of it", OTHER_DOCUMENT
    yield "one statement more", {**document, "Statement": [*statements, *OTHER_DOCUMENT["Statement"]]}
    if len(statements) > 1:
        yield "one statement less", {**document, "Statement": statements[1:]}
    for number, statement in enumerate(statements):
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        for what, changed in (
            ("effect", {"Effect": "Deny"}),
            ("one action more", {"Action": [*actions, "s3:GetObject"]}),
            ("one action less", {"Action": actions[1:] or ["s3:GetObject"]}),
            ("every action", {"Action": "*"}),
            ("resource", {"Resource": ["arn:aws:s3:::bucket"]}),
            ("condition", {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        ):
            other = deepcopy(document)
            other["Statement"][number] = {**statement, **changed}
            yield f"{what} of statement {number}", other


def new_version(policy: ManagedPolicy, document: dict[str, Any]) -> None:
    """Put another document in force, as somebody at the console would."""
    version = PolicyVersion(policy.arn, json.dumps(document), is_default=False)
    version.version_id = f"v{policy.next_version_num}"
    policy.next_version_num += 1
    while len(policy.versions) >= 5:
        policy.versions.remove(next(each for each in policy.versions if not each.is_default))
    policy.versions.append(version)
    policy.update_default_version(version.version_id)


def _forget(table: dict[str, Any], name: str) -> None:
    del table[name]


_WAYS: dict[str, Callable[[Account, Resource, str], Iterator[tuple[str, Change]]]] = {
    "X-Ray group": _group,
    "X-Ray sampling rule": _rule,
    "log group": _log_group,
    "IAM policy": _policy,
    "IAM role": _role,
}
_ROLES = {
    "trust": _trust,
    "max_session_duration": _seconds,
    "attached_policies": _attached,
    "inline_policies": _inline,
}
