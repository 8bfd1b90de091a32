"""X-Ray's groups and sampling rules: https://docs.aws.amazon.com/xray/latest/api/API_Operations.html."""

from collections.abc import Mapping
from typing import Any

from bootstrap.provisioning.aws import tags
from bootstrap.provisioning.aws.provider import Aws, unless
from bootstrap.provisioning.interface import Fields, Found, Owner, Resource
from bootstrap.system.at_once import answers

_VENDORS = frozenset({"xray"})
_ABSENT = frozenset({"ResourceNotFoundException"})


#: what X-Ray's own group and sampling rule are called
DEFAULT = "Default"


def groups(aws: Aws) -> list[dict[str, Any]]:
    """Every group of the account in this region, X-Ray's own, too."""
    found: list[dict[str, Any]] = aws.once(
        "groups", lambda: list(aws.caller.pages("xray", "get_groups", "Groups"))
    )
    return found


def rules(aws: Aws) -> list[dict[str, Any]]:
    """Every sampling rule of the account in this region, X-Ray's own, too."""

    def read() -> list[dict[str, Any]]:
        records = aws.caller.pages("xray", "get_sampling_rules", "SamplingRuleRecords")
        return [record["SamplingRule"] for record in records]

    found: list[dict[str, Any]] = aws.once("rules", read)
    return found


def rule_arn(aws: Aws, name: str) -> str:
    """Name a rule everywhere in AWS, without asking for it."""
    return aws.arn("xray", f"sampling-rule/{name}")


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """Read the tags of a group or rule; none where there is no such thing."""

    def read() -> dict[str, str]:
        pages = aws.caller.pages("xray", "list_tags_for_resource", "Tags", ResourceARN=arn)
        return tags.read(unless(_ABSENT, lambda: list(pages)) or ())

    found: dict[str, str] = aws.once(f"tags of {arn}", read)
    return found


class _Tagged(Resource):
    """What X-Ray knows by an ARN, and lets us tag."""

    provider = "aws"
    vendors = _VENDORS

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def adopt(self, found: Found, owner: Owner) -> None:
        """Tag it."""
        marks = tags.pairs(tags.of_adopter(owner))
        self._aws.caller.call("xray", "tag_resource", ResourceARN=found.handle, Tags=marks)


class Group(_Tagged):
    """A group: which traces its filter takes. Its ARN ends in an id that only X-Ray knows."""

    kind = "X-Ray group"

    def __init__(self, aws: Aws, arguments: Mapping[str, Any]) -> None:
        """Take the arguments of CreateGroup."""
        super().__init__(aws)
        self.name = arguments["GroupName"]
        self._wanted = {"FilterExpression": arguments["FilterExpression"]}

    def wanted(self) -> Fields:
        """Only the filter: what else a group has, such as insights, is somebody's own choice."""
        return self._wanted

    def find(self) -> Found | None:
        """Look through all groups, and then for the tags of ours."""
        group = next((one for one in groups(self._aws) if one["GroupName"] == self.name), None)
        if group is None:
            return None
        arn = group["GroupARN"]
        return self._aws.found({name: group.get(name) for name in self._wanted}, tags_of(self._aws, arn), arn)

    def create(self, owner: Owner) -> None:
        """Make it."""
        marks = tags.pairs(tags.of_owner(owner, self._aws.project))
        self._aws.caller.call("xray", "create_group", GroupName=self.name, **self._wanted, Tags=marks)

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Give it its filter."""
        changed = {name: self._wanted[name] for name in names}
        self._aws.caller.call("xray", "update_group", GroupARN=found.handle, **changed)

    def delete(self, found: Found) -> None:
        """Remove it."""
        self._aws.caller.call("xray", "delete_group", GroupARN=found.handle)


class SamplingRule(_Tagged):
    """A sampling rule: how many requests of which service are kept."""

    kind = "X-Ray sampling rule"

    def __init__(self, aws: Aws, rule: Mapping[str, Any]) -> None:
        """Take the SamplingRule of CreateSamplingRule."""
        super().__init__(aws)
        self.name = rule["RuleName"]
        self._rule = dict(rule)
        # The version is X-Ray's own. SDKs take no notice of a rule with attributes.
        self._wanted = {
            **{name: value for name, value in rule.items() if name not in ("RuleName", "Version")},
            "Attributes": {},
        }

    def wanted(self) -> Fields:
        """Everything that decides which requests it is about, and how many of them are kept."""
        return self._wanted

    def find(self) -> Found | None:
        """Look through all rules, and for the tags of ours in the same moment."""
        arn = rule_arn(self._aws, self.name)
        records, marks = answers(lambda: rules(self._aws), lambda: tags_of(self._aws, arn))
        rule = next((one for one in records if one.get("RuleName") == self.name), None)
        if rule is None:
            return None
        fields = {name: rule.get(name, {} if name == "Attributes" else None) for name in self._wanted}
        return self._aws.found(fields, marks, arn)

    def create(self, owner: Owner) -> None:
        """Make it."""
        marks = tags.pairs(tags.of_owner(owner, self._aws.project))
        self._aws.caller.call("xray", "create_sampling_rule", SamplingRule=self._rule, Tags=marks)

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Change what differs."""
        del found
        changed = {name: self._wanted[name] for name in sorted(names)}
        self._aws.caller.call(
            "xray", "update_sampling_rule", SamplingRuleUpdate={"RuleName": self.name, **changed}
        )

    def delete(self, found: Found) -> None:
        """Remove it."""
        del found
        self._aws.caller.call("xray", "delete_sampling_rule", RuleName=self.name)
