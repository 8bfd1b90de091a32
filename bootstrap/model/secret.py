"""A secret's value, which no accident prints."""


class Secret:
    """Holds one value; `repr`, `str` and formatting show only that there is one."""

    __slots__ = ("_value", "store")

    def __init__(self, value: str, store: str) -> None:
        self._value = value
        #: the name of the store that it came from
        self.store = store

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


def masked(value: str) -> str:
    """Show that a value is there and nothing of it: length and letters stay hidden."""
    return "********" if value else "(empty)"
