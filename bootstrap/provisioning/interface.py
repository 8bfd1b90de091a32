"""Remote resources as data: what is wanted, what is there, whose it is, and what would change."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

from msgspec import Struct, field

#: name -> value, as the API has them: JSON's types, so that they can be compared and printed
Fields = Mapping[str, Any]


class Owner(Struct, frozen=True):
    """Our mark on a resource: for which repository it was made, and who made it.

    `repository` is Repository.identity (host/owner/name). `maker` is whoever the API says that our key is: an
    AWS principal's ARN (a role's session without the session's name), or the id of a Honeycomb key.
    """

    repository: str
    maker: str


class Found(Struct, frozen=True):
    """A resource that exists."""

    #: the same names as Resource.wanted has, with what is there
    fields: Fields
    #: what our mark on it says; None without one
    owner: Owner | None = None
    #: somebody has let us update it (--adopt), which is no leave to remove it
    adopted: bool = False
    #: why it should be kept though it is ours, such as that it holds events; empty when nothing is lost
    holds: str = ""
    #: what the API needs to be told to change it, such as its ARN
    handle: Any = None


class Resource(ABC):
    """One thing at a vendor that the manifest wants there. Calls raise RemoteRefusedError or its subclasses.

    `create`, `update` and `delete` may be called again after they have failed half-way, or were cut off.
    """

    #: the vendors for which it is there
    vendors: frozenset[str]
    #: what it is, in the vendor's own words: "X-Ray group"
    kind: str
    #: what it is called there
    name: str
    #: keys of the resources that have to exist before it, and go after it
    after: tuple[str, ...] = ()
    #: whether the vendor has a place for our mark; what has none is never deleted
    markable: bool = True

    @property
    def key(self) -> str:
        """What nothing else in the project has: kind and name."""
        return f"{self.kind} {self.name}"

    @abstractmethod
    def wanted(self) -> Fields:
        """What it should be."""

    @abstractmethod
    def find(self) -> Found | None:
        """Look for it; only reads."""

    @abstractmethod
    def create(self, owner: Owner) -> None:
        """Make it, marked from its first moment on."""

    @abstractmethod
    def update(self, found: Found, names: frozenset[str]) -> None:
        """Give the fields `names` of what was found the values of `wanted`."""

    @abstractmethod
    def adopt(self, found: Found, owner: Owner) -> None:
        """Mark what somebody else has made as adopted by `owner`."""

    @abstractmethod
    def delete(self, found: Found) -> None:
        """Remove it."""


class Action(Enum):
    """What is to be done about one resource."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    DELETE = "delete"
    #: it is there as it should be
    KEEP = "keep"
    #: something is there that we leave alone; the reason says why
    LEAVE = "leave"


class Drift(Struct, frozen=True):
    """One field that differs: None stands for what is not there."""

    name: str
    before: Any
    after: Any


class Change(Struct, frozen=True):
    """What is to be done about one resource, and why."""

    action: Action
    resource: Resource
    drift: tuple[Drift, ...] = ()
    found: Found | None = None
    reason: str = ""
    hint: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return self.action not in (Action.KEEP, Action.LEAVE)


class Plan(Struct, frozen=True):
    """Everything that is to be done, in an order in which it can be."""

    changes: tuple[Change, ...]

    @property
    def pending(self) -> tuple[Change, ...]:
        """What would change something."""
        return tuple(change for change in self.changes if change.changes)


class Outcome(Struct, frozen=True):
    """What became of a plan."""

    done: tuple[Change, ...] = ()
    #: what was refused, with the error's message and hint
    failed: tuple[tuple[Change, str, str], ...] = ()
    #: what was not tried, because something before it failed
    skipped: tuple[Change, ...] = ()


class Account(Struct, frozen=True):
    """Where things are made and as whom, for somebody to see before they agree."""

    #: "AWS" or "Honeycomb"
    title: str
    #: label -> text, such as account, identity and region
    facts: Mapping[str, str]
    owner: Owner
    #: what somebody should know, such as that Transaction Search is on
    remarks: tuple[str, ...] = field(default=())


Direction = Literal["apply", "destroy"]
