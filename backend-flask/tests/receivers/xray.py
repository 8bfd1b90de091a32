"""The X-Ray daemon: segments over UDP, and its proxy to X-Ray's sampling API over TCP, on one port."""

import json
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from receivers.faults import BLACK_HOLE, BROKEN, THROTTLED, UNAUTHORIZED, Fault
from receivers.segments import InvalidSegmentError, read_datagram
from receivers.wire import HOST, HttpReceiver, RefusedError, Request, Response, retrying

INTERVAL = 10  # seconds for which a quota is good, and between two reports
_ANYTHING = dict.fromkeys(("Host", "HTTPMethod", "URLPath", "ServiceType", "ResourceARN"), "*")
_COUNTS = {"RequestCount": True, "SampledCount": True, "BorrowCount": False}  # and whether it must be there


def sampling_rule(name: str, *, reservoir: int, rate: float, service: str = "*") -> dict[str, Any]:
    """A rule for requests to `service`: `reservoir` of them each second, and the share `rate` of the rest."""
    rule = {"RuleName": name, "Priority": 1, "FixedRate": rate, "ReservoirSize": reservoir, "Version": 1}
    return {**rule, **_ANYTHING, "ServiceName": service}


# What X-Ray itself has from the beginning.
DEFAULT_RULE = {**sampling_rule("Default", reservoir=1, rate=0.05), "Priority": 10000}


