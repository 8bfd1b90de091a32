"""The X-Ray daemon, as this service sees it: segments out over UDP, sampling rules in over TCP."""

import logging
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.session
from aws_xray_sdk.core.emitters.udp_emitter import PROTOCOL_DELIMITER, PROTOCOL_HEADER
from aws_xray_sdk.core.models.entity import Entity
from botocore import UNSIGNED
from botocore.config import Config

from observability.delivery import Account
from settings import Address

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKUPS = 30.0
_SECONDS_BETWEEN_ATTEMPTS = 5.0


class SegmentSocket:
    """Sends finished segments; never waits, never raises, never asks for a name's address inside a request.

    The SDK resolves the daemon's name for every single segment. Here a thread does, now and then, so that a
    daemon that starts late or moves is found all the same. UDP has no receipts: "sent" means on its way.
    """

    def __init__(self, address: Address, account: Account) -> None:
        self._address = address
        self._account = account
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._stopped = threading.Event()
        if _is_ip(address.host):
            self._socket.connect(address)
            return
        found = threading.Event()
        threading.Thread(target=self._keep_looking, args=(found,), daemon=True, name="xray-address").start()
        found.wait(1)  # usually a millisecond; a name service that is away must not delay the start

    def send_entity(self, entity: Entity) -> None:
        """Send one segment, or count it as dropped."""
        try:
            document = f"{PROTOCOL_HEADER}{PROTOCOL_DELIMITER}{entity.serialize()}".encode()
            try:
                self._socket.send(document)
            except ConnectionRefusedError:  # it is the segment before this one that found nobody
                self._account.sent(-1)
                self._account.dropped("the daemon's port is closed")
                self._socket.send(document)
        except Exception as error:  # noqa: BLE001 - telemetry must never fail a request
            self._account.dropped(_why(error))
        else:
            self._account.sent()

    def stop(self) -> None:
        """End the lookups and close the socket."""
        self._stopped.set()
        self._socket.close()
        self._account.say()

    def _keep_looking(self, found: threading.Event) -> None:
        while not self._stopped.is_set():
            try:
                info = socket.getaddrinfo(*self._address, family=socket.AF_INET, type=socket.SOCK_DGRAM)
                self._socket.connect(info[0][4])
                pause = _SECONDS_BETWEEN_LOOKUPS
            except (OSError, UnicodeError):  # UnicodeError: a name that cannot be one
                if not found.is_set() and not self._stopped.is_set():
                    _log.warning("the host in AWS_XRAY_DAEMON_ADDRESS cannot be resolved; trying again")
                pause = _SECONDS_BETWEEN_ATTEMPTS
            found.set()
            self._stopped.wait(pause)


class SamplingRules:
    """The client that the SDK's sampler asks for rules and tells its counts, through the daemon.

    The SDK asks for rules every five minutes, even when the first attempt has failed: a daemon that starts a
    moment after its service would not be heard for that long. This client tries again until it is answered.
    """

    def __init__(self, address: Address) -> None:
        self.tcp_ip, self.tcp_port = address  # as the sampler calls them
        self._stopped = threading.Event()
        self._client = botocore.session.get_session().create_client(
            "xray",
            region_name="us-east-1",  # the daemon has its own, and signs
            endpoint_url=f"http://{address.host}:{address.port}",
            config=Config(
                signature_version=UNSIGNED,
                connect_timeout=3,
                read_timeout=5,
                retries={"total_max_attempts": 1},
            ),
        )

    def get_sampling_rules(self) -> Any:
        """Fetch all rules; runs in a thread of the sampler's own."""
        return self._until_answered(self._client.get_sampling_rules, {"SamplingRuleRecords": []})

    def get_sampling_targets(self, **statistics: Any) -> Any:
        """Report how often each rule was used, and learn how often it may be."""
        nothing_new = {"SamplingTargetDocuments": [], "LastRuleModification": datetime.fromtimestamp(0, UTC)}
        return self._until_answered(lambda: self._client.get_sampling_targets(**statistics), nothing_new)

    def stop(self) -> None:
        """Give up asking. The sampler's threads cannot be ended: they hear that there is nothing new."""
        self._stopped.set()

    def _until_answered(self, ask: Callable[[], Any], nothing: dict[str, Any]) -> Any:
        complained = False
        while not self._stopped.is_set():
            try:
                return ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt may do better
                if not self._stopped.wait(_SECONDS_BETWEEN_ATTEMPTS) and not complained:
                    complained = True
                    why = type(error).__name__
                    _log.warning("X-Ray: the daemon gives no sampling rules (%s); trying again", why)
        return nothing


def _is_ip(host: str) -> bool:
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _why(error: Exception) -> str:
    """Say it without the address: the health check shows it to everybody."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__
