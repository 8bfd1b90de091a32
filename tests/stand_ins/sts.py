"""AWS services that recompute the signature, where moto believes any key; STS's GetCallerIdentity."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

from tests.stand_ins.server import Request, Response, StandIn

SKEW = timedelta(minutes=15)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
_BASE32 = string.ascii_uppercase + "234567"
_BASE64 = string.ascii_letters + string.digits + "/+"


def key_id(prefix: str = "AKIA") -> str:
    return prefix + "".join(secrets.choice(_BASE32) for _ in range(16))


def secret_key() -> str:
    return "".join(secrets.choice(_BASE64) for _ in range(40))


def session_token() -> str:
    return "".join(secrets.choice(_BASE64) for _ in range(356))


@dataclass(frozen=True)
class Known:
    secret: str
    arn: str
    token: str | None = None
    expired: bool = False
    #: what its policy allows beyond what every key may
    allowed: frozenset[str] = frozenset()


class Signed(StandIn):
    """Knows keys by their ids. `ahead`: by how much its clock differs from this machine's."""

    #: its name in a signature's scope
    service: str
    #: the codes of its refusals
    unknown, unsigned, expired = "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken"

    def __init__(self, *, ahead: timedelta = timedelta(0)) -> None:
        super().__init__()
        self.keys: dict[str, Known] = {}
        self._ahead = ahead

    def serve(self, request: Request, known: Known) -> Response:
        """Answer who has signed."""
        raise NotImplementedError

    def error(self, status: int, code: str, message: str) -> Response:
        """Refuse, as its protocol does."""
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        found = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if found is None:
            return self.error(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        identifier, date, region, service, signed, signature = found.groups()
        if service != self.service:
            return self.error(403, self.unsigned, f"Credential should be scoped to service {self.service!r}")
        token = request.headers.get("X-Amz-Security-Token")
        known = self.keys.get(identifier)
        if known is None or known.token != token:
            return self.error(403, self.unknown, "The security token included in the request is invalid.")
        return self._check(request, known, (date, region, signed, signature))

    def _check(self, request: Request, known: Known, given: tuple[str, str, str, str]) -> Response:
        date, region, signed, signature = given
        canonical = canonical_request(request, signed)
        scope = f"{date}/{region}/{self.service}/aws4_request"
        if not hmac.compare_digest(signature, signature_of(request, known.secret, scope, canonical)):
            # Older services of AWS quote what they have computed, and that holds the session token.
            words = (
                f"The request signature we calculated does not match. The Canonical String was '{canonical}'"
            )
            return self.error(403, self.unsigned, words.replace("\n", " "))
        if abs(self.now() - signed_at(request)) > SKEW:
            return self.error(403, self.unsigned, "Signature expired: it is now earlier than allowed")
        if known.expired:
            return self.error(403, self.expired, "The security token included in the request is expired")
        return self.serve(request, known)

    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + self._ahead


class Sts(Signed):
    """Says whose keys they are, which every key may ask."""

    service = "sts"

    def serve(self, request: Request, known: Known) -> Response:
        if parse_qs(request.body.decode()).get("Action") != ["GetCallerIdentity"]:
            return self.error(400, "InvalidAction", "Could not find operation")
        account = known.arn.split(":")[4]
        body = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<GetCallerIdentityResult><Arn>{known.arn}</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
            "</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        )
        return self._xml(200, body)

    def error(self, status: int, code: str, message: str) -> Response:
        body = (
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
            f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
        return self._xml(status, body)

    def _xml(self, status: int, body: str) -> Response:
        date = format_datetime(self.now(), usegmt=True)
        return Response(status, body.encode(), {"Content-Type": "text/xml", "Date": date})


def signed_at(request: Request) -> datetime:
    return datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def canonical_request(request: Request, signed: str) -> str:
    path, _, query = request.path.partition("?")
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed.split(";"))
    digest = hashlib.sha256(request.body).hexdigest()
    return f"{request.method}\n{path}\n{query}\n{headers}\n{signed}\n{digest}"


def signature_of(request: Request, secret: str, scope: str, canonical: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", request.headers["X-Amz-Date"], scope, digest))
    return hmac.digest(key, text.encode(), "sha256").hex()
