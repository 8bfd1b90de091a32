"""IAM's policies and roles: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html.

IAM is one for all regions, and tells its readers of a change some seconds later than its writers
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bootstrap.provisioning.aws import tags
from bootstrap.provisioning.aws.documents import canonical, compact
from bootstrap.provisioning.aws.provider import Aws, unless
from bootstrap.provisioning.interface import Fields, Found, Hold, Owner, Resource
from bootstrap.system.at_once import answers
from bootstrap.system.aws import AwsRefusedError

_ABSENT = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_MALFORMED = frozenset({"MalformedPolicyDocument", "MalformedPolicyDocumentException"})
#: versions of a policy that exist at most
_VERSIONS = 5
#: the longest session of a role, in seconds, so that one that was taken in the morning lasts the day
_TWELVE_HOURS = 43_200


class _Entity(Resource):
    """What IAM knows by a name below a path."""

    provider = "aws"

    def __init__(self, aws: Aws, path: str, name: str, vendors: frozenset[str]) -> None:
        self._aws = aws
        self._path = path
        self.name = name
        self.vendors = vendors

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call IAM; what was made a moment ago may not be known everywhere yet."""
        return self._aws.caller.call("iam", operation, again=_ABSENT, **arguments)

    def _read(self, operation: str, **arguments: Any) -> Any:
        """Ask IAM; None where there is no such thing."""
        return unless(_ABSENT, lambda: self._aws.caller.call("iam", operation, **arguments))

    def _listed(self, operation: str, member: str, **arguments: Any) -> list[Any]:
        """Read all pages of a list; nothing where there is no such thing."""
        pages = self._aws.caller.pages("iam", operation, member, **arguments)
        return unless(_ABSENT, lambda: list(pages)) or []


