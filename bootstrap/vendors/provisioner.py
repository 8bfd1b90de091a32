"""The policies of people: what provisioning takes in AWS, and what handing out sessions takes."""

from collections.abc import Iterator
from typing import Any

from bootstrap.model.grant import PURPOSES
from bootstrap.model.project import Project
from bootstrap.provisioning.aws.tags import REPOSITORY
from bootstrap.vendors import cloudwatch, policies, xray
from bootstrap.vendors.aws import partition

#: characters of a policy's name that begin a session's, too, whose 32 end in a hash where they are too few
_KEPT = 18
_XRAY_READS = (
    "xray:GetGroups",
    "xray:GetSamplingRules",
    "xray:GetTraceSegmentDestination",
    "xray:ListTagsForResource",
)
_READS = ("Describe", "Get", "List")


def provisioner(project: Project) -> dict[str, Any]:
    """Make the policy of whoever calls `bootstrap provision` for this project: plan, apply, destroy.

    Whoever may write policies and attach them to roles can give themselves more than that: it is for somebody
    who is trusted with the account.
    """
    return _document(*_xray(project), *_logs(project), *_iam(project))


def planner(project: Project) -> dict[str, Any]:
    """Make the policy of whoever only calls `bootstrap provision plan`, such as a scheduled job."""
    reading = []
    for statement in provisioner(project)["Statement"]:
        actions = [action for action in statement["Action"] if action.split(":")[1].startswith(_READS)]
        if actions:
            reading.append({**statement, "Action": actions})
    return _document(*reading)


def sessions(project: Project) -> dict[str, Any]:
    """Make the policy of the key that `bootstrap up` makes its sessions with.

    With a principal, that one assumes the project's roles. Else a user hands out a part of what it may do
    itself (sts:GetFederationToken gives no more than the user has), so that it needs all of that.
    """
    if project.provision.principal is not None:
        names = (policies.name(project, purpose) for purpose in policies.purposes(project))
        roles = [_iam_arn(project, "role", name) for name in names]
        return _document(_allow(["sts:AssumeRole"], roles))
    own = [
        statement
        for purpose in policies.purposes(project)
        for statement in policies.policy(project, purpose)["Statement"]
    ]
    federated = [
        _arn(project, "sts", "", f"federated-user/{policies.name(project, purpose)[:_KEPT]}*")
        for purpose in policies.purposes(project)
    ]
    return _document(*own, _allow(["sts:GetFederationToken"], list(dict.fromkeys(federated))))


def _xray(project: Project) -> Iterator[dict[str, Any]]:
    """Read all groups and rules, whose tags say whose they are, and remove what has a mark, leftovers too."""
    every = [_arn(project, "xray", project.region, f"{kind}/*") for kind in ("group", "sampling-rule")]
    yield _allow(_XRAY_READS, "*")
    removing = _allow(("xray:DeleteGroup", "xray:DeleteSamplingRule"), every)
    yield {**removing, "Condition": {"StringLike": {f"aws:ResourceTag/{REPOSITORY}": "*"}}}
    services = project.reporting_to("xray")
    if not services:
        return
    group = _arn(project, "xray", project.region, f"group/{xray.group(project)['GroupName']}/*")
    names = [xray.sampling_rule(project, service)["RuleName"] for service in services]
    rules = [_arn(project, "xray", project.region, f"sampling-rule/{name}") for name in names]
    verbs = ("CreateGroup", "CreateSamplingRule", "TagResource", "UpdateGroup", "UpdateSamplingRule")
    yield _allow((f"xray:{verb}" for verb in verbs), [group, *rules])


def _logs(project: Project) -> Iterator[dict[str, Any]]:
    if not project.reporting_to("cloudwatch"):
        return
    group = _arn(project, "logs", project.region, f"log-group:{cloudwatch.log_group(project)}")
    yield _allow(("logs:DescribeLogGroups",), "*")
    yield _allow((f"logs:{verb}" for verb in _LOG_VERBS), [group, f"{group}:*"])


def _iam(project: Project) -> Iterator[dict[str, Any]]:
    """Manage the policies and roles of every purpose: one that there was before may be left over."""
    names = [policies.name(project, purpose) for purpose in PURPOSES]
    own = [_iam_arn(project, "policy", name) for name in names]
    roles = [_iam_arn(project, "role", name) for name in names]
    # Of a role that is not there IAM knows no path.
    absent = [_arn(project, "iam", "", f"role/{name}") for name in names]
    below = [_iam_arn(project, kind, "*") for kind in ("policy", "role")]
    yield _allow(("iam:ListPolicies", "iam:ListRoles"), "*")
    yield _allow(("iam:ListPolicyTags", "iam:ListRoleTags"), below)
    yield _allow((f"iam:{verb}" for verb in _POLICY_VERBS), own)
    yield _allow((f"iam:{verb}" for verb in _ROLE_READS), [*roles, *absent])
    yield _allow((f"iam:{verb}" for verb in _ROLE_VERBS), roles)
    attaching = _allow(("iam:AttachRolePolicy",), roles)
    yield {**attaching, "Condition": {"ArnLike": {"iam:PolicyARN": own}}}


_LOG_VERBS = (
    "CreateLogGroup",
    "DeleteLogGroup",
    "DescribeLogStreams",
    "ListTagsForResource",
    "PutRetentionPolicy",
    "TagResource",
)
_POLICY_VERBS = (
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "GetPolicy",
    "GetPolicyVersion",
    "ListEntitiesForPolicy",
    "ListPolicyVersions",
    "TagPolicy",
)
_ROLE_READS = ("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")
#: what else a role may do is drift, too: it is taken away
_ROLE_VERBS = (
    "CreateRole",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "TagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
)


def _iam_arn(project: Project, kind: str, name: str) -> str:
    return _arn(project, "iam", "", f"{kind}{policies.PATH}{name}")


def _arn(project: Project, service: str, region: str, resource: str) -> str:
    """An ARN in the only account that the manifest allows, or in whichever one the policy is attached in."""
    account = project.provision.account or "*"
    return f"arn:{partition(project.region)}:{service}:{region}:{account}:{resource}"


def _allow(actions: Any, resources: list[str] | str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": policies.LANGUAGE, "Statement": list(statements)}
