"""Rollbar's API for items."""

import json
import secrets
from typing import Any

from receivers.faults import BROKEN, THROTTLED, UNAUTHORIZED, Fault
from receivers.wire import HttpReceiver, RefusedError, Request, Response

PATH = "/api/1/item/"  # without the slash at the end there is nothing
MAX_PAYLOAD = 512 << 10  # bytes
LEVELS = {"critical", "error", "warning", "info", "debug"}


class RollbarApi(HttpReceiver):
    """Takes items with the right access token, in the header and in the payload.

    `inbox` holds the `data` of each. As at the real API, some errors repeat the token they are about:
    whoever logs an answer logs the token.
    """

    def __init__(self, *, environment: str = "testing", keep: bool = True) -> None:
        super().__init__(keep=keep)
        self.token = secrets.token_hex(16)
        self.environment = environment

    @property
    def environ(self) -> dict[str, str]:
        return {
            "ROLLBAR_ACCESS_TOKEN": self.token,
            "ROLLBAR_ENVIRONMENT": self.environment,
            "ROLLBAR_ENDPOINT": f"{self.url}/api/1/",
        }

    def counts(self) -> dict[str, int]:
        return {"items": self.inbox.count}

    def answer(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", PATH):
            raise _refused(404, f"nothing at {request.method} {request.path}")
        if len(request.body) > MAX_PAYLOAD:
            raise _refused(413, "request entity too large")
        self._authorize(request.headers.get("x-rollbar-access-token"))
        try:
            payload = json.loads(request.body)
        except ValueError as error:
            raise _refused(400, "the payload is not JSON") from error
        if not isinstance(payload, dict) or "access_token" not in payload:
            raise _refused(422, "Invalid format. access_token is missing and it is required.")
        self._authorize(payload["access_token"])
        data = _data(payload.get("data"))
        self.inbox.add([data], len(request.body))
        return _answer(200, {"err": 0, "result": {"id": None, "uuid": data.get("uuid")}})

    def failure(self, fault: Fault) -> Response:
        quota = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Remaining-Seconds": "60"}
        return {
            THROTTLED: _error(429, f"Over rate limit. Access token: {self.token}", quota),
            BROKEN: _error(500, "internal error"),
            UNAUTHORIZED: _error(403, f"access token not found: {self.token}"),
        }[fault]

    def _authorize(self, token: Any) -> None:
        if not token:
            raise _refused(401, "access token required")
        if token != self.token:
            raise RefusedError(_error(403, f"access token not found: {token}"), "access token not found")


def _data(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _refused(422, "Invalid format. data is missing and it is required.")
    environment, level, uuid = data.get("environment"), data.get("level", "error"), data.get("uuid", "")
    if not isinstance(environment, str) or not 1 <= len(environment) <= 255:
        raise _refused(422, "Invalid format. data.environment is missing and it is required.")
    if level not in LEVELS:
        raise _refused(422, "Invalid format. data.level")
    if not isinstance(uuid, str) or len(uuid) > 36:
        raise _refused(422, "Invalid format. data.uuid")
    _check_body(data.get("body"))
    return data


def _check_body(body: Any) -> None:
    kinds = body.keys() & _BODIES.keys() if isinstance(body, dict) else set()
    if len(kinds) != 1:
        raise _refused(422, f"Invalid format. data.body needs exactly one of {', '.join(_BODIES)}")
    (kind,) = kinds
    if not _BODIES[kind](body[kind]):
        raise _refused(422, f"Invalid format. data.body.{kind}")


def _is_trace(trace: Any) -> bool:
    match trace:
        case {"frames": list(frames), "exception": {"class": str()}}:
            return all(isinstance(frame, dict) and isinstance(frame.get("filename"), str) for frame in frames)
    return False


def _is_trace_chain(chain: Any) -> bool:
    return isinstance(chain, list) and bool(chain) and all(map(_is_trace, chain))


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("body"), str)


def _is_crash_report(report: Any) -> bool:
    return isinstance(report, dict) and isinstance(report.get("raw"), str)


_BODIES = {
    "trace": _is_trace,
    "trace_chain": _is_trace_chain,
    "message": _is_message,
    "crash_report": _is_crash_report,
}


def _answer(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(status, json.dumps(content).encode(), headers=headers or {})


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _answer(status, {"err": 1, "message": message}, headers)


def _refused(status: int, message: str) -> RefusedError:
    return RefusedError(_error(status, message), message)
