"""IAM's policies and roles: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html.

IAM is one for all regions, and tells its readers of a change some seconds later than its writers
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency).
"""

from collections.abc import Mapping
from typing import Any

from bootstrap.model.errors import RemoteRefusedError
from bootstrap.provisioning.aws import tags
from bootstrap.provisioning.aws.documents import canonical, compact
from bootstrap.provisioning.aws.entity import ABSENT, Entity, naming_the_principal
from bootstrap.provisioning.aws.provider import Aws, unless
from bootstrap.provisioning.interface import Fields, Found, Hold, Owner
from bootstrap.system.at_once import answers
from bootstrap.system.aws import AwsRefusedError

_EXISTS = frozenset({"EntityAlreadyExists", "EntityAlreadyExistsException"})
_OTHERWISE = "Remove that one, or call the project otherwise: project.name in bootstrap.toml."
#: versions of a policy that exist at most
_VERSIONS = 5
#: the longest session of a role, in seconds, so that one that was taken in the morning lasts the day
_TWELVE_HOURS = 43_200


class Policy(Entity):
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
        return self.aws.arn("iam", f"policy{self.path}{self.name}", region="")

    def wanted(self) -> Fields:
        """What it allows."""
        return {"document": canonical(self._document)}

    def find(self) -> Found | None:
        """Ask for it, and then for the version that it says is in force."""
        answer = self.read("get_policy", PolicyArn=self.arn)
        if answer is None:
            return None
        policy = answer["Policy"]
        version = self.read("get_policy_version", PolicyArn=self.arn, VersionId=policy["DefaultVersionId"])
        document = None if version is None else version["PolicyVersion"]["Document"]
        return self.aws.found({"document": canonical(document)}, tags.read(policy.get("Tags", ())))

    def holds(self, found: Found) -> Hold | None:
        """Keep it while somebody other than our own role has it attached."""
        del found
        pages = self.aws.caller.whole_pages("iam", "list_entities_for_policy", PolicyArn=self.arn)
        others = [
            f"{kind} {entity[member]}"
            for page in unless(ABSENT, lambda: list(pages)) or ()
            for kind, plural, member in (
                ("user", "PolicyUsers", "UserName"),
                ("group", "PolicyGroups", "GroupName"),
                ("role", "PolicyRoles", "RoleName"),
            )
            for entity in page.get(plural, ())
            if (kind, entity[member]) != ("role", self.name)
        ]
        if not others:
            return None
        return Hold(
            f"is attached to {', '.join(others)}", "Detach it there, then: bootstrap provision destroy"
        )

    def create(self, owner: Owner) -> None:
        """Make it."""
        try:
            self.call(
                "create_policy",
                PolicyName=self.name,
                Path=self.path,
                PolicyDocument=compact(self._document),
                Tags=tags.pairs(tags.of_owner(owner, self.aws.project)),
            )
        except AwsRefusedError as error:
            # Names are compared without case, and whatever the path: it need not be the one that we look at.
            if error.code in _EXISTS:
                raise AwsRefusedError(error.message, _OTHERWISE, code=error.code) from None
            raise

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Make a new version the one in force; the oldest one that is not goes where there are too many."""
        del found, names
        versions = self.listed("list_policy_versions", "Versions", PolicyArn=self.arn)
        spare = sorted(
            (version for version in versions if not version["IsDefaultVersion"]),
            key=lambda version: version["CreateDate"],
        )
        if len(versions) >= _VERSIONS:
            self._delete_version(spare[0])
        self.call(
            "create_policy_version",
            PolicyArn=self.arn,
            PolicyDocument=compact(self._document),
            SetAsDefault=True,
        )

    def adopt(self, found: Found, owner: Owner) -> None:
        """Tag it."""
        del found
        self.call("tag_policy", PolicyArn=self.arn, Tags=tags.pairs(tags.of_adopter(owner)))

    def delete(self, found: Found) -> None:
        """Remove it with all its versions; IAM wants them gone one by one."""
        del found
        for version in self.listed("list_policy_versions", "Versions", PolicyArn=self.arn):
            if not version["IsDefaultVersion"]:
                self._delete_version(version)
        self.aws.caller.call("iam", "delete_policy", PolicyArn=self.arn)

    def _delete_version(self, version: Mapping[str, Any]) -> None:
        arguments = {"PolicyArn": self.arn, "VersionId": version["VersionId"]}
        unless(ABSENT, lambda: self.aws.caller.call("iam", "delete_policy_version", **arguments))


class Role(Entity):
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

    def admits(self, names: frozenset[str]) -> str:
        """Name the account of a principal that is not of this one."""
        if "trust" not in names:
            return ""
        account: str = self._trust["Statement"][0]["Principal"]["AWS"].split(":")[4]
        return "" if account == self.aws.identity.account else account

    def find(self) -> Found | None:
        """Ask for it, and for its policies of both kinds in the same moment."""
        answer, attached, inline = answers(
            lambda: self.read("get_role", RoleName=self.name),
            self._attached,
            lambda: self.listed("list_role_policies", "PolicyNames", RoleName=self.name),
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
        return self.aws.found(fields, tags.read(role.get("Tags", ())), role.get("Path"))

    def create(self, owner: Owner) -> None:
        """Make it, and attach its policy."""
        with naming_the_principal():
            self.call(
                "create_role",
                RoleName=self.name,
                Path=self.path,
                AssumeRolePolicyDocument=compact(self._trust),
                MaxSessionDuration=_TWELVE_HOURS,
                Tags=tags.pairs(tags.of_owner(owner, self.aws.project)),
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
            with naming_the_principal():
                document = compact(self._trust)
                self.call("update_assume_role_policy", RoleName=self.name, PolicyDocument=document)
        if "max_session_duration" in names:
            self.call("update_role", RoleName=self.name, MaxSessionDuration=_TWELVE_HOURS)

    def adopt(self, found: Found, owner: Owner) -> None:
        """Tag it. Raises RemoteRefusedError where it has another path: IAM moves no role, nor its ARN."""
        if found.handle != self.path:
            raise RemoteRefusedError(
                f"{self.key} is below {found.handle}, and can be adopted only below {self.path}", _OTHERWISE
            )
        self.call("tag_role", RoleName=self.name, Tags=tags.pairs(tags.of_adopter(owner)))

    def delete(self, found: Found) -> None:
        """Remove it; IAM wants its policies gone before."""
        for name in found.fields["inline_policies"]:
            self._drop("delete_role_policy", PolicyName=name)
        for arn in found.fields["attached_policies"]:
            self._drop("detach_role_policy", PolicyArn=arn)
        self.aws.caller.call("iam", "delete_role", RoleName=self.name)

    def _attached(self) -> list[str]:
        listed = self.listed("list_attached_role_policies", "AttachedPolicies", RoleName=self.name)
        return [policy["PolicyArn"] for policy in listed]

    def _attach(self, arn: str) -> None:
        self.call("attach_role_policy", RoleName=self.name, PolicyArn=arn)

    def _drop(self, operation: str, **arguments: Any) -> None:
        """Take away what may be gone already."""
        unless(ABSENT, lambda: self.aws.caller.call("iam", operation, RoleName=self.name, **arguments))
