"""moto within this process: requests handed to it, and what it keeps."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from moto.iam.models import IAMBackend, Policy, Role, User, iam_backends
from moto.logs.models import LogsBackend, logs_backends
from moto.moto_server.werkzeug_app import create_backend_app
from moto.utilities.utils import get_partition
from werkzeug.test import Client

from tests.stand_ins.server import Request, Response

if TYPE_CHECKING:
    from tests.stand_ins.aws.policies import Document

_KEPT = ("Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Target")


@cache
def _client(service: str) -> Client:
    return Client(create_backend_app(service))  # type: ignore[arg-type]


def ask(service: str, account: str, request: Request) -> Response:
    """Let moto do what is asked for, in an account of its own."""
    headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
    answered = _client(service).open(
        request.path,
        base_url=f"http://{service}.amazonaws.com",
        method=request.method,
        data=request.body,
        headers={**headers, "x-moto-account-id": account},
    )
    return Response(answered.status_code, answered.data, {"Content-Type": answered.headers["Content-Type"]})


def iam(account: str, region: str) -> IAMBackend:
    """Who is there, and what they may do."""
    return iam_backends[account][get_partition(region)]


def logs(account: str, region: str) -> LogsBackend:
    """The log groups of a region."""
    return logs_backends[account][region]


def documents(backend: IAMBackend, owner: User | Role) -> list[Document]:
    """Every policy of a user, with those of its groups, or of a role."""
    texts = list(owner.policies.values())
    managed: list[Policy] = list(owner.managed_policies.values())
    if isinstance(owner, User):
        for group in backend.get_groups_for_user(owner.name):
            texts += list(group.policies.values())
            managed += list(group.managed_policies.values())
    return [json.loads(text) for text in texts] + [documents_of_policy(policy)[0] for policy in managed]


def documents_of_policy(policy: Policy) -> list[Document]:
    """What a managed policy says, and then what its other versions say, the newest first."""
    newest = [json.loads(version.document) for version in policy.versions if not version.is_default][::-1]
    return [json.loads(version.document) for version in policy.versions if version.is_default] + newest
