"""Lines for a Compose `env_file` (compose-go's dotenv reader)."""

from bootstrap.encoding.names import check_name, check_value

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def assignment(name: str, value: str) -> str:
    """Encode one `NAME="value"` line, without its line end.

    Backticks stay as they are: the reader keeps a backslash before one. Raises BootstrapError for what is no
    name, for NUL, and for what is not UTF-8.
    """
    check_name(name)
    check_value(name, value)
    return f'{name}="{value.translate(_ESCAPES)}"'
