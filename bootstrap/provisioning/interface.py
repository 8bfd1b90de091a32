"""Remote resources as data: what is wanted, what is there, whose it is, and what would change."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, Literal

from msgspec import Struct, field

from bootstrap.model.project import Project
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret

Direction = Literal["apply", "destroy"]

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
    #: what the API needs to be told to change it, such as its ARN
    handle: Any = None


class Hold(Struct, frozen=True):
    """Why something should not be removed."""

    reason: str
    hint: str = ""
    #: it could be removed, and something would be lost with it, such as events: --with-logs wants that
    lost: bool = False


class Resource(ABC):
    """One thing at a vendor that the manifest wants there. Calls raise RemoteRefusedError or its subclasses.

    `create`, `update` and `delete` may be called again after they have failed half-way, or were cut off.
    """

    #: the vendors for which it is there
    vendors: frozenset[str]
    #: the name of the provider that it is made with
    provider: str
    #: what it is, in the vendor's own words: "X-Ray group"
    kind: str
    #: what it is called there
    name: str
    #: keys of the resources that have to exist before it, and go after it
    after: tuple[str, ...] = ()
    #: the manifest has it no longer: it is to be removed
    unwanted: bool = False
    #: whether the vendor has a place for our mark; what has none is never deleted
    markable: bool = True
    #: whether it is everybody's: unmarked, it is as good as ours while it is as it should be
    shared: bool = False
    #: whether something may have come into it since it was looked at that would be lost with it: `holds` is
    #: asked once more before it is removed
    fills: bool = False
    #: what stays when it is removed, such as what its vendor lets nobody remove; empty if nothing
    remains: str = ""

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

    def explained(self, names: frozenset[str]) -> str:
        """What somebody should know of an update of the fields `names`; empty if it is what it seems."""
        del names
        return ""

    def admits(self, names: frozenset[str]) -> str:
        """Name whom fields `names` as they are wanted would let in from another account; empty if nobody."""
        del names
        return ""

    def holds(self, found: Found) -> Hold | None:
        """Why it should be kept though it may be ours; asked before it would be removed, only reads."""
        del found
        return None

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
    #: why it might have stayed, and is to be removed all the same
    hold: Hold | None = None

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

    #: the provider's name
    provider: str
    #: "AWS" or "Honeycomb"
    title: str
    #: label -> text, such as account, identity and region
    facts: Mapping[str, str]
    owner: Owner
    #: what somebody should know, such as that Transaction Search is on
    remarks: tuple[str, ...] = field(default=())


class Provider(ABC):
    """An API at which resources are made, opened once for each command.

    Opening it reads its keys: what it has afterwards may be used by several threads. Its
    methods raise RemoteRefusedError, or NotConfiguredError where a key is missing or none to work with.
    """

    #: what `Resource.provider` and `Vendor.provider` call it
    name: str

    @abstractmethod
    def account(self) -> Account:
        """Say where things are made and as whom; asked once, before anything else."""

    def leftovers(
        self, known: Collection[str], vendors: Collection[str], direction: Direction
    ) -> Sequence[Resource]:
        """Look for what was made for this project and is not among the `known` keys: it is unwanted.

        Only what belongs to `vendors`, or everything where none are named. Only reads, and only as much as
        `direction` is worth.
        """
        del known, vendors, direction
        return ()

    @abstractmethod
    def forget(self) -> None:
        """Read everything anew from now on: something was changed."""


class Opening(Struct, frozen=True, kw_only=True):
    """What a provider is opened with."""

    project: Project
    repository: Repository
    #: reads a secret of the project; what its stores raise is raised as it is
    lookup: Callable[[str], Secret | None]
    environ: Mapping[str, str]
    #: an AWS profile that somebody named, instead of the project's own keys
    profile: str | None = None
    #: tells the person who waits, such as that a call is tried again
    say: Callable[[str], None] = lambda _text: None
    #: how often a call is tried, how many seconds each try may take, and how long the first pause is, which
    #: doubles from try to try
    attempts: int = 8
    timeout: float = 10.0
    pause: float = 0.25

    def __repr__(self) -> str:
        return "Opening(...)"
