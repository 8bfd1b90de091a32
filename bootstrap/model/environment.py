"""A service's environment as data: every variable knows what it is made of and where it came from."""

from typing import Literal

from msgspec import Struct

#: from where a variable is read: a process on this machine, or one inside the project's containers
View = Literal["host", "container"]


class Text(Struct, frozen=True):
    """A value that is known now; `per_workspace` when it names this workspace (a URL)."""

    text: str
    per_workspace: bool = False


class FromSecret(Struct, frozen=True):
    """`prefix` and then the secret's value; while that is not set `otherwise`, or no variable at all."""

    secret: str
    prefix: str = ""
    otherwise: str | None = None


class WhenSecret(Struct, frozen=True):
    """A plain text that only means something together with a secret; no variable while that is not set."""

    secret: str
    text: str


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
