"""All the Compose files of a project as one model, without Compose: overrides, extends, include, anchors.

No path leads out of the repository, nothing is fetched, and nothing is interpolated. It is also the guard
that stands before Compose itself is asked, which would follow any path.
"""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.adoption import normal
from bootstrap.adoption.documents import LONGEST, UnreadableFileError, load
from bootstrap.adoption.files import inside
from bootstrap.adoption.found import Model
from bootstrap.adoption.merging import laid_over, plain
from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import ProjectFiles

#: files, and services that extend each other; both are small numbers in real life
_MOST_FILES = 50
_LONGEST_CHAIN = 20
_TOP = ("networks", "volumes", "secrets", "configs")


def compose(files: ProjectFiles, paths: Iterable[str]) -> Model:
    """Read the files and lay each over those before it. Raises UnreadableFileError."""
    return _Reader(files).model(list(paths), ())


class _Reader:
    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._documents: dict[str, dict[str, Any]] = {}

    def model(self, paths: list[str], above: tuple[str, ...]) -> Model:
        """`above` are the files that include these."""
        services: dict[str, dict[str, Any]] = {}
        rest: dict[str, Any] = {}
        for path in paths:
            document = self._document(path)
            folder = posixpath.dirname(paths[0])
            own = Model(self._services(path, folder), _rest(document, path))
            brought = self._included(path, document, (*above, path))
            for name, definition in (*brought.services.items(), *own.services.items()):
                services[name] = laid_over(services.get(name, {}), definition)
            rest = laid_over(laid_over(rest, brought.rest), own.rest)
        made = {name: normal.service(plain(definition)) for name, definition in services.items()}
        return Model(made, plain(rest))

    def _document(self, path: str) -> dict[str, Any]:
        if path in self._documents:
            return self._documents[path]
        if len(self._documents) >= _MOST_FILES:
            raise UnreadableFileError(f"{path}: is one file too many", f"There may be {_MOST_FILES}.")
        try:
            data = self._files.read(path, LONGEST)
        except BootstrapError as error:
            raise UnreadableFileError(error.message, error.hint) from error
        if data is None:
            raise UnreadableFileError(f"{path}: is not there", "Correct the file that refers to it.")
        document = load(data, path)
        if not isinstance(document, dict | None):
            raise UnreadableFileError(f"{path}: is no table", "A Compose file has services: at its top.")
        self._documents[path] = document or {}
        return self._documents[path]

    def _services(self, path: str, folder: str) -> dict[str, dict[str, Any]]:
        """`folder` is what relative paths start from: that of the first file."""
        document = self._document(path)
        made = {}
        for name in _table(document.get("services"), f"{path}: services"):
            definition = self._service(path, name, ())
            made[name] = _moved(definition, folder)
        return made

    def _service(self, path: str, name: str, chain: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """A service with what it extends below it, each path from the folder of `path`."""
        if (path, name) in chain or len(chain) >= _LONGEST_CHAIN:
            raise UnreadableFileError(f"{path}: services.{name} extends itself", "Remove one extends.")
        where = f"{path}: services.{name}"
        services = _table(self._document(path).get("services"), f"{path}: services")
        if name not in services:
            raise UnreadableFileError(f"{path}: there is no service {name}", "Correct what extends it.")
        raw = _table(services[name], where)
        own = {key: value for key, value in raw.items() if key != "extends"}
        try:
            own = normal.service(own)
        except (TypeError, AttributeError, ValueError):
            raise UnreadableFileError(
                f"{where}: is not what Compose takes", "See: docker compose config"
            ) from None
        if "extends" not in raw:
            return own
        extends = raw["extends"] if isinstance(raw["extends"], dict) else {"service": raw["extends"]}
        other = inside(str(extends["file"]), posixpath.dirname(path)) if extends.get("file") else path
        base = self._service(other, str(extends.get("service")), (*chain, (path, name)))
        start, end = posixpath.dirname(other), posixpath.dirname(path)
        return laid_over(_moved(base, posixpath.relpath(start or ".", end or ".")), own)

    def _included(self, path: str, document: Mapping[str, Any], above: tuple[str, ...]) -> Model:
        services: dict[str, dict[str, Any]] = {}
        rest: dict[str, Any] = {}
        items = document.get("include") or []
        for item in items if isinstance(items, list) else [items]:
            table = item if isinstance(item, dict) else {"path": item}
            named = table.get("path")
            folder = posixpath.dirname(path)
            paths = [inside(str(each), folder) for each in (named if isinstance(named, list) else [named])]
            for each in paths:
                if each in above:
                    raise UnreadableFileError(f"{path}: {each} includes itself", "Remove one include.")
            for each in [table.get("project_directory"), *_several(table.get("env_file"))]:
                if each is not None and str(each).rstrip("/") not in {".", ""}:
                    inside(str(each), folder)
            found = self.model(paths, above)
            for name in found.services.keys() & services.keys():
                raise UnreadableFileError(f"{path}: {name} is included twice", "Remove one of them.")
            services.update(found.services)
            rest = laid_over(rest, found.rest)
        return Model(services, rest)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _table(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableFileError(f"{where}: is no table", "See: docker compose config")
    return value


def _rest(document: Mapping[str, Any], path: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        kind: {name: item or {} for name, item in _table(document[kind], f"{path}: {kind}").items()}
        for kind in _TOP
        if document.get(kind)
    }
    if isinstance(document.get("name"), str):
        made["name"] = document["name"]
    return made


def _moved(definition: dict[str, Any], folder: str) -> dict[str, Any]:
    """A service whose relative paths start from the folder above `folder`, and no longer from it."""
    if folder in {"", "."}:
        return definition
    made = dict(definition)
    build = made.get("build")
    if isinstance(build, dict) and isinstance(build.get("context"), str):
        made["build"] = {**build, "context": _joined(folder, build["context"])}
    if isinstance(made.get("env_file"), list):
        made["env_file"] = [{**each, "path": _joined(folder, each["path"])} for each in made["env_file"]]
    if isinstance(made.get("volumes"), list):
        made["volumes"] = [
            {**each, "source": _joined(folder, each["source"])}
            if isinstance(each, dict) and each.get("type") == "bind" and each.get("source")
            else each
            for each in made["volumes"]
        ]
    return made


def _joined(folder: str, path: str) -> str:
    return (
        path
        if path[:1] in {"/", "~", "$"} or "://" in path
        else posixpath.normpath(posixpath.join(folder, path))
    )
