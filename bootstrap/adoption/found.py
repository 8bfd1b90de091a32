"""What was found in somebody's repository, and what becomes of it."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from bootstrap.model.signs import Signs


class Left(Struct, frozen=True):
    """Something of theirs that is not carried over: where it stands, why not, and what to do if need be."""

    where: str
    why: str
    hint: str = ""


class Model(Struct, frozen=True):
    """All their Compose files together, every form the long one, nothing interpolated."""

    services: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    #: what else stands at the top: networks, volumes, secrets, configs, name
    rest: Mapping[str, Any] = field(default_factory=dict)


class Chosen(Struct, frozen=True):
    """Which Compose files make up their project, from its root."""

    files: tuple[str, ...]
    #: what is laid over them without being named
    overrides: tuple[str, ...] = ()
    #: who named the files; empty where Compose finds them by their names
    origin: str = ""
    left: tuple[Left, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every one, in the order in which they are read."""
        return (*self.files, *self.overrides)


#: whether their Compose file stays, with something laid over it, or ours takes its place
Mode = Literal["own", "overlay"]


class Known(Struct, frozen=True):
    """What the house knows of vendors, which no repository says."""

    signs: Mapping[str, Signs]
    #: vendor -> what its own container is called among the services
    daemons: Mapping[str, str] = field(default_factory=dict)
    #: vendor -> the secrets that a service which reports to it is given
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: what no service may be called
    reserved: frozenset[str] = frozenset()


class Surroundings(Struct, frozen=True):
    """What was found beside the Compose files."""

    #: names in `.env`, and those in examples of one
    dotenv: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    #: ports that their workspace file opens to everybody
    public_ports: frozenset[int] = frozenset()


class Proposal(Struct, frozen=True):
    """The manifest's tables; `carried` are the paths in their Compose files that it says the same as."""

    services: dict[str, dict[str, Any]]
    secrets: dict[str, dict[str, Any]]
    region: str | None = None
    carried: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
