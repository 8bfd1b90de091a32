"""What the manifest says wrong, and what it could have said."""

from collections.abc import Collection

from bootstrap.config.location import MANIFEST
from bootstrap.model.errors import BootstrapError


class ManifestError(BootstrapError):
    """The manifest says something that cannot be; `key` is the whole path of it."""

    def __init__(self, key: str, problem: str, hint: str, *, file: str = MANIFEST) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}", hint)
        self.key = key


def known(name: str, names: Collection[str]) -> str:
    """Offer the nearest name, or all of them."""
    import difflib  # noqa: PLC0415 - only an error needs it, and every command imports this module

    near = difflib.get_close_matches(name, list(names), n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There are: {', '.join(names)}." if names else "There are none yet."
