"""Where this repository's secrets are, what would delete them, and what is set too widely."""

from collections.abc import Callable, Iterator

from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.place import before_remote
from bootstrap.model.errors import BootstrapError
from bootstrap.model.remark import Mark, Remark
from bootstrap.secrets import open_store
from bootstrap.secrets.dotenv import Store as DotenvStore
from bootstrap.secrets.interface import Place
from bootstrap.secrets.session import Store as SessionStore

#: set for a whole workspace, they make every service report under one name
_SHARED_NAMES = ("OTEL_SERVICE_NAME", "HONEYCOMB_SERVICE_NAME", "AWS_XRAY_TRACING_NAME")


def examine(place: Callable[[], Place]) -> Iterator[Remark]:
    """Look at the store that keeps the secrets, without reading one; what is found never raises."""
    try:
        told = place()
        yield Remark("secrets", Mark.OK, f"those of {told.repository.identity}")
        yield _store(told)
        yield from moved(told)
        yield from _dotenv(told)
        yield from _session(told)
    except BootstrapError as error:
        yield Remark("secrets", Mark.PROBLEM, error.message, error.hint)


def _store(place: Place) -> Remark:
    name = choice.recorded(place)
    if name is None:
        return Remark(
            "store", Mark.NOTE, "none is chosen yet, and the environment counts", "bootstrap secrets set"
        )
    store = choice.opened(place, name)
    reason = store.unavailable()
    if reason is not None:
        return Remark("store", Mark.PROBLEM, f"{name} does not work now: {reason}", "bootstrap secrets use")
    return Remark("store", Mark.OK, f"kept in {store.title}, {store.lasts()}")


def moved(place: Place) -> Iterator[Remark]:
    """Find what was kept here before the repository had its remote: another identity, so other secrets."""
    path = before_remote(place)
    if path is not None:
        yield Remark(
            "secrets",
            Mark.NOTE,
            f"{path} holds what was kept before this repository became {place.repository.identity}",
            f"bootstrap secrets import --undeclared {path}; then remove that file",
        )


def _dotenv(place: Place) -> Iterator[Remark]:
    """Say of a .env beside the manifest what is in it for this project, and whether it is safe there."""
    store = DotenvStore(place)
    if store.unavailable() is not None:
        return
    yield from store.remarks()
    names = sorted((store.names() or frozenset()) & set(place.services))
    if names and choice.recorded(place) != store.name:
        yield Remark(
            "dotenv",
            Mark.NOTE,
            f".env holds {', '.join(names)}, which nothing reads",
            "bootstrap secrets import .env",
        )


def _session(place: Place) -> Iterator[Remark]:
    session = SessionStore(place)
    names = sorted(session.names())
    if names:
        yield Remark("session", Mark.OK, f"set since the workspace started: {', '.join(names)}")


def shared_names(place: Callable[[], Place], workspace: str) -> Iterator[Remark]:
    """Find names of one service that are set for the whole workspace, here or in its store of variables."""
    try:
        told = place()
        environ, stored = told.environ, _workspace_wide(told, workspace)
    except BootstrapError as error:
        yield Remark("environment", Mark.PROBLEM, error.message, error.hint)
        return
    for name in _SHARED_NAMES:
        ways = [f"unset {name}"] if environ.get(name) else []
        if name in stored or (ways and workspace == "gitpod"):
            ways.append(f"gp env -u {name}")
        if ways:
            yield Remark(
                "environment",
                Mark.PROBLEM,
                f"{name} is set for the whole workspace: every service would report under one name",
                "; ".join(ways),
            )


def _workspace_wide(place: Place, workspace: str) -> frozenset[str]:
    """What Gitpod gives to every terminal of this repository, also those that are not open yet."""
    if workspace != "gitpod":
        return frozenset()
    store = open_store("gitpod", place)
    return (store.names() or frozenset()) if store.unavailable() is None else frozenset()
