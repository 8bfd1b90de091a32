"""A fault at every remote call of apply and destroy: whatever goes wrong, the next one finishes the job."""

from __future__ import annotations

import itertools
import json
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.model.errors import BootstrapError
from tests.provisioning.drifts import drifts
from tests.provisioning.forked import applied
from tests.provisioning.people import REGION, Person, arn, inventory, project
from tests.stand_ins.aws.faults import Fault, Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from bootstrap.provisioning.interface import Direction
    from tests.stand_ins.aws import Account, Aws

#: what happens, and how often: None stands for as long as it is tried
WAYS: tuple[tuple[Kind, int | None], ...] = (
    ("error", None),
    ("throttle", 1),
    ("throttle", None),
    ("broken", 1),
    ("broken", None),
    ("slow", 1),
    ("slow", None),
    ("cut", 1),
    ("cut", None),
    ("drop", 1),
    ("drop", None),
    ("kill before", 1),
    ("kill after", 1),
)
#: what is over when it is tried again
PASSING = tuple((kind, times) for kind, times in WAYS if times is not None and not kind.startswith("kill"))
#: seconds that a call may take where one is slow; nothing else depends on how busy this machine is
TIMEOUT, SLOW, PATIENCE = 1.0, 1.6, 30.0


@dataclass(frozen=True)
class Scene:
    """Where an apply starts, or a destroy."""

    name: str
    before: Callable[[Person, Account], None]
    adopt: bool = False
    direction: Direction = "apply"


def nothing(_: Person, __: Account) -> None:
    """An account in which nothing of ours is."""


def drifted(person: Person, account: Account) -> None:
    """Everything is there, and every field has changed in its last way; policies have five versions."""
    assert not person.apply().failed
    for change in person.plan().plan.changes:
        every = {name: change for name, _, change in drifts(account, change.resource)}
        for drift in every.values():
            for _ in range(5 if change.resource.kind == "IAM policy" else 1):
                drift()


def strange(person: Person, account: Account) -> None:
    """Somebody has made it all from another repository, and otherwise."""
    stranger = Person(person.aws, account.user("stranger"), person.project)
    stranger.repository = stranger.repository.__class__("github.com/else/where", "else/where")
    drifted(stranger, account)


SCENES = (
    Scene("nothing", nothing),
    Scene("drifted", drifted),
    Scene("strange", strange, adopt=True),
    Scene("removed", drifted, direction="destroy"),
)


class Stage:
    """One scene, put back to its beginning for each play."""

    def __init__(self, aws: Aws, scene: Scene) -> None:
        self.scene = scene
        self._url = aws.url
        self._account = aws.account()
        keys = self._account.user("ann")
        principal = arn(self._account, "iam", "user/ann")
        self._manifest: dict[str, Any] = {"services": ["web"], "principal": principal}
        self._person = Person(aws, keys, project("web", principal=principal))
        scene.before(self._person, self._account)
        self._asked: dict[str, Any] = {"direction": scene.direction}
        if scene.adopt:
            self._asked["adopt"] = [each.resource.key for each in self._person.plan().plan.changes]
        self._beginning = self._account.saved(REGION)
        self.calls = self._calls()

    def _calls(self) -> list[str]:
        """Every call of an apply to which nothing happens; all others are to end as it does."""
        self._account.calls.clear()
        assert not self._person.apply(**self._asked).failed
        keys = [call.key for call in self._account.calls]
        twice = Counter(keys) - Counter(set(keys))
        assert set(map(action, twice)) <= AGAIN, "no call is made twice"
        assert not self._person.plan(**self._asked).plan.pending
        self._end = end_of(self._account)
        return list(dict.fromkeys(keys))

    def play(self, call: str, kind: Kind, times: int | None) -> str:
        """Let it happen, apply again, and say what is wrong; "" where nothing is."""
        account, person = self._account, self._person
        account.restore(self._beginning, REGION)
        fault = Fault(kind, call, times=times, seconds=SLOW)
        account.faults[:] = [fault]
        if kind.startswith("kill"):
            code = applied(self._url, person.keys, {**self._manifest, **self._asked}, account)
            wrong = "" if code == -signal.SIGKILL else f"it was not killed, but ended with {code}"
        else:
            wrong = self._applied(kind, times)
            wrong = "" if action(call) in ASIDE else wrong
        if not fault.struck:
            return "the call was not made"
        account.faults.clear()
        outcome = person.apply(**self._asked)
        if outcome.failed:
            return f"{wrong}; then: {outcome.failed}"
        # That a plan of it is empty, `_calls` has seen.
        if end_of(account) != self._end:
            return f"{wrong}; it ends otherwise: {end_of(account)}"
        return wrong

    def play_together(self, calls: Sequence[str], ways: Iterable[tuple[Kind, int | None]]) -> None:
        """Let something pass happen to each of several calls in one apply, which waits for all of it."""
        self._account.restore(self._beginning, REGION)
        faults = [
            Fault(kind, call, times=times, seconds=SLOW)
            for call, (kind, times) in zip(calls, ways, strict=False)
        ]
        self._account.faults[:] = faults
        wrong = self._applied("slow", 1)
        assert not wrong
        assert all(fault.struck for fault in faults)
        assert end_of(self._account) == self._end

    def _applied(self, kind: Kind, times: int | None) -> str:
        """What happens once is waited for; what goes on is told, with what to do, and nothing is raised."""
        self._person.timeout = TIMEOUT if kind == "slow" else PATIENCE
        try:
            outcome = self._person.apply(**self._asked)
        except BootstrapError as error:
            return "" if times is None and error.message else f"raised: {error.message}"
        finally:
            self._person.timeout = PATIENCE
        if times is not None:
            return f"not waited for: {outcome.failed}" if outcome.failed else ""
        if not outcome.failed and kind not in ("slow", "drop"):
            return "nobody was told"
        return ""


