"""A project with services at Honeycomb, and what `bootstrap provision` does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bootstrap.config.manifest import parse
from bootstrap.flows import provision
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.provisioning.interface import Action, Opening
from bootstrap.vendors import VENDORS
from bootstrap.vendors.keys.honeycomb import HERE, MANAGES, THERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.model.project import Project
    from bootstrap.provisioning.interface import Change, Direction, Outcome

REPOSITORY = "github.com/acme/cruddur"
OPTIONS = {name: vendor.options for name, vendor in VENDORS.items()}


def project_of(*services: str, name: str = "cruddur", **honeycomb: Any) -> Project:
    """A project whose services report to Honeycomb."""
    return parse(
        {
            "project": {"name": name},
            "services": {
                service: {"image": "busybox", "telemetry": ["honeycomb"]} for service in services or ["posts"]
            },
            "telemetry": {"honeycomb": honeycomb},
        },
        OPTIONS,
    )


class Someone(Struct, frozen=True, kw_only=True):
    """Somebody with a key, in a clone of a repository."""

    key: str
    url: str
    project: Project = project_of()
    repository: str = REPOSITORY
    other_region: str = ""
    attempts: int = 1
    timeout: float = 10.0
    #: what the person who waits is told
    told: list[str] = []

    def opening(self) -> Opening:
        """What a command is started with."""
        there = {THERE: self.other_region} if self.other_region else {}
        return Opening(
            project=self.project,
            repository=Repository(self.repository, self.repository.partition("/")[2] or None),
            lookup=lambda name: Secret(self.key, "file") if name == MANAGES and self.key else None,
            environ={HERE: self.url, **there},
            attempts=self.attempts,
            timeout=self.timeout,
            pause=0.0,
            say=self.told.append,
        )

    def plan(self, direction: Direction = "apply", adopt: Sequence[str] = ()) -> tuple[Change, ...]:
        """Everything that a plan says."""
        return provision.plan(self.opening(), direction=direction, adopt=adopt).plan.changes

    def pending(self) -> list[tuple[str, str, list[str]]]:
        """What is to be done: action, key, and the fields that differ."""
        return [
            (change.action.value, change.resource.key, [drift.name for drift in change.drift])
            for change in self.plan()
            if change.action is not Action.KEEP
        ]

    def carry_out(self, direction: Direction = "apply", adopt: Sequence[str] = ()) -> Outcome:
        """Plan, and do it."""
        work = provision.plan(self.opening(), direction=direction, adopt=adopt)
        return provision.carry_out(work, lambda _change: None)

    def apply(self, *adopt: str) -> list[str]:
        """Do it all; returns what was done."""
        outcome = self.carry_out(adopt=adopt)
        assert outcome.failed == ()
        assert outcome.skipped == ()
        return [f"{change.action.value} {change.resource.key}" for change in outcome.done]

    def destroy(self) -> list[str]:
        """Remove what is ours; returns what was done."""
        outcome = self.carry_out("destroy")
        assert outcome.failed == ()
        return [f"{change.action.value} {change.resource.key}" for change in outcome.done]
