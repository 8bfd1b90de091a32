"""The address at which accounts are asked, with every signature recomputed."""

from __future__ import annotations

import contextlib
import hmac
import os
import signal
import socket
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from tests.stand_ins.aws import protocol
from tests.stand_ins.aws.account import Account
from tests.stand_ins.aws.calls import Call
from tests.stand_ins.aws.errors import Refusal, refusal
from tests.stand_ins.aws.faults import DONE, Fault
from tests.stand_ins.server import Request, Response
from tests.stand_ins.sts import AUTHORIZATION, SKEW, canonical_request, signature_of, signed_at

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from tests.stand_ins.aws.principals import Principal

#: the SDKs' variables, for each of the services
ENDPOINTS = (
    "AWS_ENDPOINT_URL_XRAY",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_STS",
)


class _Gone(Exception):  # noqa: N818 - no error: nobody is there to be answered
    """The connection ends here."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing of who is gone, which some faults are for; anything else is a mistake of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


class Aws:
    """Answers while it is entered, for as many accounts as are made."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._accounts: list[Account] = []
        # moto's state is not made for several threads.
        self._lock = threading.RLock()
        aws = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in two packets would wait for the first one's receipt
            timeout = 60

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):  # one for each method
                    return self._respond
                raise AttributeError(name)

            def _respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    response = aws.answer(Request(self.command, self.path, self.headers, body))
                except _Gone:
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response_only(response.status)
                date = format_datetime(datetime.now(UTC), usegmt=True)
                size = str(len(response.body))
                headers = {"Date": date, **response.headers, "Content-Length": size}
                for name, value in headers.items():
                    self.send_header(name, value)
                with contextlib.suppress(OSError):  # who has not waited is not there any more
                    self.end_headers()
                    self.wfile.write(response.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which it is asked instead of AWS."""
        return dict.fromkeys(ENDPOINTS, self.url)

    def account(self) -> Account:
        """Make an account."""
        made = Account()
        self._accounts.append(made)
        return made

    def answer(self, request: Request) -> Response:
        """Do what is asked for, or refuse it."""
        found = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if found is None or found[4] not in protocol.SERVICES:
            words = "Request is missing Authentication Token"
            return protocol.error("sts", Refusal("MissingAuthenticationToken", words, 403))
        service = found[4]
        try:
            account, principal = self._signer(request, found)
            operation, arguments = protocol.asked(service, request)
        except Refusal as refused:
            return protocol.error(service, refused)
        call = Call(service, operation.name, found[3], principal.arn, arguments)
        account.calls.append(call)
        time.sleep(account.delay)
        with self._lock:
            fault = next((each for each in list(account.faults) if each.strikes(call)), None)
        if fault is not None and fault.kind not in DONE:
            return self._struck(account, fault, call)
        try:
            with self._lock:
                response = account.perform(principal, operation, call, request)
        except Refusal as refused:
            call.outcome = refused.code
            response = protocol.error(service, refused)
        if fault is not None:
            call.outcome = call.outcome or fault.kind
            self._untold(account, fault)
        if response.status != 200:
            call.outcome = call.outcome or str(response.status)
        return response

    def _signer(self, request: Request, given: re.Match[str]) -> tuple[Account, Principal]:
        identifier, date, region, service, signed, signature = given.groups()
        token = request.headers.get("X-Amz-Security-Token")
        with self._lock:
            account, principal = self._owner(identifier, region)
        if account is None or principal is None or principal.token != token:
            words = "The security token included in the request is invalid."
            raise refusal("unknown key", service, words)
        scope = f"{date}/{region}/{service}/aws4_request"
        expected = signature_of(request, principal.secret, scope, canonical_request(request, signed))
        if not hmac.compare_digest(signature, expected):
            words = "The request signature we calculated does not match the signature you provided."
            raise refusal("signature", service, words)
        if abs(datetime.now(UTC) - signed_at(request)) > SKEW:
            raise refusal("signature", service, "Signature expired: it is now earlier than allowed")
        if principal.expired:
            raise refusal("expired", service, "The security token included in the request is expired")
        return account, principal

    def _owner(self, identifier: str, region: str) -> tuple[Account | None, Principal | None]:
        for account in reversed(self._accounts):
            principal = account.principal(identifier, region)
            if principal is not None:
                return account, principal
        return None, None

    @staticmethod
    def _struck(account: Account, fault: Fault, call: Call) -> Response:
        """Nothing is done."""
        call.outcome = fault.kind
        if fault.kind == "kill before":
            _kill(account)
        if fault.kind in ("cut", "kill before"):
            raise _Gone
        if fault.kind == "broken":
            return protocol.error(call.service, Refusal("InternalFailure", "Something went wrong.", 500))
        if fault.kind == "throttle":
            return protocol.error(call.service, refusal("throttled", call.service, "Rate exceeded"))
        return protocol.error(call.service, Refusal(fault.code, "Somebody wants this to be refused.", 400))

    @staticmethod
    def _untold(account: Account, fault: Fault) -> None:
        """It is done, and the caller is not told."""
        if fault.kind == "kill after":
            _kill(account)
        if fault.kind == "slow":
            time.sleep(fault.seconds)
            return
        raise _Gone


def _kill(account: Account) -> None:
    assert account.victim is not None, "nobody to kill"
    os.kill(account.victim, signal.SIGKILL)
