"""Checks AWS's Signature Version 4 of a request, as the receiving side does.

The algorithm: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from receivers.wire import Request

MAX_SKEW = timedelta(minutes=5)
_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[^/]+)/(?P<scope>\d{{8}}/[^/]+/[^/]+/aws4_request), ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """The service would not believe this request; `kind` is the name of its error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Credentials:
    """Who may sign, and for what."""

    access_key: str
    secret_key: str
    region: str
    service: str

    def check(self, request: Request) -> None:
        """Raises `SignatureError` unless this request was signed with these credentials, just now."""
        header = request.headers.get("authorization")
        if header is None:
            raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
        match = _AUTHORIZATION.fullmatch(header)
        time = _time(request.headers.get("x-amz-date", ""))
        if match is None or time is None:
            raise SignatureError("IncompleteSignatureException", "Authorization or X-Amz-Date is malformed")
        if match["key"] != self.access_key:
            message = "The security token included in the request is invalid."
            raise SignatureError("UnrecognizedClientException", message)
        if match["scope"] != self._scope(time):
            raise SignatureError(
                "InvalidSignatureException", f"Credential should be scoped to {self._scope(time)}"
            )
        if abs(datetime.now(UTC) - time) > MAX_SKEW:
            raise SignatureError("InvalidSignatureException", "Signature expired or not yet current")
        signed = match["signed"].split(";")
        if unsigned := _must_be_signed(request) - set(signed):
            raise SignatureError("InvalidSignatureException", f"not signed: {', '.join(sorted(unsigned))}")
        if not hmac.compare_digest(match["signature"], self._signature(request, signed, time)):
            message = "The request signature we calculated does not match the signature you provided."
            raise SignatureError("InvalidSignatureException", message)

    def _scope(self, time: datetime) -> str:
        return f"{time:%Y%m%d}/{self.region}/{self.service}/aws4_request"

    def _signature(self, request: Request, signed: list[str], time: datetime) -> str:
        headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed]
        body = hashlib.sha256(request.body).hexdigest()
        # The empty line after the path is the query string, which this kind of service has none of.
        canonical = "\n".join([request.method, request.path, "", *headers, "", ";".join(signed), body])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in self._scope(time).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = "\n".join([_ALGORITHM, f"{time:%Y%m%dT%H%M%SZ}", self._scope(time), digest])
        return hmac.digest(key, text.encode(), "sha256").hex()


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _must_be_signed(request: Request) -> set[str]:
    return {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
