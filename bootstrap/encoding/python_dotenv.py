"""Lines for python-dotenv, whether it interpolates (its default) or not."""

import re

from bootstrap.encoding.names import UnreadableError, check_value, check_variable

# It opens files in text mode, where a bare carriage return becomes a line end.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})

#: what it takes as it stands: no blank, and nothing that opens a quote or a comment
_BARE = re.compile(r"[^\s'\"#][^\s#]*")


def assignment(name: str, value: str) -> str:
    """Encode one `NAME="value"` line, without its line end.

    Before 1.2.4 an escaped backslash at the end still escapes the quote behind it, so such a value goes
    without quotes. Raises UnreadableError where that cannot be, and for `${`, which nothing escapes;
    BootstrapError for what is no name or steers programs, for NUL, and for what is not UTF-8.
    """
    check_variable(name)
    check_value(name, value)
    if "${" in value:
        raise UnreadableError(name, "holds ${, which python-dotenv expands, also in quotes")
    if not value.endswith("\\"):
        return f'{name}="{value.translate(_ESCAPES)}"'
    if _BARE.fullmatch(value):
        return f"{name}={value}"
    raise UnreadableError(name, "needs quotes and ends in a backslash, which not every python-dotenv reads")
