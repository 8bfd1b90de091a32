"""What somebody should know about AWS keys before a run starts."""

from collections.abc import Iterable, Iterator, Sequence

from bootstrap.flows.environment import with_dependencies
from bootstrap.flows.sessions import RAW
from bootstrap.flows.sessions.consumers import reported_for
from bootstrap.flows.sessions.handing import Sessions
from bootstrap.model.project import Project, Service
from bootstrap.vendors.aws import KEY_PARTS


def remarks(
    project: Project, only: Sequence[str], clouds: Iterable[str], sessions: Sessions
) -> Iterator[str]:
    """Say who gets the key itself, and of services that want it what they get instead.

    `clouds` are the vendors that the run reports to themselves.
    """
    if sessions.stored(KEY_PARTS[0]) is None:
        return
    given_for = reported_for(clouds)
    wanting = [(service, names) for service in with_dependencies(project, only) if (names := _wants(service))]
    if sessions.raw:
        if given_for or wanting:
            yield f"The AWS key itself is handed out, with all that its owner may do ({RAW})."
        return
    for service, names in wanting:
        writes = "logs" in given_for and "cloudwatch" in service.telemetry
        gets = "those of a session that may only write its log lines" if writes else "none of them"
        yield f"{service.name} declares {', '.join(names)}, and gets {gets}: the key itself takes {RAW}."


def _wants(service: Service) -> list[str]:
    """The parts of the key that a service declares, for what nobody here knows."""
    return [name for name in dict.fromkeys(service.secrets.values()) if name in KEY_PARTS]
