"""IAM's policy language: what may be written, and what it allows.

moto's evaluator is no judge here: it takes ARNs for regular expressions, compares actions with case, and
calls a condition that does not hold a denial. https://docs.aws.amazon.com/IAM/latest/UserGuide/
reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

from tests.stand_ins.aws.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Decision = Literal["allow", "deny", "neither"]
Document = dict[str, Any]

#: characters, without blanks, of a managed policy, of all inline ones of a role, and of a trust policy
#: (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)
MANAGED_LIMIT, INLINE_LIMIT, TRUST_LIMIT = 6144, 10240, 2048
_SID = re.compile(r"[0-9A-Za-z]*")


def parsed(text: str, *, trust: bool = False) -> Document:
    """Read a policy, or refuse it as IAM does."""
    validator = IAMTrustPolicyDocumentValidator if trust else IAMPolicyDocumentValidator
    try:
        validator(text).validate()
    except MalformedPolicyDocument as error:
        raise Refusal("MalformedPolicyDocument", str(error.message), 400) from None
    document: Document = json.loads(text)
    for statement in _listed(document["Statement"]):
        if not _SID.fullmatch(statement.get("Sid", "")):
            words = "Statement IDs (SID) must be alpha-numeric."
            raise Refusal("MalformedPolicyDocument", words, 400)
    return document


def size(text: str) -> int:
    """How long IAM takes a policy to be."""
    return len(re.sub(r"\s", "", text))


def decide(
    documents: Iterable[Document], action: str, resource: str, context: Mapping[str, str], principal: str = ""
) -> Decision:
    """What policies say together: one denial is enough. `principal`: who asks, for a policy of a resource."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _listed(document["Statement"])
        if _concerns(statement, action, resource, context, principal)
    }
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "neither"


def principals(document: Document) -> list[str]:
    """The principals of AWS that a trust policy names."""
    found: list[str] = []
    for statement in _listed(document["Statement"]):
        named = statement["Principal"]
        found += ["*"] if named == "*" else _listed(named.get("AWS", []))
    return found


def _concerns(
    statement: Document, action: str, resource: str, context: Mapping[str, str], principal: str
) -> bool:
    if not _among(statement, "Action", action.lower(), str.lower):
        return False
    if principal:
        named = statement["Principal"]
        if principal not in (["*"] if named == "*" else _listed(named.get("AWS", []))):
            return False
    elif not _among(statement, "Resource", resource, str):
        return False
    return all(
        _holds(operator, key, _listed(wanted), context)
        for operator, tests in statement.get("Condition", {}).items()
        for key, wanted in tests.items()
    )


def _among(statement: Document, element: str, value: str, change: Any) -> bool:
    inverted = f"Not{element}" in statement
    patterns = _listed(statement[f"Not{element}" if inverted else element])
    return any(_like(change(pattern), value) for pattern in patterns) != inverted


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    given = context.get(key)
    if given is None:
        return False
    if operator in ("StringEquals", "ArnEquals", "ArnLike", "StringLike"):
        return any(given == each if operator == "StringEquals" else _like(each, given) for each in wanted)
    raise NotImplementedError(f"the condition {operator}")


def _like(pattern: str, value: str) -> bool:
    """`*` stands for any characters, `?` for one; every other character for itself."""
    expression = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
