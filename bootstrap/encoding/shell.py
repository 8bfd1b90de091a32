"""Words for POSIX shells (sh, dash, bash, zsh): safe to `eval`, whatever the value."""

from bootstrap.encoding.names import check_value, check_variable


def quote(value: str, name: str = "value") -> str:
    """Encode one word; nothing inside is expanded. `name` is for the error where a shell cannot hold it.

    Raises BootstrapError for NUL, which no environment can hold, and for what is not UTF-8.
    """
    check_value(name, value)
    return "'" + value.replace("'", "'\\''") + "'"


def export(name: str, value: str) -> str:
    """Encode one `export NAME='value'` line, without its line end."""
    check_variable(name)
    return f"export {name}={quote(value, name)}"
