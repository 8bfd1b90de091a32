"""The stand-in of AWS as a program of its own, as containers and other tools use it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bootstrap.system.aws import client
from tests.provisioning.conftest import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    argv = (sys.executable, "-m", "tests.stand_ins.aws", *arguments)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())


def test_it_says_where_it_is_and_ends_when_told() -> None:
    with started() as (process, said):
        keys, endpoints = keys_of(said["keys"]), said["endpoints"]
        sts = client("sts", region="us-east-1", credentials=keys, environ=endpoints)
        assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{said['account']}:user/administrator"
        process.terminate()
        assert process.wait(30) == 0


def test_it_ends_with_whoever_has_started_it() -> None:
    with started("--host", "127.0.0.1") as (process, _):
        process.communicate(timeout=30)
        assert process.returncode == 0
