"""Carrying a plan out before somebody's eyes, and saying what was done and what was not."""

from typing import Any

from bootstrap.cli import output
from bootstrap.cli.provision.shared import as_json, change_as_json, left
from bootstrap.cli.session import Session
from bootstrap.flows import provision
from bootstrap.flows.provision import Work
from bootstrap.model.errors import RemoteRefusedError
from bootstrap.provisioning.interface import Action, Change, Outcome

_DOING = {
    Action.CREATE: "Creating",
    Action.UPDATE: "Updating",
    Action.ADOPT: "Adopting",
    Action.DELETE: "Removing",
}


def carry_out(session: Session, work: Work, again: str) -> int:
    """Do it and report. `again` is what finishes the job after a failure.

    Raises RemoteRefusedError where anything was not done.
    """
    try:
        outcome = provision.carry_out(work, _tell)
    except KeyboardInterrupt:
        output.words(f"Interrupted. Finish the job: {again}", style="yellow")
        raise
    if session.as_json:
        output.json_document(_document(work, outcome))
        return RemoteRefusedError.exit_code if outcome.failed else 0
    for change, message, hint in outcome.failed:
        output.words(output.clean_value(f"Not done: {_name(change)}: {message}"), style="red")
        if hint:
            output.words(output.clean_value(f"  {hint}"))
    for change in outcome.skipped:
        output.words(output.clean_value(f"Not tried: {_name(change)}"), style="yellow")
    if outcome.failed:
        total = len(work.plan.pending)
        change, message, _ = outcome.failed[0]
        raise RemoteRefusedError(
            f"{len(outcome.done)} of {total} changes are done; first not done: {_name(change)}: {message}",
            f"Mend that, and finish the job: {again}",
        )
    count = len(outcome.done)
    done = f"Done: {count} change{'s' if count > 1 else ''}." if count else "Nothing was to be done."
    output.words(f"{done}{left(work)}")
    return 0


def _tell(change: Change) -> None:
    output.words(output.clean_value(f"{_DOING[change.action]} {change.resource.key} ..."))


def _name(change: Change) -> str:
    return f"{change.action.value} {change.resource.key}"


def _document(work: Work, outcome: Outcome) -> dict[str, Any]:
    return {
        **as_json(work),
        "done": [change_as_json(change) for change in outcome.done],
        "failed": [
            {**change_as_json(change), "error": {"message": message, "hint": hint}}
            for change, message, hint in outcome.failed
        ],
        "skipped": [change_as_json(change) for change in outcome.skipped],
    }