@dataclass
class Statistics:
    """What the clients' samplers have reported, all together."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    sampled: int = 0
    borrowed: int = 0


class XRayDaemon(HttpReceiver):
    """Takes segments, hands out `rules`, and answers every report of a sampler with that rule's whole quota.

    The TCP side says what X-Ray says, as the daemon hands it on. A fault other than `REFUSED` and
    `BLACK_HOLE` is one of the TCP side alone: over UDP nobody answers anyway.
    """

    def __init__(self, *, keep: bool = True) -> None:
        super().__init__(keep=keep)
        self.statistics = Statistics()
        self._keep = keep
        self._rules = [DEFAULT_RULE]
        self._rules_changed = time.time()
        self._udp: socket.socket | None = None
        self._receiving: threading.Thread | None = None
        self._marker = secrets.token_bytes()  # begins a datagram that only this receiver can have sent
        self._awaited = b""
        self._settled = threading.Event()

    @property
    def environ(self) -> dict[str, str]:
        return {"AWS_XRAY_DAEMON_ADDRESS": f"{HOST}:{self.port}"}

    @property
    def rules(self) -> list[dict[str, Any]]:
        return self._rules

    @rules.setter
    def rules(self, rules: list[dict[str, Any]]) -> None:
        self._rules, self._rules_changed = rules, time.time()

    def counts(self) -> dict[str, int]:
        seen = self.statistics
        return {
            "segments": self.inbox.count,
            "sampling_requests": seen.requests,
            "sampling_sampled": seen.sampled,
            "sampling_borrowed": seen.borrowed,
        }

    def answer(self, request: Request) -> Response:
        operation = {
            ("POST", "/GetSamplingRules"): self._get_sampling_rules,
            ("POST", "/SamplingTargets"): self._get_sampling_targets,
        }.get((request.method, request.path))
        if operation is None:
            raise _refused(404, "UnknownOperationException", f"{request.method} {request.path}")
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise _invalid("the body is not JSON") from error
        if not isinstance(body, dict):
            raise _invalid("the body is not an object")
        return Response(200, json.dumps(operation(body)).encode())

    def failure(self, fault: Fault) -> Response:
        return {
            THROTTLED: _failed(429, "ThrottledException", "Rate exceeded"),
            BROKEN: _failed(500, "InternalFailure", "Internal failure"),
            UNAUTHORIZED: _failed(
                403, "UnrecognizedClientException", "The security token included in the request is invalid."
            ),
        }[fault]

    def _get_sampling_rules(self, body: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(body.get("NextToken"), str | None):
            raise _invalid("NextToken")
        when = {"CreatedAt": 0, "ModifiedAt": self._rules_changed}
        return {"SamplingRuleRecords": [{"SamplingRule": rule, **when} for rule in self._rules]}

    def _get_sampling_targets(self, body: dict[str, Any]) -> dict[str, Any]:
        documents = body.get("SamplingStatisticsDocuments")
        if not isinstance(documents, list) or len(documents) > 25:
            raise _invalid("SamplingStatisticsDocuments")
        for document in documents:
            _check_statistics(document)
        rules = {rule["RuleName"]: rule for rule in self._rules}
        known = [document for document in documents if document["RuleName"] in rules]
        self._count(known)
        return {
            "SamplingTargetDocuments": [_target(rules[document["RuleName"]]) for document in known],
            "LastRuleModification": self._rules_changed,
            "UnprocessedStatistics": [
                {"RuleName": document["RuleName"], "ErrorCode": "404", "Message": "Unknown rule"}
                for document in documents
                if document not in known
            ],
        }

    def _count(self, documents: list[dict[str, Any]]) -> None:
        with self._counting:
            if self._keep:
                self.statistics.documents += documents
            for document in documents:
                self.statistics.requests += document["RequestCount"]
                self.statistics.sampled += document["SampledCount"]
                self.statistics.borrowed += document.get("BorrowCount", 0)

    def _open(self) -> None:
        retrying(self._open_both)

    def _open_both(self) -> None:
        """Take one port for both protocols; it may be free for one of them only."""
        chosen = self.port
        super()._open()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        try:
            self._udp.bind((HOST, self.port))
        except OSError:
            self._udp.close()
            self._udp = None
            super()._close()
            self.port = chosen
            raise
        self._receiving = threading.Thread(target=self._receive, args=(self._udp,))
        self._receiving.start()

    def _close(self) -> None:
        assert self._udp
        assert self._receiving
        self._settle(end=True)
        self._receiving.join()
        self._udp.close()
        self._udp = None
        super()._close()

    def _change(self, fault: Fault) -> None:
        self._settle()
        super()._change(fault)

    def _settle(self, *, end: bool = False) -> None:
        """Handle what has come until now as the fault that was in force demands.

        Datagrams come in order: when the marker is there, all that was sent before it is.
        """
        self._awaited = self._marker + secrets.token_bytes(8) + bytes([end])
        self._settled.clear()
        while self._udp:
            self._udp.sendto(self._awaited, self._udp.getsockname())
            if self._settled.wait(0.05):  # a full buffer drops even this one
                break

    def _receive(self, udp: socket.socket) -> None:
        while True:
            datagram = udp.recv(1 << 16)
            if datagram == self._awaited:
                self._settled.set()
                if datagram[-1]:
                    return
            elif datagram.startswith(self._marker):
                continue  # sent twice, as the answer to the first was late
            elif self.fault != BLACK_HOLE:
                self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        try:
            self.inbox.add([read_datagram(datagram)], len(datagram))
        except InvalidSegmentError as error:
            self.inbox.refuse(f"segment: {error}")


def _check_statistics(document: Any) -> None:
    if not isinstance(document, dict):
        raise _invalid("a statistics document is no object")
    name, client = document.get("RuleName"), document.get("ClientID")
    if not isinstance(name, str) or not 1 <= len(name) <= 32:
        raise _invalid("RuleName")
    if not isinstance(client, str) or len(client) != 24:
        raise _invalid("ClientID")
    if not isinstance(document.get("Timestamp"), int | float):
        raise _invalid("Timestamp")
    for count, required in _COUNTS.items():
        value = document.get(count, None if required else 0)
        if type(value) is not int or value < 0:
            raise _invalid(count)


def _target(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "RuleName": rule["RuleName"],
        "FixedRate": rule["FixedRate"],
        "ReservoirQuota": rule["ReservoirSize"],
        "ReservoirQuotaTTL": time.time() + INTERVAL,
        "Interval": INTERVAL,
    }


def _failed(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"Message": message}).encode()
    return Response(status, body, headers={"x-amzn-ErrorType": kind})


def _refused(status: int, kind: str, message: str) -> RefusedError:
    return RefusedError(_failed(status, kind, message), f"{kind}: {message}")


def _invalid(message: str) -> RefusedError:
    return _refused(400, "InvalidRequestException", message)
