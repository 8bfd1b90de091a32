"""boto3 as it is, and a project that is provisioned."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from bootstrap.system.aws import Keys, client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.stand_ins.aws import Account, Aws


def keys_of(variables: Mapping[str, str]) -> Keys:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return Keys(variables[names[0]], variables[names[1]], variables.get(names[2]))


def document(action: Any, resource: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def keys(account: Account) -> dict[str, str]:
    """Those of somebody who may do everything."""
    return account.user("tester")


@pytest.fixture
def by_hand(aws: Aws, keys: dict[str, str]) -> Callable[[str, Any], str]:
    """Send X-Ray what boto3 would not: by_hand(path, document) returns the error's code, "" without one."""
    given = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])

    def send(path: str, document: Any) -> str:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        request = AWSRequest("POST", aws.url + path, data=body)
        SigV4Auth(given, "xray", "us-east-1").add_auth(request)
        answer = urllib3.request("POST", aws.url + path, body=body, headers=dict(request.headers))
        return answer.headers.get("x-amzn-ErrorType", "").rstrip(":")

    return send


@pytest.fixture
def clients(aws: Aws, keys: dict[str, str]) -> Callable[..., Any]:
    def make(service: str, variables: Mapping[str, str] | None = None, region: str = "us-east-1") -> Any:
        given = keys_of(variables or keys)
        return client(service, region=region, credentials=given, environ=aws.environ, attempts=1)

    return make


@contextmanager
def refused(code: str, words: str = "") -> Iterator[None]:
    """What is done inside is refused with this code, and a message that matches."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    assert re.search(words, error["Message"]), error
