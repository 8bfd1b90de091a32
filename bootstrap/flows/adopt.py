"""Somebody's own repository becomes a project: what is there is read, and held against every rule."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from bootstrap.adoption import asking, composing, dotenv, proposing, workspace_files
from bootstrap.adoption import files as compose_files
from bootstrap.adoption.documents import UnreadableFileError
from bootstrap.adoption.found import Chosen, Known, Left, Mode, Model, Proposal, Surroundings
from bootstrap.config.checks import COLLECTOR
from bootstrap.flows.settling import Sources, settle
from bootstrap.model.errors import BootstrapError
from bootstrap.rendering.context import MARKER
from bootstrap.system import origin
from bootstrap.system.files import ProjectFiles
from bootstrap.vendors import VENDORS

_MARKER_LINES = 3


class Adoption(Struct, frozen=True):
    """What would be written, and everything that somebody should know before it is."""

    manifest: bytes
    proposal: Proposal
    #: the [files] table
    owners: dict[str, Any]
    #: the Compose files that were read; None without any
    chosen: Chosen | None
    #: whether Compose itself has read them
    asked_compose: bool
    left: tuple[Left, ...]
    #: names in `.env` that are declared now, and can be imported
    importable: tuple[str, ...] = ()


class Read(Struct, frozen=True):
    """Their Compose files: which, what they say, and why not where they cannot be read."""

    chosen: Chosen | None
    model: Model
    asked_compose: bool = False
    problem: BootstrapError | None = None


def known() -> Known:
    """What the house knows of vendors."""
    return Known(
        signs={name: vendor.signs for name, vendor in VENDORS.items()},
        daemons={name: vendor.daemon.name for name, vendor in VENDORS.items() if vendor.daemon},
        secrets={
            name: frozenset(spec.name for spec in vendor.secrets if spec.audience == "service")
            for name, vendor in VENDORS.items()
        },
        reserved=frozenset({COLLECTOR}),
    )


def look(files: ProjectFiles, sources: Sources, environ: Mapping[str, str], name: str) -> Adoption | None:
    """Look for files of somebody's own, and propose; None where there are none. Writes nothing.

    `name` is what the project is called if its files do not say. Raises BootstrapError where no manifest can
    be made at all.
    """
    read_files = read(files, environ)
    owners = _owners(files, read_files)
    if not owners:
        return None
    around = _around(files)
    proposal = proposing.propose(files, read_files.model, known(), around, "overlay")
    document = _document(proposal, name, owners)
    left = [*_beforehand(read_files), *proposal.left]
    data = settle(files, document, sources, left)
    return Adoption(
        manifest=data,
        proposal=proposal,
        owners=document["files"],
        chosen=read_files.chosen,
        asked_compose=read_files.asked_compose,
        left=tuple(left),
        importable=tuple(
            name
            for name in around.dotenv
            if name in document.get("secrets", {}) or any(name in each for each in known().secrets.values())
        ),
    )


def read(files: ProjectFiles, environ: Mapping[str, str]) -> Read:
    """Read their Compose files, through Compose where there is one; a file that is ours is none of theirs."""
    try:
        chosen = compose_files.chosen(files, environ)
        if chosen is None or is_ours(files, chosen.files[0]):
            return Read(None, Model())
    except UnreadableFileError as error:
        return Read(Chosen(()), Model(), problem=error)
    try:
        model = composing.compose(files, chosen.all)
    except UnreadableFileError as error:
        return Read(chosen, Model(), problem=error)
    return _asked(files.root, chosen, model, environ)


def _asked(root: Path, chosen: Chosen, model: Model, environ: Mapping[str, str]) -> Read:
    """Compose's own word counts, in the order of the files, so that every machine proposes the same.

    But for variables, to which later versions of Compose add those of every env file.
    """
    try:
        answer = asking.ask(root, chosen.all, environ)
    except BootstrapError as error:
        return Read(chosen, model, problem=error)
    if answer is None:
        return Read(chosen, model)
    services = {
        name: {
            **_in_order(answer.services[name], definition),
            "environment": definition.get("environment", {}),
        }
        for name, definition in model.services.items()
        if name in answer.services
    }
    return Read(chosen, Model(services, _in_order(answer.rest, model.rest)), asked_compose=True)


def _in_order(value: Any, like: Any) -> Any:
    """The same table with its keys as `like` has them; what only it has goes last."""
    if not isinstance(value, Mapping) or not isinstance(like, Mapping):
        return value
    names = [*(name for name in like if name in value), *(name for name in value if name not in like)]
    return {name: _in_order(value[name], like.get(name)) for name in names}


def is_ours(files: ProjectFiles, path: str) -> bool:
    """Whether a file says that it was generated here."""
    data = files.read(path) or b""
    return any(MARKER in line for line in data.decode("utf-8", "replace").splitlines()[:_MARKER_LINES])


def _owners(files: ProjectFiles, read_files: Read) -> dict[str, Any]:
    """The [files] table: overlay for what is theirs already; nothing is said of what is ours to make."""
    owners: dict[str, Any] = {}
    if read_files.chosen is not None:
        owners["compose"] = "overlay" if read_files.model.services else "theirs"
        if read_files.chosen.origin:
            owners["compose_files"] = list(read_files.chosen.files)
    for key, paths in workspace_files.PATHS.items():
        if any(_is_theirs(files, path) for path in paths):
            owners[key] = "overlay"
    return owners


def _is_theirs(files: ProjectFiles, path: str) -> bool:
    target = files.root / path
    if target.is_symlink():
        return True
    try:
        return target.exists() and not is_ours(files, path)
    except BootstrapError:
        return True


def _around(files: ProjectFiles) -> Surroundings:
    examples = tuple(name for path in dotenv.EXAMPLES for name in dotenv.names(files, path))
    return Surroundings(
        dotenv.names(files, ".env"), tuple(dict.fromkeys(examples)), workspace_files.public_ports(files)
    )


def _beforehand(read_files: Read) -> list[Left]:
    left = list(read_files.chosen.left if read_files.chosen else ())
    if read_files.problem is not None:
        left.append(Left("Compose files", read_files.problem.message, read_files.problem.hint))
    return left


def _document(proposal: Proposal, name: str, owners: dict[str, Any]) -> dict[str, Any]:
    region = {"region": proposal.region} if proposal.region else {}
    source = origin.installed_from()
    return {
        "project": {"name": name, **region},
        "services": {key: dict(table) for key, table in proposal.services.items()},
        "secrets": dict(proposal.secrets),
        "workspace": {"install": source} if source else {},
        "files": owners,
    }


def taken_over(files: ProjectFiles, environ: Mapping[str, str], mode: Mode) -> tuple[Read, Proposal]:
    """Read and propose anew, without their override, for a Compose file that becomes ours."""
    read_files = read(files, environ)
    if read_files.chosen is not None and read_files.chosen.overrides:
        base = Chosen(read_files.chosen.files)
        read_files = _asked(files.root, base, composing.compose(files, base.all), environ)
    return read_files, proposing.propose(files, read_files.model, known(), _around(files), mode)
