"""Segments to AWS X-Ray through its SDK and daemon.

No library is patched: patched ones also record the calls that other vendors' exporters make.
"""

import logging
import socket
import weakref

from aws_xray_sdk.core import AWSXRayRecorder
from aws_xray_sdk.core.emitters.udp_emitter import PROTOCOL_DELIMITER, PROTOCOL_HEADER
from aws_xray_sdk.core.models.entity import Entity
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask, request

from observability.errors import VendorUnavailable
from routes import health
from settings import Address, Settings, XRay

_log = logging.getLogger(__name__)


def instrument(app: Flask, settings: Settings) -> None:
    """Record every request but health checks as a segment, as X-Ray's sampling rules decide.

    The daemon's name is resolved here, once: the SDK would do it again for every segment, inside the request.
    """
    emitter = DaemonEmitter(_resolve(settings.xray.udp))
    recorder = AWSXRayRecorder()
    recorder.emitter._socket.close()  # noqa: SLF001 - the SDK opens one of its own, and has no way to close it
    recorder.emitter = emitter
    # Set one by one, as `configure` lets environment variables overrule what it is given.
    recorder.service = settings.service_name
    recorder.context.context_missing = "IGNORE_ERROR"
    recorder.sampler.load_settings(_SamplingDaemon(settings.xray), recorder.context)
    for poller in ("rule_poller", "target_poller"):
        logging.getLogger(f"aws_xray_sdk.core.sampling.{poller}").addFilter(_without_traceback)

    app.extensions["xray_recorder"] = recorder
    app.before_request(_do_not_sample_health_checks)
    XRayMiddleware(app, recorder)


class DaemonEmitter:
    """Sends finished segments to the daemon over UDP; never waits, never raises."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._reported = False
        weakref.finalize(self, self._socket.close)

    def send_entity(self, entity: Entity) -> None:
        """Send one segment, or drop it: telemetry must never fail a request. The first failure is logged."""
        try:
            document = f"{PROTOCOL_HEADER}{PROTOCOL_DELIMITER}{entity.serialize()}"
            self._socket.sendto(document.encode(), self._address)
        except Exception as error:  # noqa: BLE001 - as above
            if not self._reported:
                self._reported = True
                _log.warning("X-Ray segments are being dropped: %s", error)


class _SamplingDaemon:
    """The daemon's TCP side, in the form that the SDK's sampler reads."""

    def __init__(self, xray: XRay) -> None:
        self.tcp_ip, self.tcp_port = xray.tcp


def _resolve(address: Address) -> Address:
    try:
        found = socket.getaddrinfo(*address, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one
        raise VendorUnavailable("the host in AWS_XRAY_DAEMON_ADDRESS cannot be resolved") from error
    return Address(str(found[0][4][0]), address.port)


def _do_not_sample_health_checks() -> None:
    """Decide as a caller would, by header: the middleware has no list of exceptions."""
    if request.path == health.PATH:
        request.environ["HTTP_X_AMZN_TRACE_ID"] = "Sampled=0"


def _without_traceback(record: logging.LogRecord) -> bool:
    """Cut a poller's traceback to one line: an absent daemon is no mystery, and shows every five minutes."""
    if record.exc_info:
        record.msg, record.args = "%s %s", (record.getMessage(), record.exc_info[1])
        record.exc_info = None
    return True
