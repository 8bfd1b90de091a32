"""AWS services that recompute the signature, where moto believes any key; and STS."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs

from tests.stand_ins.server import Request, Response, StandIn

SKEW = timedelta(minutes=15)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
PARTS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
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


class Knowing(Protocol):
    """Whoever knows keys by their ids."""

    keys: dict[str, Known]


@dataclass
class Role:
    """A role that one principal may assume, and what its policy allows."""

    principal: str
    allowed: frozenset[str]
    longest: int = 43_200
    #: how often it is still refused, as one is that was just made
    settling: int = 0


class Sts(Signed):
    """Says whose keys they are, which every key may ask, and makes sessions, which it may if it is allowed.

    A session may what both its policy and whose key made it allow, by actions alone.
    """

    service = "sts"
    federate = "sts:GetFederationToken"

    def __init__(self, *, ahead: timedelta = timedelta(0)) -> None:
        super().__init__(ahead=ahead)
        #: by their ARNs
        self.roles: dict[str, Role] = {}
        #: the end of a name -> when the next sessions of such a name end, instead of when they are asked to
        self.ends: dict[str, list[datetime]] = {}
        #: what was answered to whom asks for a session, with the parameters
        self.sessions: list[tuple[dict[str, str], dict[str, str]]] = []
        #: services that know the keys of sessions, too
        self.others: tuple[Knowing, ...] = ()

    def serve(self, request: Request, known: Known) -> Response:
        given = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        match given.get("Action"):
            case "GetCallerIdentity":
                account = known.arn.split(":")[4]
                return self._result(
                    "GetCallerIdentity",
                    f"<Arn>{known.arn}</Arn><UserId>AIDA</UserId><Account>{account}</Account>",
                )
            case "GetFederationToken":
                return self._federate(given, known)
            case "AssumeRole":
                return self._assume(given, known)
        return self.error(400, "InvalidAction", "Could not find operation")

    def _federate(self, given: dict[str, str], known: Known) -> Response:
        account = known.arn.split(":")[4]
        arn = f"arn:aws:sts::{account}:federated-user/{given['Name']}"
        if known.token is not None:
            return self.error(403, "AccessDenied", "Cannot call GetFederationToken with session credentials")
        if self.federate not in known.allowed and not known.arn.endswith(":root"):
            words = f"User: {known.arn} is not authorized to perform: {self.federate} on resource: {arn}"
            return self.error(403, "AccessDenied", words)
        wrong = _invalid(given, "Name", 32, 129_600)
        if wrong:
            return self.error(400, *wrong)
        user = f"<FederatedUser><FederatedUserId>1:x</FederatedUserId><Arn>{arn}</Arn></FederatedUser>"
        return self._session("GetFederationToken", given, known.allowed, arn, user)

    def _assume(self, given: dict[str, str], known: Known) -> Response:
        role = self.roles.get(given["RoleArn"])
        if role is not None and role.settling:
            role.settling -= 1
            role = None
        if role is None or role.principal != _principal(known.arn):
            words = f"User: {known.arn} is not authorized to perform: sts:AssumeRole on resource: "
            return self.error(403, "AccessDenied", words + given["RoleArn"])
        wrong = _invalid(given, "RoleSessionName", 64, 43_200)
        if wrong:
            return self.error(400, *wrong)
        seconds, requested = (
            int(given.get("DurationSeconds", 3_600)),
            "The requested DurationSeconds exceeds the",
        )
        if ":assumed-role/" in known.arn and seconds > 3_600:
            words = f"{requested} 1 hour session limit for roles assumed by role chaining"
            return self.error(400, "ValidationError", words)
        if seconds > role.longest:
            return self.error(400, "ValidationError", f"{requested} MaxSessionDuration set for this role.")
        account, name = given["RoleArn"].split(":")[4], given["RoleArn"].rpartition("/")[2]
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/{given['RoleSessionName']}"
        user = f"<AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
        return self._session("AssumeRole", given, role.allowed, arn, user)

    def _session(
        self, action: str, given: dict[str, str], allowed: frozenset[str], arn: str, user: str
    ) -> Response:
        asked = self.now() + timedelta(seconds=int(given.get("DurationSeconds", 43_200)))
        name = given.get("Name") or given["RoleSessionName"]
        ends = self.ends.get(name.rpartition("-")[2])
        until = ends.pop(0) if ends else asked
        values = dict(zip(PARTS, (key_id("ASIA"), secret_key(), session_token()), strict=True))
        identifier, secret, token = values.values()
        known = Known(secret, arn, token, allowed=allowed & _actions(given.get("Policy")))
        for server in (self, *self.others):
            server.keys[identifier] = known
        self.sessions.append((given, values))
        return self._result(
            action,
            f"<Credentials><AccessKeyId>{identifier}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{until:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
            f"</Credentials>{user}<PackedPolicySize>9</PackedPolicySize>",
        )

    def _result(self, action: str, inner: str) -> Response:
        body = (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>{inner}'
            f"</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
            f"</{action}Response>"
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


def _principal(arn: str) -> str:
    """A role's session is the role's; its path is not in the session's name."""
    if ":assumed-role/" not in arn:
        return arn
    account, name = arn.split(":")[4], arn.split("/")[1]
    return f"arn:aws:iam::{account}:role/{name}"


def _invalid(given: dict[str, str], name: str, longest: int, most: int) -> tuple[str, str] | None:
    """The refusal of parameters that STS does not take."""
    if not re.fullmatch(rf"[\w+=,.@-]{{2,{longest}}}", given[name], re.ASCII):
        return (
            "ValidationError",
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint",
        )
    if not 900 <= int(given.get("DurationSeconds", 3_600)) <= most:
        return "ValidationError", "1 validation error detected: Value at 'durationSeconds' failed"
    if len(given.get("Policy", "")) > 2_048:
        return (
            "ValidationError",
            "1 validation error detected: Value at 'policy' failed to satisfy constraint",
        )
    try:
        _actions(given.get("Policy"))
    except (ValueError, LookupError, TypeError):
        return "MalformedPolicyDocument", "Syntax errors in policy."
    return None


def _actions(policy: str | None) -> frozenset[str]:
    """What a session's policy lets through. A session of a user without one may do nothing."""
    if policy is None:
        return frozenset()
    document = json.loads(policy)
    if document["Version"] != "2012-10-17" or not document["Statement"]:
        raise ValueError(policy)
    allowed = [each for each in document["Statement"] if each["Effect"] == "Allow" and each["Resource"]]
    return frozenset(action for statement in allowed for action in statement["Action"])


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
