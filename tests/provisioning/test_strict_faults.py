"""What the stand-in of AWS lets go wrong goes wrong as it would; boto3 is told, or is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from bootstrap.system.aws import client
from tests.provisioning.conftest import keys_of, refused
from tests.stand_ins.aws.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stand_ins.aws import Account, Aws


@pytest.fixture
def xray(aws: Aws, keys: dict[str, str]) -> Any:
    return client(
        "xray", region="us-east-1", credentials=keys_of(keys), environ=aws.environ, attempts=1, timeout=1
    )


def made(account: Account) -> bool:
    return "g" in account.xray().groups


@pytest.mark.parametrize(
    ("kind", "code"),
    [("error", "Whatever"), ("throttle", "ThrottledException"), ("broken", "InternalFailure")],
)
def test_what_is_refused_is_not_done(xray: Any, account: Account, kind: Kind, code: str) -> None:
    account.faults.append(Fault(kind, "xray:CreateGroup", code="Whatever"))
    xray.get_groups()
    with refused(code):
        xray.create_group(GroupName="g")
    assert not made(account)
    xray.create_group(GroupName="g")
    assert made(account)
    outcomes = [call.outcome for call in account.calls]
    assert outcomes == ["", kind, ""]


@pytest.mark.parametrize(("kind", "done"), [("cut", False), ("drop", True)])
def test_a_connection_ends_before_or_after(xray: Any, account: Account, kind: Kind, done: bool) -> None:  # noqa: FBT001
    account.faults.append(Fault(kind))
    with pytest.raises(ConnectionClosedError):
        xray.create_group(GroupName="g")
    assert made(account) == done
    xray.get_groups()


def test_what_is_answered_too_late_is_done(xray: Any, account: Account) -> None:
    account.faults.append(Fault("slow", seconds=1.5))
    with pytest.raises(ReadTimeoutError):
        xray.create_group(GroupName="g")
    assert made(account)


def test_a_fault_strikes_the_call_that_it_is_for(xray: Any, account: Account) -> None:
    xray.get_group(GroupName="Default")
    (call,) = account.calls
    assert call.key == 'xray:GetGroup us-east-1 {"GroupName": "Default"}'
    fault = Fault("throttle", call.key, skip=1, times=2)
    account.faults.append(fault)
    for struck in (False, True, True, False):
        if struck:
            with refused("ThrottledException"):
                xray.get_group(GroupName="Default")
        else:
            xray.get_group(GroupName="Default")
    assert fault.struck == 2
    fault.times = None
    for _ in range(5):
        with refused("ThrottledException"):
            xray.get_group(GroupName="Default")
    xray.get_groups()


@pytest.mark.parametrize("service", ["logs", "iam", "sts"])
def test_each_service_has_words_of_its_own(
    clients: Callable[..., Any], account: Account, service: str
) -> None:
    account.faults += [Fault("throttle"), Fault("broken")]
    used = clients(service)
    call = {"logs": "describe_log_groups", "iam": "list_roles", "sts": "get_caller_identity"}[service]
    with refused("ThrottlingException" if service == "logs" else "Throttling"):
        getattr(used, call)()
    with refused("InternalFailure"):
        getattr(used, call)()
    getattr(used, call)()


@pytest.mark.parametrize(("kind", "done"), [("kill before", False), ("kill after", True)])
def test_who_calls_is_killed(
    aws: Aws,
    account: Account,
    keys: dict[str, str],
    kind: Kind,
    done: bool,  # noqa: FBT001
) -> None:
    program = (
        "import boto3, os, sys\n"
        "client = boto3.client('xray', region_name='us-east-1')\n"
        "sys.stdin.readline()\n"
        "client.create_group(GroupName='g')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, **keys, **aws.environ}, stdin=subprocess.PIPE
    )
    account.victim = process.pid
    account.faults.append(Fault(kind))
    process.communicate(b"go\n", timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert made(account) == done


def test_an_account_is_put_back_to_what_it_was(clients: Callable[..., Any], account: Account) -> None:
    clients("logs").create_log_group(logGroupName="shop")
    saved = account.saved()
    for _ in range(2):
        clients("xray").create_group(GroupName="g")
        clients("logs").delete_log_group(logGroupName="shop")
        clients("iam").create_user(UserName="new")
        account.restore(saved)
        assert len(clients("iam").list_users()["Users"]) == 1
        assert len(clients("logs").describe_log_groups()["logGroups"]) == 1
        assert not made(account)


def test_many_ask_at_once(clients: Callable[..., Any], account: Account) -> None:
    """moto's state is not made for several threads."""
    xray, logs, iam = (clients(service) for service in ("xray", "logs", "iam"))
    failures: list[Exception] = []

    def ask(number: int) -> None:
        try:
            xray.create_group(GroupName=f"g{number}")
            logs.create_log_group(logGroupName=f"g{number}")
            iam.create_user(UserName=f"u{number}")
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert account.counted == {"xray:CreateGroup": 16, "logs:CreateLogGroup": 16, "iam:CreateUser": 16}
