"""Lines for fish: safe to `source`, whatever the value."""

from bootstrap.encoding.names import check_shell_variable, check_value

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'"})


def export(name: str, value: str) -> str:
    """Encode one `set -gx NAME 'value'` line, without its line end.

    In single quotes fish knows two escapes and expands nothing. Raises BootstrapError for what is no name or
    fish's own, for NUL, and for what is not UTF-8.
    """
    check_shell_variable(name)
    check_value(name, value)
    return f"set -gx {name} '{value.translate(_ESCAPES)}'"
