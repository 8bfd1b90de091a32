"""Sessions in an account that evaluates policies: each may do what it is for, and is refused all else."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.config.manifest import parse
from bootstrap.flows.sessions.handing import Sessions
from bootstrap.model.environment import Claim
from bootstrap.model.grant import PURPOSES, Purpose
from bootstrap.model.secret import Secret
from bootstrap.system.aws import DENIED, Keys, client
from bootstrap.vendors import VENDORS, policies
from tests.stand_ins.sts import PARTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.flows.environment import Lookup
    from bootstrap.model.project import Project
    from tests.stand_ins.aws import Account, Aws

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
LINES = [{"timestamp": int(time.time() * 1000), "message": "a line"}]
#: service, call and its arguments, and whose purpose it serves
CALLS: list[tuple[str, str, dict[str, Any], Purpose | None]] = [
    ("logs", "create_log_stream", {"logGroupName": "shop", "logStreamName": "one"}, "logs"),
    ("logs", "put_log_events", {"logGroupName": "shop", "logStreamName": "one", "logEvents": LINES}, "logs"),
    ("logs", "filter_log_events", {"logGroupName": "shop", "filterPattern": '"a"'}, "verify"),
    ("xray", "get_sampling_rules", {}, "daemon"),
    ("logs", "create_log_stream", {"logGroupName": "shop-2", "logStreamName": "one"}, None),
    ("logs", "put_log_events", {"logGroupName": "other", "logStreamName": "o", "logEvents": LINES}, None),
    ("logs", "filter_log_events", {"logGroupName": "other"}, None),
    ("logs", "delete_log_group", {"logGroupName": "shop"}, None),
    ("xray", "get_groups", {}, None),
    ("iam", "list_users", {}, None),
    ("sts", "get_federation_token", {"Name": "more"}, None),
    ("sts", "assume_role", {"RoleArn": "arn:aws:iam::1:role/any", "RoleSessionName": "more"}, None),
]


def project(principal: str | None) -> Project:
    tables: dict[str, Any] = {
        "project": {"name": "shop"},
        "services": {"web": {"build": "web", "telemetry": ["xray", "cloudwatch"]}},
        "provision": {"principal": principal} if principal else {},
    }
    return parse(tables, OPTIONS)


def among(values: Mapping[str, str]) -> Lookup:
    return lambda name: Secret(values[name], "test") if name in values else None


@pytest.fixture
def ask(aws: Aws) -> Callable[..., Any]:
    """Call an operation with a key: ask(values, service, operation, **arguments)."""

    def call(values: dict[str, str], service: str, operation: str, **arguments: Any) -> Any:
        keys = Keys(values[PARTS[0]], values[PARTS[1]], values.get(PARTS[2]))
        made = client(service, region="us-east-1", credentials=keys, environ=aws.environ, attempts=1)
        return getattr(made, operation)(**arguments)

    return call


@pytest.mark.parametrize("with_roles", [False, True])
def test_each_session_may_do_what_it_is_for_and_nothing_else(
    aws: Aws, account: Account, ask: Callable[..., Any], *, with_roles: bool
) -> None:
    values = account.user("somebody")
    for group in ("shop", "shop-2", "other"):
        ask(values, "logs", "create_log_group", logGroupName=group)
    arn = f"arn:aws:iam::{account.id}:user/somebody"
    made = project(arn if with_roles else None)
    for purpose in PURPOSES if with_roles else ():
        trust, name = json.dumps(policies.trust(arn)), policies.name(made, purpose)
        role = {"RoleName": name, "Path": policies.PATH, "MaxSessionDuration": 43_200}
        ask(values, "iam", "create_role", **role, AssumeRolePolicyDocument=trust)
        text = json.dumps(policies.policy(made, purpose))
        ask(values, "iam", "put_role_policy", RoleName=name, PolicyName="own", PolicyDocument=text)
    handed = Sessions(made, lambda: among(values), aws.environ)
    sessions = {
        purpose: {part: secret.reveal() for part in PARTS if (secret := handed(Claim(part, purpose)))}
        for purpose in PURPOSES
    }
    for service, operation, arguments, wanted in CALLS:
        for purpose in PURPOSES:
            if purpose == wanted:
                ask(sessions[purpose], service, operation, **arguments)
                continue
            with pytest.raises(ClientError) as caught:
                ask(sessions[purpose], service, operation, **arguments)
            assert caught.value.response["Error"]["Code"] in DENIED, (purpose, operation)
