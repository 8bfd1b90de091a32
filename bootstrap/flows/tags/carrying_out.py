"""Rehearses and executes plans."""

from pathlib import Path

from msgspec.structs import replace

from bootstrap.milestones import transactions
from bootstrap.milestones.plans import Plan


def rehearsed(root: Path, plan: Plan) -> Plan:
    """Ask the remote whether it would take the plan, and in how many steps; changes nothing.

    Raises RemoteRefusedError where it would not.
    """
    if plan.remote is None or not plan.remote_edits or plan.fetches:
        return plan
    return replace(plan, atomic=transactions.takes_atomic(root, plan.remote, plan.remote_edits))


def execute(root: Path, plan: Plan) -> None:
    """Do what the plan says."""
    transactions.execute(root, plan)
