"""What can be wrong with tags: one finding each, with the change that mends it, where one does."""

import enum

from msgspec import Struct

from bootstrap.milestones.plans import Change


class Flaw(enum.Enum):
    """The kinds of findings, as `--json` names them."""

    INNER_NAME = "inner-name"
    NESTED = "nested"
    LIGHTWEIGHT = "lightweight"
    SIGNED = "signed"
    BRANCH = "branch-clash"
    NAME = "name"
    DRIFT = "naming-drift"
    HERE_ONLY = "here-only"
    THERE_ONLY = "there-only"
    DIFFERS = "differs"
    RENAMED = "renamed"
    CAME_BACK = "came-back"
    TWICE = "twice"
    ORDER = "order"
    GAP = "gap"
    BROKEN = "broken"
    LOCK = "lock"


class Finding(Struct, frozen=True):
    """One thing that is wrong, or at least worth knowing."""

    flaw: Flaw
    #: the tag, or the file of a lock
    name: str
    text: str
    #: what to type
    hint: str = ""
    #: whether it is only said: neither side has to change
    note: bool = False
    #: what mends it; empty where somebody has to decide
    changes: tuple[Change, ...] = ()
    #: bytes of the tag objects that the changes speak of, where they have to be written first
    objects: tuple[bytes, ...] = ()
    #: ids that have to be fetched first
    fetches: tuple[str, ...] = ()
    #: names that become public by it, whose history is looked through for secrets before
    publishes: tuple[str, ...] = ()
    #: of a lock: nobody holds it
    stale: bool = False

    @property
    def mendable(self) -> bool:
        """Whether `--fix` mends it."""
        return bool(self.changes) or self.stale
