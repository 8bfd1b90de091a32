"""What somebody who provisions X-Ray should know of an account: who else decides, and where traces are."""

from collections.abc import Iterator, Sequence

from bootstrap.model.errors import RemoteRefusedError
from bootstrap.model.remark import Remark
from bootstrap.provisioning.aws import xray
from bootstrap.provisioning.aws.provider import Aws
from bootstrap.system.at_once import answers
from bootstrap.vendors.naming.searching import transaction_search
from bootstrap.vendors.naming.sought import Wanted, of_account


def remarks(group_name: str, wanted: Sequence[Wanted], aws: Aws) -> Iterator[Remark]:
    """Ask for what is read for the plan anyway, and for where segments go. Raises as Caller.call does."""
    destination, groups, rules = answers(
        lambda: _destination(aws), lambda: xray.groups(aws), lambda: xray.rules(aws)
    )
    yield transaction_search(destination)
    yield from of_account(group_name, wanted, groups, rules)


def _destination(aws: Aws) -> str | None:
    """Where segments are kept; None where nobody says so, which is no reason to make no plan."""
    try:
        answer = aws.caller.call("xray", "get_trace_segment_destination")
    except RemoteRefusedError:
        return None
    return str(answer.get("Destination"))
