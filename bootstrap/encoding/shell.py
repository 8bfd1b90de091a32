"""Words for POSIX shells (sh, dash, bash, zsh): safe to `eval`, whatever the value."""

from bootstrap.encoding.names import check_shell_variable, check_value


def quote(value: str, name: str = "value") -> str:
    """Encode one word; nothing inside is expanded. `name` is for the error where a shell cannot hold it.

    Raises BootstrapError for NUL, which no environment can hold, and for what is not UTF-8.
    """
    check_value(name, value)
    return "'" + value.replace("'", "'\\''") + "'"


def export(name: str, value: str) -> str:
    """Encode one `export NAME; NAME='value'` line, without its line end.

    No option of a shell changes what it sets: the assignment stands by itself because `set -k` would take it
    away from `export`. Only zsh's CSH_JUNKIE_QUOTES turns a value of several lines away; then `eval` fails
    and sets nothing. Raises BootstrapError for what is no name or a shell's own, for NUL, and for what is not
    UTF-8.
    """
    check_shell_variable(name)
    return f"export {name}; {name}={quote(value, name)}"
