"""A service's environment as data: every variable knows what it is made of and where it came from."""

from typing import Literal

from msgspec import Struct

from bootstrap.model.grant import Purpose

#: from where a variable is read: a process on this machine, or one inside the project's containers
View = Literal["host", "container"]


class Text(Struct, frozen=True):
    """A value that is known now; `per_workspace` when it names this workspace (a URL)."""

    text: str
    per_workspace: bool = False


class Claim(Struct, frozen=True):
    """What somebody in a run is to have: a stored secret, or one that is made of it for one purpose alone.

    The parts of an AWS key have a purpose where whoever gets them is known to need no more than that.
    """

    secret: str
    purpose: Purpose | None = None

    @property
    def variable(self) -> str:
        """What Compose's own environment calls the value: two may have different ones of one key."""
        return self.secret if self.purpose is None else f"{self.secret}__{self.purpose.upper()}"


class FromSecret(Struct, frozen=True):
    """`prefix` and then the secret's value; while that is not set `otherwise`, or no variable at all."""

    secret: str
    prefix: str = ""
    otherwise: str | None = None
    purpose: Purpose | None = None

    @property
    def claim(self) -> Claim:
        """Whose value it is."""
        return Claim(self.secret, self.purpose)


class WhenSecret(Struct, frozen=True):
    """A plain text that only means something together with a secret; no variable while that is not set."""

    secret: str
    text: str
    purpose: Purpose | None = None

    @property
    def claim(self) -> Claim:
        """Together with what."""
        return Claim(self.secret, self.purpose)


Value = Text | FromSecret | WhenSecret


class Variable(Struct, frozen=True):
    """One variable of a service; `origin` says in words which part of the manifest made it."""

    name: str
    value: Value
    origin: str


class CollectorAddress(Struct, frozen=True):
    """Where the embedded collector listens, as the service that reports to it sees it."""

    #: base URL without a trailing slash; OTLP/HTTP clients add /v1/traces
    otlp: str
    #: host:port of the X-Ray daemon's inlet, UDP and TCP
    daemon: str


class Cloud(Struct, frozen=True):
    """The vendor's own service receives what is reported, once its secrets are there."""

    #: host:port on this machine of the vendor's own daemon, where this run has started one
    daemon: str | None = None


class Local(Struct, frozen=True):
    """The embedded collector receives what is reported."""

    collector: CollectorAddress


Route = Cloud | Local
