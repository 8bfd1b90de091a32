"""The policies of people: they allow everything that `bootstrap provision` does, and nothing beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from bootstrap.config.manifest import parse
from bootstrap.flows import provision
from bootstrap.model.errors import RemoteRefusedError
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.provisioning.interface import Action, Opening
from bootstrap.system import aws
from bootstrap.vendors import VENDORS, policies
from bootstrap.vendors.provisioner import planner, provisioner, sessions
from tests.stand_ins.aws import Account, Aws, motos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bootstrap.model.project import Project

#: what only tells something beside the plan
ASIDE = {"xray:GetTraceSegmentDestination"}


@pytest.fixture(scope="module")
def server() -> Iterator[Aws]:
    with Aws() as running:
        yield running


@pytest.fixture
def account(server: Aws) -> Account:
    return server.account()


def project(account: Account, *, principal: bool, **services: list[str]) -> Project:
    manifest = {
        "project": {"name": "Shop"},
        "services": {
            name: {"build": ".", "telemetry": telemetry}
            for name, telemetry in (services or {"web": ["xray", "cloudwatch"], "api": ["xray"]}).items()
        },
        "provision": {"account": account.id}
        | ({"principal": f"arn:aws:iam::{account.id}:user/worker"} if principal else {}),
    }
    return parse(manifest, {name: vendor.options for name, vendor in VENDORS.items()})


def opening(project: Project, keys: Mapping[str, str], server: Aws) -> Opening:
    return Opening(
        project=project,
        repository=Repository("github.com/acme/shop", "acme/shop"),
        lookup=lambda name: Secret(keys[name], "test") if name in keys else None,
        environ=server.environ,
        attempts=2,
        pause=0.01,
    )


def done(opened: Opening, **options: Any) -> set[Action]:
    """Plan and carry out; what was done. Nothing may be refused."""
    outcome = provision.carry_out(provision.plan(opened, **options), lambda _change: None)
    assert not outcome.failed, [(message, hint) for _, message, hint in outcome.failed]
    return {change.action for change in outcome.done}


def allowed(document: Mapping[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def asked(account: Account) -> set[str]:
    """Every action that was asked for, with those that a call needs beside its own."""
    beside = {"xray:CreateGroup": "xray:TagResource", "logs:CreateLogGroup": "logs:TagResource"}
    beside |= {"iam:CreatePolicy": "iam:TagPolicy", "iam:CreateRole": "iam:TagRole"}
    called = set(account.counted) - {"sts:GetCallerIdentity"}
    return called | {beside[action] for action in called & beside.keys()}


def changed(project: Project) -> Project:
    """The same resources with something else in each."""
    options = project.telemetry
    telemetry = {
        "xray": replace(options["xray"], sampling=replace(options["xray"].sampling, fixed_rate=0.5)),
        "cloudwatch": replace(options["cloudwatch"], retention_days=14),
    }
    return replace(project, telemetry=options | telemetry)


def spoil(account: Account, project: Project, server: Aws) -> None:
    """Change everything that can drift, as an administrator would by hand."""
    keys = account.user("administrator")
    made = aws.Keys(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    iam = aws.client("iam", region=project.region, credentials=made, environ=server.environ)
    xray = aws.client("xray", region=project.region, credentials=made, environ=server.environ)
    xray.update_group(GroupName="Shop", FilterExpression="ok")
    other = json.dumps(policies.policy(project, "logs"))
    own = policies.name(project, "daemon")
    arn = f"arn:aws:iam::{account.id}:policy{policies.PATH}{own}"
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=other, SetAsDefault=True)
    if project.provision.principal:
        trust = json.dumps(policies.trust(f"arn:aws:iam::{account.id}:root"))
        iam.update_assume_role_policy(RoleName=own, PolicyDocument=trust)
        iam.update_role(RoleName=own, MaxSessionDuration=3600)
        iam.put_role_policy(RoleName=own, PolicyName="more", PolicyDocument=other)
        iam.attach_role_policy(RoleName=own, PolicyArn=arn.replace(own, policies.name(project, "verify")))


def less(project: Project) -> Project:
    """What is left where one service, the logs and the principal went."""
    web = replace(project.services["web"], telemetry=("xray",))
    return replace(project, services={"web": web}, provision=replace(project.provision, principal=None))


def test_a_provisioner_may_do_everything_that_is_done_and_nothing_else(server: Aws, account: Account) -> None:
    account.user("worker")
    shop = project(account, principal=True)
    document = provisioner(shop)
    keys = account.user("provisioner", document)
    opened = opening(shop, keys, server)
    assert done(opened) == {Action.CREATE}
    spoil(account, shop, server)
    assert done(replace(opened, project=changed(shop))) == {Action.UPDATE}
    assert done(replace(opened, project=less(shop)), direction="destroy") == {Action.DELETE}
    assert done(opened, direction="destroy") == {Action.DELETE}
    elsewhere = opening(shop, account.user("somebody"), server)
    assert done(replace(elsewhere, repository=Repository("github.com/else/where", "else/where"))) == {
        Action.CREATE
    }
    names = [change.resource.name for change in provision.plan(opened).plan.changes]
    assert done(opened, adopt=names) == {Action.ADOPT}
    account.calls = [call for call in account.calls if call.arn.endswith(":user/provisioner")]
    assert asked(account) - ASIDE == allowed(document) - ASIDE


def test_what_is_left_over_goes_with_the_policy_of_what_there_is(server: Aws, account: Account) -> None:
    account.user("worker")
    shop = project(account, principal=True)
    keys = account.user("provisioner", provisioner(shop))
    opened = opening(shop, keys, server)
    done(opened)
    now = less(shop)
    motos.iam(account.id, shop.region).put_user_policy(
        "provisioner", "policy-0", json.dumps(provisioner(now))
    )
    assert done(replace(opened, project=now)) == {Action.DELETE, Action.UPDATE}
    assert done(replace(opened, project=now), direction="destroy") == {Action.DELETE}
    assert set(account.xray().groups) == set(account.xray().rules) == {"Default"}
    backend = motos.iam(account.id, shop.region)
    assert not backend.roles
    assert not backend.managed_policies


@pytest.mark.parametrize("services", [{"web": ["xray"]}, {"web": ["cloudwatch"]}], ids=["xray", "logs"])
def test_with_one_vendor_alone_it_is_enough(
    server: Aws, account: Account, services: dict[str, list[str]]
) -> None:
    account.user("worker")
    shop = project(account, principal=True, **services)
    opened = opening(shop, account.user("provisioner", provisioner(shop)), server)
    assert done(opened) == {Action.CREATE}
    assert done(opened) == set()
    assert done(opened, direction="destroy") == {Action.DELETE}


def test_a_planner_may_look_and_change_nothing(server: Aws, account: Account) -> None:
    account.user("worker")
    shop = project(account, principal=True)
    keys = account.user("planner", planner(shop))
    done(opening(shop, account.user("administrator"), server))
    opened = opening(shop, keys, server)
    assert {change.action for change in provision.plan(opened).plan.changes} == {Action.KEEP}
    planned = provision.plan(replace(opened, project=changed(shop)))
    outcome = provision.carry_out(planned, lambda _change: None)
    assert (outcome.done, len(outcome.failed)) == ((), len(planned.plan.pending))
    assert allowed(planner(shop)) < allowed(provisioner(shop))


def test_it_is_for_this_project_alone(server: Aws, account: Account) -> None:
    account.user("worker")
    shop = project(account, principal=True)
    keys = account.user("provisioner", provisioner(shop))
    other = opening(replace(shop, name="Other"), keys, server)
    with pytest.raises(RemoteRefusedError, match="does not allow"):
        provision.plan(other)
    made = aws.Keys(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    assert done(opening(shop, keys, server)) == {Action.CREATE}
    iam = aws.client("iam", region=shop.region, credentials=made, environ=server.environ)
    wide = "arn:aws:iam::aws:policy/AdministratorAccess"
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: iam.attach_role_policy(RoleName=policies.name(shop, "daemon"), PolicyArn=wide),
        lambda: iam.attach_user_policy(UserName="provisioner", PolicyArn=wide),
        lambda: iam.create_user(UserName="another"),
        lambda: iam.create_access_key(UserName="worker"),
    )
    for attempt in attempts:
        with pytest.raises(RemoteRefusedError, match="AccessDenied"), aws.translated("it", made):
            attempt()


def test_the_widest_project_s_documents_fit_into_a_policy(account: Account) -> None:
    """A managed policy has 6144 characters at most; X-Ray has 25 rules in a region at most."""
    services = {f"{number:02}-" + "s" * 60: ["xray", "cloudwatch"] for number in range(10)}
    shop = project(account, principal=True, **services)
    assert len(json.dumps(provisioner(shop), separators=(",", ":"))) <= 6144
    assert len(json.dumps(sessions(shop), separators=(",", ":"))) <= 6144


#: what only one purpose lets a session do
tries: dict[str, tuple[str, str, dict[str, Any]]] = {
    "logs": ("logs", "create_log_stream", {"logGroupName": "shop", "logStreamName": "one"}),
    "daemon": ("xray", "get_sampling_rules", {}),
    "verify": ("logs", "filter_log_events", {"logGroupName": "shop"}),
}


def may(attempt: tuple[str, str, dict[str, Any]], keys: aws.Keys, shop: Project, server: Aws) -> bool:
    """Whether AWS does it; every other refusal than a policy's is an error."""
    service, operation, arguments = attempt
    client = aws.client(service, region=shop.region, credentials=keys, environ=server.environ)
    try:
        with aws.translated(operation, keys):
            getattr(client, operation)(**arguments)
    except aws.AwsRefusedError as error:
        if error.code == "AccessDeniedException":
            return False
        raise
    return True


@pytest.mark.parametrize("principal", [False, True], ids=["a user's key", "the project's roles"])
def test_sessions_of_every_purpose_can_be_had_with_the_policy_for_that(
    server: Aws, account: Account, *, principal: bool
) -> None:
    shop = project(account, principal=principal)
    keys = account.user("worker", sessions(shop))
    done(opening(shop, account.user("administrator"), server))
    made = aws.Keys(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    sts = aws.client("sts", region=shop.region, credentials=made, environ=server.environ)
    for purpose in policies.purposes(shop):
        if principal:
            arn = f"arn:aws:iam::{account.id}:role{policies.PATH}{policies.name(shop, purpose)}"
            given = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        else:
            policy = json.dumps(policies.policy(shop, purpose), separators=(",", ":"))
            name = policies.name(shop, purpose)
            given = sts.get_federation_token(Name=name, Policy=policy)["Credentials"]
        session = aws.Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        assert {other for other in tries if may(tries[other], session, shop, server)} == {purpose}
