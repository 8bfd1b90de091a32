"""What a plan of an unchanged project asks of AWS, and how long it takes beside one call after the other."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore import xform_name

from bootstrap.system.aws import client
from tests.bench.measure import Spread, pairwise
from tests.provisioning.conftest import keys_of
from tests.provisioning.people import REGION, Person, arn, project
from tests.stand_ins.aws import Account, Aws, Call

SERVICES = 4
PURPOSES = 3
#: seconds that each answer is under way, as from Europe to a region of AWS there
DELAY = 0.05
#: of the time that the same calls take one after the other
TARGET = 0.4


@dataclass(frozen=True)
class Planned:
    """The calls of one plan, the fewest that the APIs allow, and seconds turn by turn."""

    calls: Mapping[str, int]
    fewest: Mapping[str, int]
    ours: list[float]
    in_turn: list[float]


def planning(runs: int) -> Planned:
    """Plan what has just been applied, and ask the same again one call after the other, in turn."""
    with Aws() as aws:
        account = aws.account()
        keys = account.user("somebody")
        names = [f"service-{number}" for number in range(SERVICES)]
        person = Person(aws, keys, project(*names, principal=arn(account, "iam", "user/somebody")))
        _finished(person)
        account.calls.clear()
        if person.plan().plan.pending:
            raise RuntimeError("there is something left to do")
        calls = list(account.calls)
        account.delay = DELAY
        ours, in_turn = [], []
        for turn in range(runs + 1):
            first, second = _seconds(person.plan), _seconds(lambda: _one_by_one(aws, keys, calls))
            if turn:
                ours.append(first)
                in_turn.append(second)
        _check(account, calls, runs)
    return Planned(Counter(call.action for call in calls), fewest(), ours, in_turn)


def fewest() -> Mapping[str, int]:
    """What has to be asked where each thing is asked for by its name.

    Fewer calls would do with tag:GetResources, whose answers come late, and with
    iam:GetAccountAuthorizationDetails, which reads everybody's policies: rights that nobody needs for a
    project. A group's tags are found by an ARN that only GetGroups tells, a policy's document by a version
    that only GetPolicy tells: three waves, the first of which says whose account it is.
    """
    once = ("sts:GetCallerIdentity", "xray:GetGroups", "xray:GetSamplingRules", "logs:DescribeLogGroups")
    each = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole")
    lists = ("iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
    return {
        **dict.fromkeys((*once, "logs:ListTagsForResource", "xray:GetTraceSegmentDestination"), 1),
        **dict.fromkeys((*each, *lists), PURPOSES),
        "xray:ListTagsForResource": 1 + SERVICES,
    }


def _finished(person: Person) -> None:
    outcome = person.apply()
    if outcome.failed:
        raise RuntimeError(str(outcome.failed))


def _one_by_one(aws: Aws, keys: Mapping[str, str], calls: Sequence[Call]) -> None:
    """Ask as somebody with boto3 would who does not think of it."""
    clients: dict[str, Any] = {}
    for call in calls:
        if call.service not in clients:
            clients[call.service] = client(
                call.service, region=REGION, credentials=keys_of(keys), environ=aws.environ
            )
        getattr(clients[call.service], xform_name(call.operation))(**call.arguments)


def _check(account: Account, calls: Sequence[Call], runs: int) -> None:
    """Both have asked the same, in every turn."""
    asked = Counter(call.key for call in account.calls)
    turns = 2 * (runs + 1) + 1
    if asked != {call.key: turns for call in calls}:
        raise RuntimeError(f"not the same calls {turns} times: {asked}")


def _seconds(action: Any) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ratio(planned: Planned) -> Spread:
    """Side by side to one after the other, turn by turn."""
    return pairwise(planned.ours, planned.in_turn)


def failures(planned: Planned | None) -> list[str]:
    """Say what is asked more often than it has to be, or takes too long."""
    if planned is None:
        return []
    many = [] if planned.calls == planned.fewest else [f"{planned.calls}, not {planned.fewest}"]
    slow = ratio(planned).median > TARGET
    return many + ([f"plan: {ratio(planned).median:.2f} of the time one by one"] if slow else [])


def as_data(planned: Planned | None) -> Mapping[str, Any]:
    """Everything, in calls and seconds."""
    if planned is None:
        return {}
    return {**asdict(planned), "ratio": asdict(ratio(planned)), "target": TARGET, "delay": DELAY}


def as_markdown(planned: Planned) -> str:
    """A line for each kind of call, and the times."""
    lines = [f"| plan, nothing to do, {SERVICES} services | made | fewest |", "|---|--:|--:|"]
    lines += [
        f"| {call} | {planned.calls.get(call, 0)} | {planned.fewest.get(call, 0)} |"
        for call in sorted(planned.calls.keys() | planned.fewest.keys())
    ]
    total, least = sum(planned.calls.values()), sum(planned.fewest.values())
    ours, theirs = (1000 * Spread.of(seconds).median for seconds in (planned.ours, planned.in_turn))
    spread = ratio(planned)
    figures = f"{spread.median:.2f} ({spread.least:.2f} to {spread.greatest:.2f})"
    lines += [
        f"| all | {total} | {least} |",
        "",
        f"| each call {1000 * DELAY:.0f} ms | side by side, ms | one by one, ms | ratio | target | turns |",
        "|---|--:|--:|--:|--:|--:|",
        f"| plan, nothing to do | {ours:.0f} | {theirs:.0f} | {figures} | {TARGET} | {len(planned.ours)} |",
    ]
    return "\n".join(lines)
