"""What has to be known of Compose files that are not ours before something is laid over them."""

from collections.abc import Mapping
from typing import Any

from bootstrap.adoption import composing, references
from bootstrap.adoption.found import Chosen
from bootstrap.config.errors import ManifestError
from bootstrap.model.compose import FILES, OVERRIDES
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Project
from bootstrap.rendering.added import Theirs, TheirService
from bootstrap.system.files import ProjectFiles


def chosen(files: ProjectFiles, project: Project) -> Chosen | None:
    """The Compose files that the manifest means; whatever anybody's shell or `.env` names does not count."""
    if project.files.compose_files:
        return Chosen(project.files.compose_files, origin="files.compose_files")
    first = _first(files, FILES)
    override = _first(files, OVERRIDES)
    return None if first is None else Chosen((first,), (override,) if override else ())


def _first(files: ProjectFiles, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if (files.root / name).is_file()), None)


def look(files: ProjectFiles, project: Project) -> Theirs | None:
    """Read them, in the same way on every machine; None where all is ours.

    Raises ManifestError where they are not there or cannot be read.
    """
    if project.files.compose != "overlay":
        return None
    found = chosen(files, project)
    if found is None:
        raise ManifestError(
            "files.compose",
            "is overlay, and there is no Compose file to lay something over",
            'Write compose = "own", or put your Compose file back.',
        )
    try:
        model = composing.compose(files, found.all)
    except BootstrapError as error:
        raise ManifestError("files.compose", error.message, error.hint) from error
    return Theirs(
        services={name: _service(definition, model.rest) for name, definition in model.services.items()},
        networks=frozenset(model.rest.get("networks") or ()),
        volumes=frozenset(model.rest.get("volumes") or ()),
    )


def _service(definition: Mapping[str, Any], rest: Mapping[str, Any]) -> TheirService:
    asked_for = {name for name, _ in references.asked_for(definition)}
    return TheirService(
        variables=frozenset(definition.get("environment") or ()),
        asked_for=frozenset((*asked_for, *references.mounted(definition, rest))),
        networks=bool(definition.get("networks")),
    )
