"""Somebody with a clone and a key, who provisions it in an account of AWS; and the account, written down."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.utilities.utils import get_partition

from bootstrap.config.manifest import SERVICE_NAME, parse
from bootstrap.flows import provision
from bootstrap.model.repository import Repository, of_remote
from bootstrap.model.secret import Secret
from bootstrap.provisioning.interface import Opening
from bootstrap.vendors import VENDORS
from tests.stand_ins.aws import motos

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.flows.provision import Work
    from bootstrap.model.project import Project
    from bootstrap.provisioning.interface import Change, Outcome
    from tests.stand_ins.aws import Account, Aws

REGION = "eu-west-1"


def project(
    *services: str, principal: str | None = None, name: str = "shop", region: str = REGION, **telemetry: Any
) -> Project:
    """Read a manifest whose services report to both vendors of AWS; `services` are their names in traces."""
    named = {
        each if SERVICE_NAME.fullmatch(each) else f"service-{number}": each
        for number, each in enumerate(services or ("web", "api"))
    }
    return parse(
        {
            "project": {"name": name, "region": region},
            "services": {
                key: {"build": ".", "telemetry": ["xray", "cloudwatch"], "otel_service_name": each}
                for key, each in named.items()
            },
            "telemetry": telemetry,
            "provision": {"principal": principal} if principal else {},
        },
        {vendor.name: vendor.options for vendor in VENDORS.values()},
    )


@functools.cache
def repository(name: str = "shop") -> Repository:
    from pathlib import Path  # noqa: PLC0415

    return of_remote(f"https://github.com/acme/{name}.git", Path("/nowhere"))


@dataclass
class Person:
    """Each of `plan`, `apply` and `destroy` opens everything anew, as a command does."""

    aws: Aws
    keys: Mapping[str, str]
    project: Project
    repository: Repository = field(default_factory=repository)
    attempts: int = 3
    timeout: float = 5.0
    pause: float = 0.001
    said: list[str] = field(default_factory=list)

    def opening(self) -> Opening:
        return Opening(
            project=self.project,
            repository=self.repository,
            lookup=lambda name: Secret(self.keys[name], "file") if name in self.keys else None,
            environ=self.aws.environ,
            say=self.said.append,
            attempts=self.attempts,
            timeout=self.timeout,
            pause=self.pause,
        )

    def plan(self, **asked: Any) -> Work:
        return provision.plan(self.opening(), **asked)

    def apply(self, **asked: Any) -> Outcome:
        return carried_out(self.plan(**asked))

    def destroy(self, **asked: Any) -> Outcome:
        return self.apply(direction="destroy", **asked)


def carried_out(work: Work) -> Outcome:
    """Do what was planned."""
    return provision.carry_out(work, lambda _: None)


def told(changes: tuple[Change, ...]) -> dict[str, str]:
    """What is done about each resource."""
    return {change.resource.key: change.action.value for change in changes}


def inventory(account: Account, region: str = REGION) -> dict[str, Any]:
    """Everything that is in an account, but for what nobody chooses: ids and times."""
    iam, logs, xray = motos.iam(account.id, region), motos.logs(account.id, region), account.xray(region)
    found: dict[str, Any] = {}
    for group in xray.groups.values():
        kept = {name: value for name, value in group.items() if name != "GroupARN"}
        found[f"group {group['GroupName']}"] = kept | {"tags": xray.tags.get(group["GroupARN"], {})}
    for record in xray.rules.values():
        rule = record["SamplingRule"]
        found[f"rule {rule['RuleName']}"] = rule | {"tags": xray.tags.get(rule["RuleARN"], {})}
    for log in logs.groups.values():
        found[f"log group {log.name}"] = {
            "retention": log.retention_in_days,
            "tags": logs.tagger.get_tag_dict_for_resource(log.arn),
            "streams": sorted(log.streams),
        }
    for policy in iam.managed_policies.values():
        found[f"policy {policy.arn}"] = {
            "documents": motos.documents_of_policy(policy),
            "tags": _tags(policy.tags),
        }
    for role in iam.roles.values():
        found[f"role {role.arn}"] = {
            "trust": role.assume_role_policy_document,
            "seconds": int(role.max_session_duration or 0),
            "attached": sorted(role.managed_policies),
            "inline": dict(role.policies),
            "tags": _tags(role.tags),
        }
    return found


def _tags(kept: Any) -> dict[str, str]:
    """moto keeps those of IAM as they were sent, in a list at first and in a table later."""
    listed = kept.values() if isinstance(kept, dict) else kept
    return {tag["Key"]: tag["Value"] for tag in listed}


def arn(account: Account, service: str, resource: str, region: str = REGION) -> str:
    where = "" if service == "iam" else region
    return f"arn:{get_partition(region)}:{service}:{where}:{account.id}:{resource}"