def end_of(account: Account) -> Any:
    """What there is; of a policy's versions, which one is in force."""
    found = inventory(account)
    for each in found.values():
        if "documents" in each:
            each["documents"] = each["documents"][:1]
    return json.loads(json.dumps(found, sort_keys=True, default=str))


def played(stage: Stage, cells: Sequence[tuple[str, Kind, int | None]]) -> None:
    failures = []
    for call, kind, times in cells:
        wrong = stage.play(call, kind, times)
        if wrong:
            failures.append(f"{stage.scene.name}: {kind} x {times} at {call}: {wrong}")
    assert not failures, "\n\n".join(failures)


def is_change(call: str) -> bool:
    operation = call.partition(":")[2]
    return not operation.startswith(("Get", "List", "Describe"))


@pytest.mark.soak
@pytest.mark.slow
def test_every_call(aws: Aws, chance: random.Random, soak: int) -> None:
    """Each call is struck: in one way, in another one at the next run; in all of them by `make soak`.

    From nothing that is every call, all that only read in one go; and in the other scenes one of each action
    that is not among these.
    """
    seen: set[str] = set()
    for scene in SCENES:
        stage = Stage(aws, scene)
        struck = stage.calls
        if soak == 1:
            shuffled = chance.sample(stage.calls, len(stage.calls))
            new = {action(call): call for call in shuffled if action(call) not in seen}
            struck = list(new.values())
            if scene is SCENES[0]:
                struck = [call for call in stage.calls if is_change(call)]
                reads = [call for call in stage.calls if not is_change(call)]
                stage.play_together(reads, itertools.cycle(chance.sample(PASSING, len(PASSING))))
        seen |= set(map(action, stage.calls))
        cells = chosen(struck, chance, soak)
        assert {call for call, _, _ in cells} == set(struck)
        played(stage, cells)
    assert seen == CALLED


def chosen(calls: Sequence[str], chance: random.Random, soak: int) -> list[tuple[str, Kind, int | None]]:
    """All ways for each call, or one of them."""
    if soak > 1:
        return [(call, *way) for call, way in itertools.product(calls, WAYS)]
    reads, changes = (itertools.cycle(chance.sample(WAYS, len(WAYS))) for _ in range(2))
    return [(call, *next(changes if is_change(call) else reads)) for call in calls]


def action(call: str) -> str:
    return call.partition(" ")[0]


#: everything that is ever asked of AWS
CALLED = {
    "iam:AttachRolePolicy",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:ListAttachedRolePolicies",
    "iam:ListEntitiesForPolicy",
    "iam:ListPolicies",
    "iam:ListPolicyVersions",
    "iam:ListRolePolicies",
    "iam:ListRoles",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "sts:GetCallerIdentity",
    "xray:CreateGroup",
    "xray:CreateSamplingRule",
    "xray:DeleteGroup",
    "xray:DeleteSamplingRule",
    "xray:GetGroups",
    "xray:GetSamplingRules",
    "xray:GetTraceSegmentDestination",
    "xray:ListTagsForResource",
    "xray:TagResource",
    "xray:UpdateGroup",
    "xray:UpdateSamplingRule",
}
#: what is asked once more: whether anything was written to a log group that is about to go
AGAIN = frozenset({"logs:DescribeLogStreams"})
#: what only tells something beside the plan, which goes on without it
ASIDE = frozenset({"xray:GetTraceSegmentDestination", "iam:ListPolicies", "iam:ListRoles"})
