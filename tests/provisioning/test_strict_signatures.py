"""The stand-in of AWS believes no key, no signature and no clock that AWS would not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import botocore.auth
import pytest
import urllib3

from tests.provisioning.conftest import refused
from tests.stand_ins.sts import key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account, Aws

#: service -> a call, and the codes for an unknown key and a wrong signature
CALLS = {
    "xray": ("get_groups", "UnrecognizedClientException", "InvalidSignatureException"),
    "logs": ("describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException"),
    "iam": ("list_roles", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "sts": ("get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch"),
}


@pytest.mark.parametrize("service", CALLS)
def test_a_key_that_nobody_has(clients: Callable[..., Any], service: str) -> None:
    call, unknown, _ = CALLS[service]
    made_up = {"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()}
    with refused(unknown):
        getattr(clients(service, made_up), call)()


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret(clients: Callable[..., Any], keys: dict[str, str], service: str) -> None:
    call, _, unsigned = CALLS[service]
    with refused(unsigned):
        getattr(clients(service, {**keys, "AWS_SECRET_ACCESS_KEY": secret_key()}), call)()


def test_a_session_without_its_token_and_with_another_one(clients: Callable[..., Any]) -> None:
    made = clients("sts").get_federation_token(Name="me")["Credentials"]
    short = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    with refused("InvalidClientTokenId"):
        clients("sts", short).get_caller_identity()
    with refused("InvalidClientTokenId"):
        clients("sts", {**short, "AWS_SESSION_TOKEN": session_token()}).get_caller_identity()


def test_a_key_of_a_user_with_a_token(clients: Callable[..., Any], keys: dict[str, str]) -> None:
    with refused("InvalidClientTokenId"):
        clients("sts", {**keys, "AWS_SESSION_TOKEN": session_token()}).get_caller_identity()


def test_a_clock_that_is_wrong(clients: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    then = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: then)
    with refused("SignatureDoesNotMatch", "Signature expired"):
        clients("sts").get_caller_identity()


def test_a_session_that_is_over(clients: Callable[..., Any], account: Account) -> None:
    account.lifetime = 1e-9
    made = clients("sts").get_federation_token(Name="me")["Credentials"]
    over = {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }
    with refused("ExpiredToken"):
        clients("sts", over).get_caller_identity()
    with refused("ExpiredTokenException"):
        clients("xray", over).get_groups()


def test_no_signature_at_all(aws: Aws) -> None:
    assert urllib3.request("POST", aws.url, body=b"Action=GetCallerIdentity").status == 403


def test_an_account_knows_nothing_of_another_one(clients: Callable[..., Any], aws: Aws) -> None:
    other = aws.account()
    theirs = other.user("tester")
    clients("xray").create_group(GroupName="mine")
    names = [group["GroupName"] for group in clients("xray", theirs).get_groups()["Groups"]]
    assert names == ["Default"]
    assert clients("sts", theirs).get_caller_identity()["Account"] == other.id
    assert other.counted == {"xray:GetGroups": 1, "sts:GetCallerIdentity": 1}


def test_a_key_that_was_made_with_iam_works(clients: Callable[..., Any]) -> None:
    clients("iam").create_user(UserName="new")
    made = clients("iam").create_access_key(UserName="new")["AccessKey"]
    new = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    assert clients("sts", new).get_caller_identity()["Arn"].endswith(":user/new")
    with refused("AccessDeniedException", "no identity-based policy"):
        clients("xray", new).get_groups()
