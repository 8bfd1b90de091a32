"""Whose a key is, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.stand_ins.aws.errors import Refusal, refusal
from tests.stand_ins.aws.policies import Document, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: the only call that a federated session may make of IAM and STS, and that no policy can deny
_ALWAYS = "sts:GetCallerIdentity"


@dataclass(frozen=True)
class Principal:
    """Who signed. `kind` is root, user, role or federated."""

    kind: str
    arn: str
    user_id: str
    secret: str
    #: what is attached to the user or role behind it, read at each call
    attached: Callable[[], list[Document]] = field(repr=False)
    token: str | None = None
    expires: datetime | None = None
    #: what limits the session further; None without
    session: Document | None = None
    #: the ARN that a role's trust policy knows it by
    trusted_as: str = ""

    @property
    def temporary(self) -> bool:
        """Whether it is a session."""
        return self.token is not None

    @property
    def expired(self) -> bool:
        """Whether the session is over."""
        return self.expires is not None and self.expires <= datetime.now(UTC)

    def authorize(
        self, needed: Sequence[tuple[str, str]], region: str, about: Mapping[str, str] | None = None
    ) -> None:
        """Refuse unless every action on every resource is allowed; `about` is what conditions may ask for."""
        for action, resource in needed:
            self._authorize(action, resource, region, about or {})

    def allows(self, action: str, resource: str, region: str, about: Mapping[str, str] | None = None) -> str:
        """Why an action is refused; "" where it is not. Explicit denials come first."""
        context = {**self._context(region), **(about or {})}
        identity = decide(self.attached(), action, resource, context)
        if identity == "deny":
            return "with an explicit deny in an identity-based policy"
        if self.kind == "federated" or self.session is not None:
            limited = decide([self.session] if self.session else [], action, resource, context)
            if limited == "deny":
                return "with an explicit deny in a session policy"
            if limited == "neither":
                return f"because no session policy allows the {action} action"
        if identity == "neither":
            return f"because no identity-based policy allows the {action} action"
        return ""

    def _authorize(self, action: str, resource: str, region: str, about: Mapping[str, str]) -> None:
        if action == _ALWAYS or self.kind == "root":
            return
        service = action.partition(":")[0]
        reason = self.allows(action, resource, region, about)
        if self.kind == "federated" and service in ("iam", "sts"):
            reason = "because a federated session may not"
        if reason:
            raise denied(service, self.arn, action, resource, reason)

    def _context(self, region: str) -> dict[str, str]:
        return {
            "aws:PrincipalArn": self.trusted_as or self.arn,
            "aws:PrincipalAccount": self.arn.split(":")[4],
            "aws:RequestedRegion": region,
        }


def denied(service: str, arn: str, action: str, resource: str, reason: str) -> Refusal:
    """Say who may not do what, in AWS's words."""
    about = "" if resource == "*" else f" on resource: {resource}"
    words = f"User: {arn} is not authorized to perform: {action}{about} {reason}"
    return refusal("denied", service, words)


def key_variables(identifier: str, secret: str) -> dict[str, str]:
    """The variables of a key that lasts."""
    return {"AWS_ACCESS_KEY_ID": identifier, "AWS_SECRET_ACCESS_KEY": secret}


def variables(credentials: Mapping[str, Any]) -> dict[str, str]:
    """The variables of the Credentials that STS gives."""
    keys = key_variables(credentials["AccessKeyId"], credentials["SecretAccessKey"])
    return {**keys, "AWS_SESSION_TOKEN": credentials["SessionToken"]}
