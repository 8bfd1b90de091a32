"""What is sent to prove arrival, what one look at it finds, and what the looks come to."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from msgspec import Struct, field

from bootstrap.model.project import Project, Service

#: name -> value of what a vendor shows, as text
Evidence = tuple[tuple[str, str], ...]


class Arrival(Enum):
    """What became of one service's telemetry at one vendor."""

    #: it was read back
    ARRIVED = "arrived"
    #: the vendor takes what is sent with this key, and does not let it read that back
    ACCEPTED = "accepted"
    MISSING = "not arrived"
    OFF = "off"


class Reply(Struct, frozen=True):
    """How a service answered one marked request: `problem` says why not, and then there is no status."""

    path: str
    status: int | None = None
    #: the trace that the service says it used, in W3C form; None where it names none
    trace_id: str | None = None
    problem: str = ""


class Probe(Struct, frozen=True, kw_only=True):
    """The marked requests that one service was sent, all in one trace."""

    service: str
    #: what vendors call the service
    otel_name: str
    #: 32 hexadecimal digits, the first 8 of them the time: the form that X-Ray takes, too
    trace_id: str
    #: seconds since 1970, by this machine's clock
    sent_at: float
    #: 16 hexadecimal digits: the caller's span, which every request names as its parent
    span_id: str
    replies: tuple[Reply, ...] = ()

    @property
    def xray_id(self) -> str:
        """The trace id as X-Ray writes it."""
        return f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"

    @property
    def answered(self) -> int:
        """How many of the requests the service answered."""
        return sum(reply.status is not None for reply in self.replies)

    @property
    def took_another(self) -> bool:
        """Whether the service says that it put our requests into other traces than ours."""
        named = [reply.trace_id for reply in self.replies if reply.trace_id is not None]
        return bool(named) and self.trace_id not in named


class Reading(Struct, frozen=True):
    """What one look finds; no text of it holds a secret's value."""

    state: Arrival
    #: one line: what is there, or why nothing is
    detail: str
    #: where a person sees it
    link: str = ""
    #: what to type or change
    hint: str = ""
    evidence: Evidence = ()
    #: whether looking again changes nothing; what has arrived and is not settled may be followed by more
    settled: bool = True


def waiting(detail: str, hint: str = "", link: str = "") -> Reading:
    """Nothing is there yet."""
    return Reading(Arrival.MISSING, detail, link, hint, settled=False)


Look = Callable[[], Reading]


class Asking(Struct, frozen=True, kw_only=True):
    """Everything that it takes to look for one probe at one vendor."""

    project: Project
    service: Service
    probe: Probe
    #: name -> value of the project's secrets, which nobody quotes
    values: Mapping[str, str]
    #: the environment, which may name loopback addresses to ask instead
    environ: Mapping[str, str]
    #: what the vendor's sidecar has written; None where there is none to ask
    sidecar_lines: Callable[[], Iterable[str]] | None = None
    #: where a person sees the trace in the collector; empty where it is elsewhere
    page: str = ""

    def __repr__(self) -> str:
        return f"Asking({self.probe.service})"


class Finding(Struct, frozen=True, kw_only=True):
    """What became of one service's telemetry at one vendor (an empty name: at any)."""

    service: str
    vendor: str
    title: str
    state: Arrival
    detail: str
    #: seconds from the first request until it was seen; None unless it was
    latency: float | None = None
    link: str = ""
    hint: str = ""
    evidence: Evidence = ()


class Report(Struct, frozen=True):
    """All that was sent, and all that was found."""

    probes: tuple[Probe, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def problems(self, *, strict: bool) -> list[Finding]:
        """What has not arrived; when `strict`, also what nobody could read back."""
        bad = {Arrival.MISSING, Arrival.ACCEPTED} if strict else {Arrival.MISSING}
        return [finding for finding in self.findings if finding.state in bad]
