"""Lines for a Compose `env_file` (compose-go's dotenv reader)."""

from bootstrap.model.errors import BootstrapError

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def assignment(name: str, value: str) -> str:
    """Encode one `NAME="value"` line, without its line end.

    Backticks stay as they are: the reader keeps a backslash before one. Raises BootstrapError for NUL.
    """
    if "\0" in value:
        raise BootstrapError(
            f"{name}: holds a NUL character, which no environment variable can", "Store it as base64."
        )
    return f'{name}="{value.translate(_ESCAPES)}"'
