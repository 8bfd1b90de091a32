"""What was made for this project, and the manifest has no longer: the rule of a service with a new name."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from bootstrap.provisioning.aws import iam, tags, xray
from bootstrap.provisioning.aws.provider import PATH, Aws
from bootstrap.provisioning.interface import Direction, Resource
from bootstrap.system.at_once import answers
from bootstrap.system.aws_caller import AwsDeniedError

_NOBODY: frozenset[str] = frozenset()


class Tidy(Aws):
    """An account in which leftovers are looked for."""

    def leftovers(
        self, known: Collection[str], vendors: Collection[str], direction: Direction
    ) -> Sequence[Resource]:
        """Look at X-Ray, whose lists are read anyway, and before everything goes at IAM, too.

        CloudWatch has no list of its log groups that is short enough to be looked through.
        """
        found = list(of_xray(self, known)) if not vendors or "xray" in vendors else []
        if not vendors and direction == "destroy":
            try:
                found += of_iam(self, PATH, known)
            except AwsDeniedError as error:
                self.say(
                    f"Policies and roles that the manifest has no longer are not looked for: {error.message}"
                )
        return found


def of_xray(aws: Aws, known: Collection[str]) -> Iterator[Resource]:
    """Look through the groups and rules that are there, and for the tags of those that are not `known` keys.

    Nothing more is asked where there is none but ours, and X-Ray's own.
    """
    groups, rules = answers(lambda: xray.groups(aws), lambda: xray.rules(aws))
    found: list[tuple[str, Resource]] = [
        (group["GroupARN"], xray.Group(aws, {"GroupName": group["GroupName"], "FilterExpression": None}))
        for group in groups
    ]
    found += [(xray.rule_arn(aws, rule["RuleName"]), xray.SamplingRule(aws, rule)) for rule in rules]
    return _ours(aws, known, ((resource, partial(xray.tags_of, aws, arn)) for arn, resource in found))


def of_iam(aws: Aws, path: str, known: Collection[str]) -> Iterator[Resource]:
    """Look through the policies and roles below our path."""
    listed = aws.caller.pages
    policies, roles = answers(
        lambda: list(listed("iam", "list_policies", "Policies", Scope="Local", PathPrefix=path)),
        lambda: list(listed("iam", "list_roles", "Roles", PathPrefix=path)),
    )

    def policy(name: str) -> iam.Policy:
        return iam.Policy(aws, path, name, _NOBODY, {})

    def marks(operation: str, **arguments: Any) -> dict[str, str]:
        return tags.read(listed("iam", operation, "Tags", **arguments))

    found: list[tuple[Resource, Callable[[], Mapping[str, str]]]] = []
    for one in policies:
        resource: Resource = policy(one["PolicyName"])
        found += [(resource, partial(marks, "list_policy_tags", PolicyArn=one["Arn"]))]
    for one in roles:
        resource = iam.Role(aws, path, policy(one["RoleName"]), {})
        found += [(resource, partial(marks, "list_role_tags", RoleName=one["RoleName"]))]
    return _ours(aws, known, found)


def _ours(
    aws: Aws, known: Collection[str], found: Iterable[tuple[Resource, Callable[[], Mapping[str, str]]]]
) -> Iterator[Resource]:
    """Those with the mark of this repository and this project: a repository may hold two of them."""
    unknown = [
        (resource, marks)
        for resource, marks in found
        if resource.key not in known and resource.name != xray.DEFAULT
    ]
    for (resource, _), marks in zip(unknown, answers(*(marks for _, marks in unknown)), strict=True):
        owner = tags.owner(marks)
        ours = owner is not None and owner.repository == aws.owner.repository
        if ours and marks.get(tags.PROJECT) == aws.project:
            resource.unwanted = True
            yield resource
