"""IAM policies from what the vendors' grants say: one for each purpose, no wider than that."""

from typing import Any

from bootstrap.model.grant import PURPOSES, Grant, Purpose
from bootstrap.model.project import Project
from bootstrap.provisioning.aws import tags
from bootstrap.vendors import VENDORS

#: where in IAM everything of ours is
PATH = tags.PATH
#: the version of IAM's policy language, not of a policy
LANGUAGE = "2012-10-17"


def purposes(project: Project) -> tuple[Purpose, ...]:
    """The purposes for which anything has to be allowed, given what the services report to."""
    return tuple(purpose for purpose in PURPOSES if _grants(project, purpose))


def vendors_of(project: Project, purpose: Purpose) -> frozenset[str]:
    """The vendors on whose account a purpose needs its policy."""
    return frozenset(name for name, _ in _grants(project, purpose))


def policy(project: Project, purpose: Purpose) -> dict[str, Any]:
    """Make the policy of one of `purposes`: IAM's JSON, the same for the same manifest.

    Grants on the same resources are one statement. https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_grammar.html allows no policy without a statement: one of another purpose has none.
    """
    merged: dict[tuple[str, ...], list[str]] = {}
    for _, grant in _grants(project, purpose):
        actions = merged.setdefault(grant.resources, [])
        actions += [action for action in grant.actions if action not in actions]
    return {
        "Version": LANGUAGE,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": actions,
                "Resource": list(resources) if resources != ("*",) else "*",
            }
            for resources, actions in merged.items()
        ],
    }


def trust(principal: str) -> dict[str, Any]:
    """Let one principal assume a role, and nobody else."""
    return {
        "Version": LANGUAGE,
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}],
    }


def name(project: Project, purpose: Purpose) -> str:
    """What the policy and the role of a purpose are called.

    IAM compares names without case. A role's has 64 characters at most: a longer project name ends in a hash
    that keeps it apart from others.
    """
    slug = project.name.lower().replace(" ", "-")
    longest = _LONGEST_ROLE - len(purpose) - 1
    if len(slug) > longest:
        import hashlib  # noqa: PLC0415 - names this long are rare

        slug = f"{slug[: longest - 9]}-{hashlib.sha256(slug.encode()).hexdigest()[:8]}"
    return f"{slug}-{purpose}"


_LONGEST_ROLE = 64


def _grants(project: Project, purpose: Purpose) -> list[tuple[str, Grant]]:
    return [
        (vendor.name, grant)
        for vendor in VENDORS.values()
        if project.reporting_to(vendor.name)
        for grant in vendor.grants(project)
        if grant.purpose == purpose
    ]
