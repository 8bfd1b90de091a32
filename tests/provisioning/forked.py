"""A process of its own that applies, for who wants to kill it: forked from one that has all modules."""

from __future__ import annotations

import multiprocessing
import signal
from typing import TYPE_CHECKING, Any

from bootstrap.provisioning.aws import iam, logs, provider, xray
from bootstrap.system import aws
from tests.provisioning.people import Person, project
from tests.stand_ins.aws.server import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

#: imported here, so that a child need not
_USED = (iam, logs, provider, xray)
_PATIENCE = 120.0


class _Elsewhere:
    """The stand-in, as another process knows it."""

    def __init__(self, url: str) -> None:
        self.environ = dict.fromkeys(ENDPOINTS, url)


def applied(url: str, keys: Mapping[str, str], manifest: Mapping[str, Any], account: Any) -> int:
    """Apply in a process that `account` may kill; returns how it ended, below zero by a signal."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, url, dict(keys), dict(manifest)))
    child.start()
    account.victim = child.pid
    ours.send("go")
    child.join(_PATIENCE)
    assert child.exitcode is not None, "it does not end"
    ours.close()
    theirs.close()
    return child.exitcode


def _child(started: Connection, url: str, keys: dict[str, str], manifest: dict[str, Any]) -> None:
    """Nothing is caught, and nothing is put away: what kills it cannot be answered."""
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    started.recv()
    services = manifest.pop("services", ())
    asked = {name: manifest.pop(name) for name in ("adopt", "direction") if name in manifest}
    person = Person(_Elsewhere(url), keys, project(*services, **manifest))  # type: ignore[arg-type]
    person.apply(**asked)


def _warm() -> None:
    """Read the services' descriptions once: every child has them."""
    nobody = aws.Keys("AKIA" + "A" * 16, "none")
    for service in ("iam", "logs", "sts", "xray"):
        aws.client(service, region="us-east-1", credentials=nobody, environ={})


if multiprocessing.current_process().name != "MainProcess" or multiprocessing.parent_process():
    _warm()
