"""Strict stand-ins for what the backend reports to: they speak each vendor's protocol on loopback."""

from receivers.cloudwatch import CloudWatchLogs
from receivers.faults import BLACK_HOLE, BROKEN, HEALTHY, REFUSED, THROTTLED, UNAUTHORIZED, Fault, slow
from receivers.inbox import PATIENCE, Inbox
from receivers.log_groups import LogLine
from receivers.otlp import OtlpSink, ReceivedSpan
from receivers.rollbar_api import RollbarApi
from receivers.vendors import AllVendors
from receivers.wire import HttpReceiver
from receivers.xray import DEFAULT_RULE, XRayDaemon, sampling_rule

__all__ = [
    "BLACK_HOLE",
    "BROKEN",
    "DEFAULT_RULE",
    "HEALTHY",
    "PATIENCE",
    "REFUSED",
    "THROTTLED",
    "UNAUTHORIZED",
    "AllVendors",
    "CloudWatchLogs",
    "Fault",
    "HttpReceiver",
    "Inbox",
    "LogLine",
    "OtlpSink",
    "ReceivedSpan",
    "RollbarApi",
    "XRayDaemon",
    "sampling_rule",
    "slow",
]