class Policy(_Entity):
    """A managed policy: its document is that of its default version."""

    kind = "IAM policy"

    def __init__(
        self, aws: Aws, path: str, name: str, vendors: frozenset[str], document: Mapping[str, Any]
    ) -> None:
        super().__init__(aws, path, name, vendors)
        self._document = document

    @property
    def arn(self) -> str:
        """Its name everywhere in AWS."""
        return self._aws.arn("iam", f"policy{self._path}{self.name}", region="")

    def wanted(self) -> Fields:
        """What it allows."""
        return {"document": canonical(self._document)}

    def find(self) -> Found | None:
        """Ask for it, and then for the version that it says is in force."""
        answer = self._read("get_policy", PolicyArn=self.arn)
        if answer is None:
            return None
        policy = answer["Policy"]
        version = self._read("get_policy_version", PolicyArn=self.arn, VersionId=policy["DefaultVersionId"])
        document = None if version is None else version["PolicyVersion"]["Document"]
        return self._aws.found({"document": canonical(document)}, tags.read(policy.get("Tags", ())))

    def holds(self, found: Found) -> Hold | None:
        """Keep it while somebody other than our own role has it attached."""
        del found
        others = [
            f"{kind} {entity[member]}"
            for kind, plural, member in (
                ("user", "PolicyUsers", "UserName"),
                ("group", "PolicyGroups", "GroupName"),
                ("role", "PolicyRoles", "RoleName"),
            )
            for entity in self._listed("list_entities_for_policy", plural, PolicyArn=self.arn)
            if (kind, entity[member]) != ("role", self.name)
        ]
        if not others:
            return None
        return Hold(
            f"is attached to {', '.join(others)}", "Detach it there, then: bootstrap provision destroy"
        )

    def create(self, owner: Owner) -> None:
        """Make it."""
        self._call(
            "create_policy",
            PolicyName=self.name,
            Path=self._path,
            PolicyDocument=compact(self._document),
            Tags=tags.pairs(tags.of_owner(owner, self._aws.project)),
        )

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Make a new version the one in force; the oldest one that is not goes where there are too many."""
        del found, names
        versions = self._listed("list_policy_versions", "Versions", PolicyArn=self.arn)
        spare = sorted(
            (version for version in versions if not version["IsDefaultVersion"]),
            key=lambda version: version["CreateDate"],
        )
        if len(versions) >= _VERSIONS:
            self._delete_version(spare[0])
        self._call(
            "create_policy_version",
            PolicyArn=self.arn,
            PolicyDocument=compact(self._document),
            SetAsDefault=True,
        )

    def adopt(self, found: Found, owner: Owner) -> None:
        """Tag it."""
        del found
        self._call("tag_policy", PolicyArn=self.arn, Tags=tags.pairs(tags.of_adopter(owner)))

    def delete(self, found: Found) -> None:
        """Remove it with all its versions; IAM wants them gone one by one."""
        del found
        for version in self._listed("list_policy_versions", "Versions", PolicyArn=self.arn):
            if not version["IsDefaultVersion"]:
                self._delete_version(version)
        self._aws.caller.call("iam", "delete_policy", PolicyArn=self.arn)

    def _delete_version(self, version: Mapping[str, Any]) -> None:
        arguments = {"PolicyArn": self.arn, "VersionId": version["VersionId"]}
        unless(_ABSENT, lambda: self._aws.caller.call("iam", "delete_policy_version", **arguments))


class Role(_Entity):
    """A role that one principal may assume, with one policy attached and nothing else."""

    kind = "IAM role"

    def __init__(self, aws: Aws, path: str, policy: Policy, trust: Mapping[str, Any]) -> None:
        super().__init__(aws, path, policy.name, policy.vendors)
        self._policy = policy
        self._trust = trust
        self.after = (policy.key,)

    def wanted(self) -> Fields:
        """Who may assume it, for how long, and what it may do then."""
        return {
            "trust": canonical(self._trust),
            "max_session_duration": _TWELVE_HOURS,
            "attached_policies": [self._policy.arn],
            "inline_policies": [],
        }

    def find(self) -> Found | None:
        """Ask for it, and for its policies of both kinds in the same moment."""
        answer, attached, inline = answers(
            lambda: self._read("get_role", RoleName=self.name),
            self._attached,
            lambda: self._listed("list_role_policies", "PolicyNames", RoleName=self.name),
        )
        if answer is None:
            return None
        role = answer["Role"]
        fields = {
            "trust": canonical(role.get("AssumeRolePolicyDocument")),
            "max_session_duration": role.get("MaxSessionDuration"),
            "attached_policies": sorted(attached),
            "inline_policies": sorted(inline),
        }
        return self._aws.found(fields, tags.read(role.get("Tags", ())))

    def create(self, owner: Owner) -> None:
        """Make it, and attach its policy."""
        with _naming_the_principal():
            self._call(
                "create_role",
                RoleName=self.name,
                Path=self._path,
                AssumeRolePolicyDocument=compact(self._trust),
                MaxSessionDuration=_TWELVE_HOURS,
                Tags=tags.pairs(tags.of_owner(owner, self._aws.project)),
            )
        self._attach(self._policy.arn)

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Change what differs; what it should not be allowed goes first."""
        if "inline_policies" in names:
            for name in found.fields["inline_policies"]:
                self._drop("delete_role_policy", PolicyName=name)
        if "attached_policies" in names:
            there = found.fields["attached_policies"]
            for arn in there:
                if arn != self._policy.arn:
                    self._drop("detach_role_policy", PolicyArn=arn)
            if self._policy.arn not in there:
                self._attach(self._policy.arn)
        if "trust" in names:
            with _naming_the_principal():
                document = compact(self._trust)
                self._call("update_assume_role_policy", RoleName=self.name, PolicyDocument=document)
        if "max_session_duration" in names:
            self._call("update_role", RoleName=self.name, MaxSessionDuration=_TWELVE_HOURS)

    def adopt(self, found: Found, owner: Owner) -> None:
        """Tag it."""
        del found
        self._call("tag_role", RoleName=self.name, Tags=tags.pairs(tags.of_adopter(owner)))

    def delete(self, found: Found) -> None:
        """Remove it; IAM wants its policies gone before."""
        for name in found.fields["inline_policies"]:
            self._drop("delete_role_policy", PolicyName=name)
        for arn in found.fields["attached_policies"]:
            self._drop("detach_role_policy", PolicyArn=arn)
        self._aws.caller.call("iam", "delete_role", RoleName=self.name)

    def _attached(self) -> list[str]:
        listed = self._listed("list_attached_role_policies", "AttachedPolicies", RoleName=self.name)
        return [policy["PolicyArn"] for policy in listed]

    def _attach(self, arn: str) -> None:
        self._call("attach_role_policy", RoleName=self.name, PolicyArn=arn)

    def _drop(self, operation: str, **arguments: Any) -> None:
        """Take away what may be gone already."""
        unless(_ABSENT, lambda: self._aws.caller.call("iam", operation, RoleName=self.name, **arguments))


@contextmanager
def _naming_the_principal() -> Iterator[None]:
    """Say which key of the manifest IAM complains about: it calls an ARN that is nobody's malformed."""
    try:
        yield
    except AwsRefusedError as error:
        if error.code in _MALFORMED:
            hint = "Does provision.principal in bootstrap.toml name a user or role that exists?"
            raise AwsRefusedError(error.message, hint, code=error.code, status=error.status) from None
        raise
