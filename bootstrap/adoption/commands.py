"""What a service runs where no container does: from its Compose file, else from its Dockerfile."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import ProjectFiles

_LONGEST = 256 * 1024
_CONTINUED = re.compile(r"\\[ \t]*\r?\n")
_HEALTH = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::[0-9]+)?(?P<path>/[!-&(-~]*)?"
)
#: what a URL ends at, in a shell's command or in a program's text
_ENDS = re.compile(r"[\s'\"|;&)>]")


def command_of(definition: Mapping[str, Any], files: ProjectFiles, folder: str) -> str | None:
    """The command line, or None where only the image knows it, or it asks for variables of Compose's."""
    if definition.get("entrypoint"):
        return None
    command = definition.get("command")
    if command:
        return _line(command)
    build = definition.get("build")
    if not isinstance(build, Mapping) or "dockerfile_inline" in build:
        return None
    name = str(build.get("dockerfile") or "Dockerfile")
    try:
        data = files.read(f"{folder}/{name}" if folder not in {"", "."} else name, _LONGEST)
    except BootstrapError:
        return None
    return None if data is None else _of_dockerfile(data.decode("utf-8", "replace"))


def _line(command: Any) -> str | None:
    line = command if isinstance(command, str) else shlex.join(map(str, command))
    return None if "$" in line or not line.isprintable() else line


def _of_dockerfile(text: str) -> str | None:
    """The last CMD; an ENTRYPOINT would go before it, and what that does nobody can tell."""
    found = None
    for line in _CONTINUED.sub(" ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "ENTRYPOINT":
            return None
        if word.upper() == "FROM":
            found = None
        if word.upper() == "CMD":
            found = rest.strip()
    if not found:
        return None
    if found.startswith("["):
        try:
            return _line(json.loads(found))
        except (ValueError, TypeError, RecursionError):
            return None
    return _line(found)


def health_of(definition: Mapping[str, Any]) -> str | None:
    """The path that its own health check asks for; None where it asks in another way."""
    test = (definition.get("healthcheck") or {}).get("test")
    words = " ".join(map(str, test)) if isinstance(test, list) else str(test or "")
    match = _HEALTH.search(words)
    if match is None or "$" in match.group():
        return None
    path = _ENDS.split(match["path"] or "/")[0]
    return path or "/"


def setup_of(files: ProjectFiles, folder: str) -> str | None:
    """How its packages are installed where no container does it."""
    try:
        names = files.entries(folder) if folder not in {"", "."} else _names(files)
    except BootstrapError:
        return None
    present = set(names or ())
    if "requirements.txt" in present:
        return "python -m pip install --quiet --disable-pip-version-check -r requirements.txt"
    if "package-lock.json" in present:
        return "npm ci"
    return "npm install" if "package.json" in present else None


def _names(files: ProjectFiles) -> list[str]:
    return [path.name for path in files.root.iterdir()]
