"""X-Ray's groups, sampling rules and tags of one account in one region.

Limits: https://docs.aws.amazon.com/general/latest/gr/xray.html. ARNs: https://docs.aws.amazon.com/
service-authorization/latest/reference/list_awsx-ray.html; a group's ends in an id that nobody can guess.
"""

from __future__ import annotations

import hashlib
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from tests.stand_ins.aws.errors import Refusal, invalid, refusal
from tests.stand_ins.aws.filters import checked_filter
from tests.stand_ins.aws.segments import Segments

Arguments = dict[str, Any]
GROUP_LIMIT = RULE_LIMIT = 25
TAG_LIMIT = 50
#: a-z, A-Z, 0-9, space, and these (the documentation of CreateGroup)
_TAG = re.compile(r"[A-Za-z0-9 _.:/=+\-@]*")
_DEFAULT = "Default"
_RULE_CHANGES = frozenset({"RuleName", "RuleARN"})


class Xray(Segments):
    """What is there, and what is done with it: each operation is a method of its name."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        #: "arn:aws:xray:REGION:ACCOUNT"
        self._prefix = prefix
        #: groups so far, so that ids are the same in each run and in no two groups
        self._made = 0
        self.groups: dict[str, dict[str, Any]] = {_DEFAULT: self._group(_DEFAULT, "")}
        self.rules: dict[str, dict[str, Any]] = {_DEFAULT: _record(self._default_rule())}
        #: ARN -> tags
        self.tags: dict[str, dict[str, str]] = {}
        #: how many things a page holds
        self.page = 100

    def resource(self, operation: str, arguments: Arguments) -> str:
        """What a policy has to name for an operation."""
        if "ResourceARN" in arguments:
            return str(arguments["ResourceARN"])
        if operation == "CreateGroup":
            return f"{self._prefix}:group/{arguments.get('GroupName')}/*"
        if operation in ("UpdateGroup", "DeleteGroup", "GetGroup"):
            found = self._found_group(arguments)
            return str(found["GroupARN"]) if found else f"{self._prefix}:group/{arguments.get('GroupName')}/*"
        if operation in ("CreateSamplingRule", "UpdateSamplingRule", "DeleteSamplingRule"):
            given = arguments.get("SamplingRule") or arguments.get("SamplingRuleUpdate") or arguments
            return given.get("RuleARN") or f"{self._prefix}:sampling-rule/{given.get('RuleName')}"
        return "*"

    def known(self, arn: str) -> bool:
        """Whether an ARN is that of a group or a rule."""
        rules = (record["SamplingRule"]["RuleARN"] for record in self.rules.values())
        return arn in rules or any(arn == group["GroupARN"] for group in self.groups.values())

    # Groups

    def CreateGroup(self, arguments: Arguments) -> Any:  # noqa: N802
        name = arguments["GroupName"]
        if name in self.groups:
            invalid("xray", f"Group {name} already exists.")
        if len(self.groups) > GROUP_LIMIT:
            invalid("xray", f"The limit of {GROUP_LIMIT} groups is reached.")
        group = self._group(name, checked_filter(arguments.get("FilterExpression", "")))
        group["InsightsConfiguration"] |= arguments.get("InsightsConfiguration", {})
        self.tags[group["GroupARN"]] = _tags(arguments)
        self.groups[name] = group
        return {"Group": group}

    def UpdateGroup(self, arguments: Arguments) -> Any:  # noqa: N802
        group = self._existing_group(arguments)
        if "FilterExpression" in arguments:
            group["FilterExpression"] = checked_filter(arguments["FilterExpression"])
        group["InsightsConfiguration"] |= arguments.get("InsightsConfiguration", {})
        return {"Group": group}

    def DeleteGroup(self, arguments: Arguments) -> Any:  # noqa: N802
        group = self._existing_group(arguments)
        if group["GroupName"] == _DEFAULT:
            invalid("xray", "The default group cannot be deleted.")
        del self.groups[group["GroupName"]]
        self.tags.pop(group["GroupARN"], None)
        return {}

    def GetGroup(self, arguments: Arguments) -> Any:  # noqa: N802
        return {"Group": self._existing_group(arguments)}

    def GetGroups(self, arguments: Arguments) -> Any:  # noqa: N802
        return self._paged("Groups", list(self.groups.values()), arguments)

    # Sampling rules

    def CreateSamplingRule(self, arguments: Arguments) -> Any:  # noqa: N802
        rule = deepcopy(arguments["SamplingRule"])
        if "RuleName" not in rule or "RuleARN" in rule:
            invalid("xray", "A new rule has a name, and no ARN.")
        if rule["Version"] != 1:
            invalid("xray", "Version of the sampling rule must be 1.")
        if rule["RuleName"] in self.rules:
            invalid("xray", f"Rule {rule['RuleName']} already exists.")
        if len(self.rules) > RULE_LIMIT:
            words = f"The limit of {RULE_LIMIT} sampling rules is reached."
            raise Refusal("RuleLimitExceededException", words, 400)
        rule["RuleARN"] = self._rule_arn(rule["RuleName"])
        rule.setdefault("Attributes", {})
        self.tags[rule["RuleARN"]] = _tags(arguments)
        self.rules[rule["RuleName"]] = _record(rule)
        return {"SamplingRuleRecord": self.rules[rule["RuleName"]]}

    def UpdateSamplingRule(self, arguments: Arguments) -> Any:  # noqa: N802
        update = arguments["SamplingRuleUpdate"]
        record = self._rule(update)
        rule = record["SamplingRule"]
        if not 1 <= update.get("Priority", 1) <= 9999:
            invalid("xray", "Priority must be between 1 and 9999.")
        if not 0 <= update.get("FixedRate", 0) <= 1 or update.get("ReservoirSize", 0) < 0:
            invalid("xray", "FixedRate must be between 0 and 1, and ReservoirSize at least 0.")
        changes = {name: value for name, value in update.items() if name not in _RULE_CHANGES}
        if rule["RuleName"] == _DEFAULT and not changes.keys() <= {"FixedRate", "ReservoirSize"}:
            invalid("xray", "Only the rate and the reservoir of the default rule can be changed.")
        rule |= changes
        record["ModifiedAt"] = datetime.now(UTC)
        return {"SamplingRuleRecord": record}

    def DeleteSamplingRule(self, arguments: Arguments) -> Any:  # noqa: N802
        record = self._rule(arguments)
        name = record["SamplingRule"]["RuleName"]
        if name == _DEFAULT:
            invalid("xray", "The default rule cannot be deleted.")
        del self.rules[name]
        self.tags.pop(record["SamplingRule"]["RuleARN"], None)
        return {"SamplingRuleRecord": record}

    def GetSamplingRules(self, arguments: Arguments) -> Any:  # noqa: N802
        return self._paged("SamplingRuleRecords", list(self.rules.values()), arguments)

    def GetSamplingTargets(self, arguments: Arguments) -> Any:  # noqa: N802
        targets, unknown = [], []
        for statistics in arguments["SamplingStatisticsDocuments"]:
            record = self.rules.get(statistics["RuleName"])
            if record is None:
                unknown.append({"RuleName": statistics["RuleName"], "ErrorCode": "400", "Message": "no rule"})
            else:
                rule = record["SamplingRule"]
                targets.append({"RuleName": rule["RuleName"], "FixedRate": rule["FixedRate"], "Interval": 10})
        changed = max(record["ModifiedAt"] for record in self.rules.values())
        return {
            "SamplingTargetDocuments": targets,
            "LastRuleModification": changed,
            "UnprocessedStatistics": unknown,
        }

    def GetSamplingStatisticSummaries(self, _: Arguments) -> Any:  # noqa: N802
        return {"SamplingStatisticSummaries": []}

    # Tags

    def TagResource(self, arguments: Arguments) -> Any:  # noqa: N802
        kept = self._tags_of(arguments)
        added = _tags(arguments)
        if len(kept.keys() | added.keys()) > TAG_LIMIT:
            raise Refusal("TooManyTagsException", f"At most {TAG_LIMIT} tags are allowed.", 400)
        kept |= added
        return {}

    def UntagResource(self, arguments: Arguments) -> Any:  # noqa: N802
        kept = self._tags_of(arguments)
        for key in arguments["TagKeys"]:
            kept.pop(key, None)
        return {}

    def ListTagsForResource(self, arguments: Arguments) -> Any:  # noqa: N802
        tags = [{"Key": key, "Value": value} for key, value in self._tags_of(arguments).items()]
        return self._paged("Tags", tags, arguments)

    def _default_rule(self) -> dict[str, Any]:
        anything = dict.fromkeys(("ResourceARN", "ServiceName", "ServiceType", "Host", "HTTPMethod"), "*")
        numbers = {"Priority": 10000, "FixedRate": 0.05, "ReservoirSize": 1, "Version": 1}
        names = {"RuleName": _DEFAULT, "RuleARN": self._rule_arn(_DEFAULT), "URLPath": "*", "Attributes": {}}
        return {**names, **anything, **numbers}

    def _group(self, name: str, expression: str) -> dict[str, Any]:
        self._made += 1
        identifier = hashlib.sha256(f"{name} {self._made}".encode()).hexdigest()[:28].upper()
        return {
            "GroupName": name,
            "GroupARN": f"{self._prefix}:group/{name}/{identifier}",
            **({"FilterExpression": expression} if expression else {}),
            "InsightsConfiguration": {"InsightsEnabled": False, "NotificationsEnabled": False},
        }

    def _rule_arn(self, name: str) -> str:
        return f"{self._prefix}:sampling-rule/{name}"

    def _rule(self, named: Arguments) -> dict[str, Any]:
        names = [record["SamplingRule"] for record in self.rules.values()]
        if ("RuleName" in named) == ("RuleARN" in named):
            invalid("xray", "One of the rule's name and its ARN is needed.")
        for rule in names:
            if named.get("RuleName") == rule["RuleName"] or named.get("RuleARN") == rule["RuleARN"]:
                return self.rules[rule["RuleName"]]
        return invalid("xray", "Sampling rule does not exist.")

    def _found_group(self, named: Arguments) -> dict[str, Any] | None:
        name, arn = named.get("GroupName"), named.get("GroupARN")
        for group in self.groups.values():
            if name == group["GroupName"] or arn == group["GroupARN"]:
                return group
        return None

    def _existing_group(self, named: Arguments) -> dict[str, Any]:
        if ("GroupName" in named) == ("GroupARN" in named):
            invalid("xray", "One of the group's name and its ARN is needed.")
        found = self._found_group(named)
        return invalid("xray", "Group does not exist.") if found is None else found

    def _tags_of(self, arguments: Arguments) -> dict[str, str]:
        arn = arguments["ResourceARN"]
        if not self.known(arn):
            raise refusal("missing", "xray", f"The resource {arn} does not exist.")
        return self.tags.setdefault(arn, {})

    def _paged(self, name: str, items: list[Any], arguments: Arguments) -> dict[str, Any]:
        token = arguments.get("NextToken", "0")
        if not token.isdecimal() or int(token) > len(items):
            invalid("xray", "NextToken is invalid.")
        end = int(token) + self.page
        page = deepcopy(items[int(token) : end])
        return {name: page, **({"NextToken": str(end)} if end < len(items) else {})}


def _tags(arguments: Arguments) -> dict[str, str]:
    tags = arguments.get("Tags", [])
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        invalid("xray", "A tag's key can be there once.")
    if len(tags) > TAG_LIMIT:
        invalid("xray", f"At most {TAG_LIMIT} tags are allowed.")
    for key, value in found.items():
        if not _TAG.fullmatch(key) or not _TAG.fullmatch(value) or key.lower().startswith("aws:"):
            invalid("xray", f"The tag {key!r} has a key or a value that is not allowed.")
    return found


def _record(rule: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"SamplingRule": rule, "CreatedAt": now, "ModifiedAt": now}
