"""STS: whose keys they are, and sessions with less than they may do.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getfederationtoken.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.stand_ins.aws import policies
from tests.stand_ins.aws.errors import Refusal, invalid, refusal
from tests.stand_ins.aws.iam import trusts
from tests.stand_ins.aws.principals import Principal, denied

if TYPE_CHECKING:
    from moto.iam.models import IAMBackend, Role

Arguments = dict[str, Any]
#: seconds that a session may last which root's key has made, or a role's session
ROOT_LIMIT = CHAINED_LIMIT = 3600
FEDERATION_DEFAULT, ROLE_DEFAULT = 43200, 3600


def needed(prefix: str, operation: str, arguments: Arguments) -> list[tuple[str, str]]:
    """The actions and resources that a call needs; AssumeRole is for the role's trust policy to say."""
    if operation == "GetFederationToken":
        return [("sts:GetFederationToken", f"{prefix}:federated-user/{arguments['Name']}")]
    return [] if operation == "AssumeRole" else [(f"sts:{operation}", "*")]


def session_policy(arguments: Arguments) -> policies.Document | None:
    """The policy that limits a session."""
    if arguments.get("PolicyArns") or arguments.get("Tags"):
        raise NotImplementedError("sessions with managed policies or tags")
    text = arguments.get("Policy")
    if text is None:
        return None
    if len(text) > 2048:
        invalid(
            "sts", "Value at 'policy' failed to satisfy constraint: Member must have length of at most 2048"
        )
    return policies.parsed(text)


def may_federate(principal: Principal, arguments: Arguments) -> None:
    """Refuse who cannot have a federated session."""
    if principal.temporary:
        raise refusal("denied", "sts", "Cannot call GetFederationToken with session credentials")
    if principal.kind == "root" and arguments.get("DurationSeconds", ROOT_LIMIT) > ROOT_LIMIT:
        invalid("sts", "The requested DurationSeconds exceeds the limit of the account's own keys")


def may_assume(
    principal: Principal, backend: IAMBackend, role: Role | None, arguments: Arguments, region: str
) -> None:
    """Refuse who may not assume a role, or not for that long.

    Who is named by the trust policy needs no policy of their own; where it names the whole account they do.
    """
    arn = arguments["RoleArn"]
    if principal.kind == "root":
        raise refusal("denied", "sts", "Roles may not be assumed by root accounts.")
    root = f"arn:{backend.partition}:iam::{backend.account_id}:root"
    how = trusts(role, principal.trusted_as or principal.arn, root) if role else ""
    reason = "because no resource-based policy allows the sts:AssumeRole action"
    if how:
        reason = principal.allows("sts:AssumeRole", arn, region)
        if how == "itself" and "explicit deny" not in reason and principal.session is None:
            reason = ""
    if principal.kind == "federated":
        reason = "because a federated session may not"
    if reason or role is None:
        raise denied("sts", principal.arn, "sts:AssumeRole", arn, reason)
    seconds = arguments.get("DurationSeconds", ROLE_DEFAULT)
    if seconds > int(role.max_session_duration or ROLE_DEFAULT):
        invalid("sts", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if principal.temporary and seconds > CHAINED_LIMIT:
        words = "DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        invalid("sts", words)


def unsupported(operation: str) -> Refusal:
    """Refuse what this stand-in does not do, rather than do it wrongly."""
    return Refusal("InvalidAction", f"{operation} is not to be had here", 400)
