"""All four receivers together."""

import contextlib
import secrets
from typing import Any, Self

from receivers.cloudwatch import CloudWatchLogs
from receivers.faults import HEALTHY, Fault
from receivers.otlp import OtlpSink
from receivers.rollbar_api import RollbarApi
from receivers.wire import HttpReceiver
from receivers.xray import XRayDaemon


class AllVendors:
    """Everything that the backend reports to, for as long as the `with` block lasts."""

    def __init__(self, *, keep: bool = True) -> None:
        self.honeycomb = OtlpSink(key=secrets.token_hex(11), keep=keep)
        self.xray = XRayDaemon(keep=keep)
        self.cloudwatch = CloudWatchLogs(keep=keep)
        self.rollbar = RollbarApi(keep=keep)
        self._cleanup = contextlib.ExitStack()

    @property
    def by_name(self) -> dict[str, HttpReceiver]:
        """Each of them by its vendor's name, which is also that of the backend's module for it."""
        return {
            "honeycomb": self.honeycomb,
            "xray": self.xray,
            "cloudwatch": self.cloudwatch,
            "rollbar": self.rollbar,
        }

    @property
    def environ(self) -> dict[str, str]:
        return {name: value for each in self.by_name.values() for name, value in each.environ.items()}

    @property
    def refusals(self) -> dict[str, int]:
        """What any of them refused, with the vendor's name before the reason."""
        return {
            f"{vendor}: {reason}": count
            for vendor, receiver in self.by_name.items()
            for reason, count in receiver.inbox.refusals.items()
        }

    def set_fault(self, fault: Fault = HEALTHY) -> None:
        for receiver in self.by_name.values():
            receiver.fault = fault

    def counts(self) -> dict[str, Any]:
        """How much has arrived by kind; bytes, requests and refusals by vendor; what was refused, and why."""
        counts: dict[str, Any] = {}
        for vendor, receiver in self.by_name.items():
            counts |= receiver.counts()
            counts[f"{vendor}_bytes"] = receiver.inbox.bytes
            counts[f"{vendor}_requests"] = receiver.requests
            counts[f"{vendor}_refused"] = sum(receiver.inbox.refusals.values())
        return counts | {"refusals": self.refusals}

    def __enter__(self) -> Self:
        for receiver in self.by_name.values():
            self._cleanup.enter_context(receiver)
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()
