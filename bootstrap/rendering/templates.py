"""Where template texts come from: the installed package, and a project's own folder over it."""

from pathlib import Path

import bootstrap
from bootstrap.model.errors import BootstrapError
from bootstrap.rendering.renderer import SUFFIX
from bootstrap.system.files import ProjectFiles

_PACKAGE = Path(bootstrap.__file__).parent


def built_in() -> dict[str, str]:
    """Read the built-in templates: name (a path in the target plus ".j2") -> text."""
    # A wheel carries them inside the package, a checkout has them beside it.
    folder = next(path for path in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if path.is_dir())
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob(f"*{SUFFIX}"))
    }


def with_own(texts: dict[str, str], files: ProjectFiles, folder: str) -> dict[str, str]:
    """Replace built-in templates by those of a project's `folder` that have exactly their names.

    Raises BootstrapError for a name that no built-in template has, and for a symbolic link anywhere.
    """
    root = files.root / folder
    if not root.is_dir():
        raise BootstrapError(f"files.templates: there is no folder {folder}", f"Make it: mkdir -p {folder}")
    own: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            raise BootstrapError(f"{folder}/{name}: is a symbolic link", "Put the template itself there.")
        if path.is_dir():
            continue
        if name not in texts:
            raise BootstrapError(
                f"{folder}/{name}: is not the name of a built-in template",
                f"The names are: {', '.join(texts)}",
            )
        own[name] = _read(files, f"{folder}/{name}")
    return texts | own


def _read(files: ProjectFiles, path: str) -> str:
    try:
        return (files.read(path) or b"").decode()
    except UnicodeDecodeError as error:
        raise BootstrapError(f"{path}: is not UTF-8 (byte {error.start})", "Save it as UTF-8.") from error
