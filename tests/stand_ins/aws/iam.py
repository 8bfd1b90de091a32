"""IAM: what AWS refuses and moto forgives, and what has to be allowed for each call."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.stand_ins.aws import policies
from tests.stand_ins.aws.errors import Refusal, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moto.iam.models import IAMBackend, Role

Arguments = dict[str, Any]
#: managed policies on one role, without asking for more
ATTACHED_LIMIT = 10
_ANYBODY = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):root|[0-9]{12}|\*")
_ENTITY = re.compile(r"arn:[a-z-]+:(?:iam|sts)::([0-9]{12}):(user|role|assumed-role|federated-user)/(.+)")
_TAGS = {"CreatePolicy": "iam:TagPolicy", "CreateRole": "iam:TagRole", "CreateUser": "iam:TagUser"}


def needed(backend: IAMBackend, account: str, operation: str, arguments: Arguments) -> list[tuple[str, str]]:
    """The actions and resources that a call needs.

    A role that is not there is named without its path, which nobody has told IAM: a policy on that path does
    not let anybody ask whether it is there.
    """
    resource = _resource(backend, f"arn:{backend.partition}:iam::{account}", operation, arguments)
    actions = [(f"iam:{operation}", resource)]
    if operation in _TAGS and arguments.get("Tags"):
        actions.append((_TAGS[operation], resource))
    return actions


def conditions(arguments: Arguments) -> dict[str, str]:
    """What a condition may ask about a call of IAM's: which policy it attaches or detaches."""
    return {"iam:PolicyARN": arguments["PolicyArn"]} if {"RoleName", "PolicyArn"} <= arguments.keys() else {}


def _resource(backend: IAMBackend, prefix: str, operation: str, arguments: Arguments) -> str:
    path = arguments.get("Path", "/")
    if "RoleName" in arguments:
        role = role_named(backend, arguments["RoleName"])
        return role.arn if role else f"{prefix}:role{path}{arguments['RoleName']}"
    if operation == "CreatePolicy":
        return f"{prefix}:policy{path}{arguments['PolicyName']}"
    if "PolicyArn" in arguments and "UserName" not in arguments:
        return str(arguments["PolicyArn"])
    if "UserName" in arguments:
        return f"{prefix}:user{path}{arguments['UserName']}"
    return "*"


def role_named(backend: IAMBackend, name: str) -> Role | None:
    """The role of that name."""
    return next((role for role in backend.roles.values() if role.name == name), None)


def check(backend: IAMBackend, operation: str, arguments: Arguments) -> None:
    """Refuse what moto would take."""
    _tags(arguments.get("Tags", []))
    checks = {
        "CreatePolicy": _create_policy,
        "CreatePolicyVersion": _document,
        "DeletePolicy": _delete_policy,
        "CreateRole": _create_role,
        "UpdateAssumeRolePolicy": _trust,
        "PutRolePolicy": _inline,
        "AttachRolePolicy": _attach,
        "ListAttachedRolePolicies": _role_exists,
        "ListRolePolicies": _role_exists,
        "UpdateRole": _role_exists,
        "DeleteRolePolicy": _delete_inline,
    }
    if operation in checks:
        checks[operation](backend, arguments)


def _create_policy(backend: IAMBackend, arguments: Arguments) -> None:
    _document(backend, arguments)
    # Names are compared without case, and whatever the path.
    name = arguments["PolicyName"].lower()
    if any(policy.name.lower() == name for policy in backend.managed_policies.values()):
        words = f"A policy called {arguments['PolicyName']} already exists. Duplicate names are not allowed."
        raise Refusal("EntityAlreadyExists", words)


def _document(_: IAMBackend, arguments: Arguments) -> None:
    text = arguments["PolicyDocument"]
    policies.parsed(text)
    if policies.size(text) > policies.MANAGED_LIMIT:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for PolicySize: {policies.MANAGED_LIMIT}")


def _delete_policy(backend: IAMBackend, arguments: Arguments) -> None:
    policy = backend.managed_policies.get(arguments["PolicyArn"])
    if policy is None:
        return
    if policy.attachment_count:
        raise Refusal("DeleteConflict", "Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        words = (
            "This policy has more than one version. Before you delete a policy, you must delete the others."
        )
        raise Refusal("DeleteConflict", words)


def _create_role(backend: IAMBackend, arguments: Arguments) -> None:
    _trust(backend, {"PolicyDocument": arguments["AssumeRolePolicyDocument"]})
    name = arguments["RoleName"].lower()
    if any(role.name.lower() == name for role in backend.roles.values()):
        words = f"Role with name {arguments['RoleName']} already exists."
        raise Refusal("EntityAlreadyExists", words)


def _trust(backend: IAMBackend, arguments: Arguments) -> None:
    text = arguments["PolicyDocument"]
    document = policies.parsed(text, trust=True)
    for principal in policies.principals(document):
        if not _there(backend, principal):
            raise Refusal("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"')
    if policies.size(text) > policies.TRUST_LIMIT:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {policies.TRUST_LIMIT}")


def _there(backend: IAMBackend, principal: str) -> bool:
    """IAM looks a principal up when a policy names it, in its own account."""
    if _ANYBODY.fullmatch(principal):
        return True
    entity = _ENTITY.fullmatch(principal)
    if entity is None:
        return False
    account, kind, _ = entity.groups()
    if account != backend.account_id or kind in ("assumed-role", "federated-user"):
        return True
    known: Iterable[Any] = backend.users.values() if kind == "user" else backend.roles.values()
    return any(each.arn == principal for each in known)


def _inline(backend: IAMBackend, arguments: Arguments) -> None:
    policies.parsed(arguments["PolicyDocument"])
    role = _role_exists(backend, arguments)
    others = (text for name, text in role.policies.items() if name != arguments["PolicyName"])
    if sum(map(policies.size, (arguments["PolicyDocument"], *others))) > policies.INLINE_LIMIT:
        words = f"Maximum policy size of {policies.INLINE_LIMIT} bytes exceeded for role {role.name}"
        raise Refusal("LimitExceeded", words)


def _attach(backend: IAMBackend, arguments: Arguments) -> None:
    role = _role_exists(backend, arguments)
    if arguments["PolicyArn"] not in role.managed_policies and len(role.managed_policies) >= ATTACHED_LIMIT:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {ATTACHED_LIMIT}")


def _role_exists(backend: IAMBackend, arguments: Arguments) -> Role:
    role = role_named(backend, arguments["RoleName"])
    if role is None:
        words = f"The role with name {arguments['RoleName']} cannot be found."
        raise refusal("missing", "iam", words)
    return role


def _delete_inline(backend: IAMBackend, arguments: Arguments) -> None:
    role = _role_exists(backend, arguments)
    if arguments["PolicyName"] not in role.policies:
        words = f"The role policy with name {arguments['PolicyName']} cannot be found."
        raise refusal("missing", "iam", words)


def _tags(tags: list[dict[str, str]]) -> None:
    keys = [tag["Key"].lower() for tag in tags]
    if len(set(keys)) < len(keys):
        raise Refusal(
            "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if any(key.startswith("aws:") for key in keys):
        raise Refusal("InvalidInput", "Tag keys beginning with aws: are reserved for system tags.")


def trusts(role: Role, principal: str, account_root: str) -> str:
    """How a role's trust policy names somebody: "itself", "account", or "" where it does not."""
    document = json.loads(role.assume_role_policy_document)
    for named, how in ((principal, "itself"), (account_root, "account")):
        decision = policies.decide([document], "sts:AssumeRole", "", {}, principal=named)
        if decision == "deny":
            return ""
        if decision == "allow":
            return how
    return ""
