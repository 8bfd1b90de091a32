"""X-Ray's filter expressions, as far as groups use them: terms between AND and OR, without parentheses."""

from __future__ import annotations

import re

from tests.stand_ins.aws.errors import invalid

_STRING = r'"(?:[^"\\]|\\.)*"'
_TERM = (
    r"(?:NOT\s+|!)?(?:"
    rf"(?:service|edge|id|user|group\.name)\(\s*{_STRING}(?:\s*,\s*{_STRING})?\s*\)(?:\s*\{{[^{{}}]*\}})?"
    rf"|[a-z][A-Za-z0-9_.]*(?:\[[^\]]+\])?\s*(?:=|!=|<=|>=|<|>|BEGINSWITH|ENDSWITH|CONTAINS)\s*(?:{_STRING}|[0-9.]+)"
    r"|ok|error|throttle|fault|partial|inferred|first|last|remote|root)"
)
#: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
_FILTER = re.compile(rf"\s*{_TERM}(?:\s+(?:AND|OR)\s+{_TERM})*\s*")


def checked_filter(expression: str) -> str:
    """Refuse what is none; nothing at all takes every trace."""
    if expression and not _FILTER.fullmatch(expression):
        invalid("xray", f"Invalid filter expression: {expression}")
    return expression
