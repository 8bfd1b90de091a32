"""A secret's value, which no accident prints."""

from collections.abc import Iterable

#: every value that this process has held as a Secret: whoever reports a crash masks them
_handled: set[str] = set()


class Secret:
    """Holds one value; `repr`, `str` and formatting show only that there is one."""

    __slots__ = ("_value", "store")

    def __init__(self, value: str, store: str) -> None:
        self._value = value
        #: the name of the store that it came from
        self.store = store
        _handled.add(value)

    def reveal(self) -> str:
        """Return the value itself: for a child's environment, an encoder, or a comparison."""
        return self._value

    def __repr__(self) -> str:
        return f"<secret from {self.store}>"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def handled() -> Iterable[str]:
    """Every value that this process knows to be secret, for masking what it is about to print."""
    return frozenset(_handled)


def masked(value: str) -> str:
    """Show that a value is there and nothing of it: length and letters stay hidden."""
    return "********" if value else "(empty)"
