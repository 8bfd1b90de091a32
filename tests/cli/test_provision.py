"""`bootstrap provision` as a program: what it shows, asks, prints for programs, and how it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from tests.stand_ins.aws.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository, Result
    from tests.stand_ins.aws import Account, Aws

MANIFEST = """
[project]
name = "shop"

[services.web]
build = "web"
telemetry = ["xray", "cloudwatch"]
"""


@pytest.fixture
def project(repository: Repository) -> Repository:
    repository.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("web/Dockerfile", "FROM scratch\n")
    return repository


Provision = Any


@pytest.fixture
def provision(bootstrap: Bootstrap, project: Repository, aws: Aws, account: Account) -> Provision:
    """Run it with the keys of somebody who may do everything, or with `keys`."""
    ann = account.user("ann")

    def run(*arguments: str, keys: dict[str, str] | None = None, **more: Any) -> Result:
        env = {**aws.environ, **(ann if keys is None else keys)}
        return bootstrap("provision", *arguments, cwd=project.root, env=env, **more)

    return run


def actions(document: dict[str, Any]) -> dict[str, str]:
    return {f"{one['kind']} {one['name']}": one["action"] for one in document["changes"]}


ALMOST_NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}],
}
EVERYTHING = {
    "X-Ray group shop",
    "X-Ray sampling rule web",
    "log group shop",
    "IAM policy shop-daemon",
    "IAM policy shop-logs",
    "IAM policy shop-verify",
}


@pytest.mark.slow
def test_from_nothing_to_everything_and_back(provision: Provision, account: Account) -> None:
    plan = json.loads(provision("plan", "--json").check(5).out)
    assert actions(plan) == dict.fromkeys(EVERYTHING, "create")
    assert plan["pending"] == len(EVERYTHING)
    assert [one | {"remarks": []} for one in plan["accounts"]] == [
        {
            "provider": "aws",
            "account": account.id,
            "identity": f"arn:aws:iam::{account.id}:user/ann",
            "region": "us-east-1",
            "repository": "github.com/acme/shop",
            "maker": f"arn:aws:iam::{account.id}:user/ann",
            "remarks": [],
        }
    ]
    applied = provision("apply", "--yes").check(0, "Creating X-Ray group shop ...", "Done: 6 changes")
    shown = applied.err.index(f"account {account.id}, identity arn:aws:iam::{account.id}:user/ann")
    assert shown < applied.err.index("Creating")
    provision("plan").check(0, "= keep    X-Ray sampling rule web", "Nothing is to be done.")
    gone = json.loads(provision("destroy", "--yes", "--json").check(0).out)
    assert {f"{one['kind']} {one['name']}" for one in gone["done"]} == EVERYTHING
    provision("destroy", "--yes").check(0, "Nothing was to be done.")


def test_a_vendor_has_its_own_part(provision: Provision) -> None:
    plan = json.loads(provision("plan", "cloudwatch", "--json").check(5).out)
    assert set(actions(plan)) == {"log group shop", "IAM policy shop-logs", "IAM policy shop-verify"}


def test_nobody_to_ask_and_no_yes_changes_nothing(provision: Provision, account: Account) -> None:
    provision("apply", "cloudwatch").check(2, "nobody is here to agree to this", "--yes")
    assert not [call for call in account.calls if not call.operation.startswith(READS)]


READS = ("Get", "List", "Describe")


def test_somebody_is_asked_and_may_say_no(project: Repository, aws: Aws, account: Account) -> None:
    env = {**aws.environ, **account.user("ann")}
    for answer, calls in (("n", 0), ("y", 1)):
        child = typed(project, env, "apply", "xray")
        child.expect_exact("4 to create. Go on? [y/N]: ")
        child.sendline(answer)
        assert ended(child) == 0
        assert account.counted["xray:CreateGroup"] == calls


@pytest.mark.slow
def test_another_account_is_let_in_only_by_whoever_names_it(
    provision: Provision, project: Repository, account: Account
) -> None:
    """A manifest that was cloned may name its author as the principal; a hurried yes is not enough."""
    theirs = "666666666666"
    principal = f"arn:aws:iam::{theirs}:role/developers"
    project.write("bootstrap.toml", f'{MANIFEST}\n[provision]\nprincipal = "{principal}"\n')
    provision("plan", "cloudwatch").check(
        5,
        f"create  IAM role shop-verify: lets in somebody of another account, {theirs}",
        '"xray:StartTraceRetrieval"], "Effect": "Allow", "Resource": ["*"]}',
    )
    refused = provision("apply", "cloudwatch", "--yes").check(2, theirs)
    assert not [call for call in account.calls if not call.operation.startswith(READS)]
    again = refused.err.strip().rpartition("bootstrap ")[2].split()
    assert again == ["provision", "apply", "cloudwatch", "--trust", theirs]
    provision(*again[1:], "--yes").check(0, "Done: 5 changes")
    provision("apply", "cloudwatch", "--yes").check(0, "Nothing was to be done.")


def typed(project: Repository, env: dict[str, str], *arguments: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        sys.executable,
        ["-m", "bootstrap", "provision", *arguments],
        env={**os.environ, **env},
        cwd=str(project.root),
        encoding="utf-8",
        timeout=60,
    )


def ended(child: pexpect.spawn[str]) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.mark.slow
def test_what_is_not_ours_is_shown_and_taken_only_by_name(provision: Provision, account: Account) -> None:
    xray = account.xray()
    provision("apply", "--yes")
    bob = account.user("bob")
    project_of_another = provision("plan", "--json", keys=bob).check(0)
    assert "user/ann for github.com/acme/shop" in project_of_another.out
    left = provision("destroy", "--yes", keys=bob).check(0, "not ours to remove: made by")
    assert "user/ann" in left.out
    assert xray.groups


def test_one_refusal_is_said_with_what_is_done_and_what_to_type(
    provision: Provision, account: Account
) -> None:
    account.faults = [Fault("error", "logs:CreateLogGroup", times=None, code="AccessDeniedException")]
    result = provision("apply", "xray", "cloudwatch", "--yes").check(
        4,
        "Not done: create log group shop: AWS does not allow",
        'Add to its policy: {"Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": "*"}',
        "5 of 6 changes are done",
    )
    assert result.err.splitlines()[-1] == (
        "  Mend that, and finish the job: bootstrap provision apply xray cloudwatch"
    )
    document = json.loads(provision("apply", "--yes", "--json").check(4).out)
    (failed,) = document["failed"]
    assert (failed["name"], failed["error"]["hint"][:17]) == ("shop", "Add to its policy")


def test_busy_is_waited_for_and_said(provision: Provision, account: Account) -> None:
    account.faults = [Fault("throttle", "xray:CreateGroup", times=2)]
    provision("apply", "xray", "--yes").check(0, "trying again in", "(2 of 8)", "(3 of 8)")


def test_everything_that_is_not_allowed_is_said_at_once(provision: Provision, account: Account) -> None:
    nobody = account.user("nobody", ALMOST_NOTHING)
    result = provision("plan", keys=nobody).check(4, "AWS does not allow", "user/nobody to do")
    statements = json.loads(result.err.splitlines()[-1].removeprefix("  Add to its policy: "))
    needed = {action for one in statements for action in _list(one["Action"])}
    assert {"xray:GetGroups", "xray:GetSamplingRules", "logs:DescribeLogGroups", "iam:GetPolicy"} <= needed


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_keys_of_the_account_itself_are_refused(provision: Provision, account: Account) -> None:
    refused = provision("apply", "--yes", keys=account.root())
    refused.check(3, "the keys of account", "itself", "--profile NAME")
    assert set(account.counted) == {"sts:GetCallerIdentity"}


def test_another_account_than_the_pinned_one_is_refused(
    provision: Provision, project: Repository, account: Account
) -> None:
    project.write("bootstrap.toml", MANIFEST + '[provision]\naccount = "000000000000"\n')
    provision("apply", "--yes").check(
        3, f"these keys belong to account {account.id}, and provision.account says 000000000000"
    )


def test_without_keys_it_says_which_to_set(provision: Provision, account: Account) -> None:
    provision("plan", keys={}).check(
        3,
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
        "bootstrap secrets set AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY",
        "--profile NAME",
    )
    assert account.calls == []


def test_wrong_keys_are_said_to_be_wrong(provision: Provision, account: Account) -> None:
    keys = {**account.user("ann2"), "AWS_SECRET_ACCESS_KEY": account.user("bob")["AWS_SECRET_ACCESS_KEY"]}
    provision("plan", keys=keys).check(4, "SignatureDoesNotMatch", "bootstrap secrets check --online")


def test_a_profile_is_used_only_where_it_is_named(
    provision: Provision, account: Account, clean_environment: Path
) -> None:
    eve = account.user("eve")
    folder = clean_environment / ".aws"
    folder.mkdir()
    lines = "\n".join(f"{name.lower()} = {value}" for name, value in eve.items())
    (folder / "credentials").write_text(f"[default]\n{lines}\n[work]\n{lines}\n")
    provision("plan", keys={}).check(3, "are not set")
    provision("plan", "--profile", "work").check(5, "user/eve")


def test_ctrl_c_says_how_to_go_on(
    provision: Provision, project: Repository, aws: Aws, account: Account
) -> None:
    """A call hangs long enough to be interrupted, and is done all the same: the next apply goes on."""
    account.faults = [Fault("slow", "xray:CreateSamplingRule", seconds=5)]
    env = {**aws.environ, **account.user("cat")}
    child = typed(project, env, "apply", "xray", "--yes")
    child.expect_exact("Creating X-Ray sampling rule web")
    while not account.counted["xray:CreateSamplingRule"]:
        time.sleep(0.02)
    child.sendintr()
    child.expect_exact("Interrupted. Finish the job: bootstrap provision apply xray")
    assert ended(child) == 130
    account.faults = []
    account.calls.clear()
    provision("apply", "--yes", keys=env).check(0)
    assert account.counted["xray:CreateGroup"] == account.counted["xray:CreateSamplingRule"] == 0
    assert set(account.xray().rules) >= {"web"}
