"""IAM's JSON documents, so that two that mean the same are the same."""

import json
from typing import Any

#: what may be one value or a list of them, in any order
_SETS = ("Action", "NotAction", "Resource", "NotResource")


def canonical(document: Any) -> Any:
    """Write a policy as AWS's own comparison would see it: order and single values make no difference.

    What is no policy stays as it is, and differs.
    """
    if not isinstance(document, dict):
        return document
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    return {
        **document,
        "Statement": sorted((_statement(one) for one in statements), key=compact),
    }


def _statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    return {
        name: _set(value) if name in _SETS else _principals(value) if name == "Principal" else value
        for name, value in sorted(statement.items())
    }


def _principals(value: Any) -> Any:
    return {kind: _set(names) for kind, names in value.items()} if isinstance(value, dict) else value


def _set(value: Any) -> Any:
    return sorted(set(map(str, value))) if isinstance(value, list) else [str(value)]


def compact(document: Any) -> str:
    """Write it without a blank: IAM counts none of them, and STS does (PackedPolicySize)."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)
