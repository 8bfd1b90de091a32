"""What Compose would read from the project's own `.env`, less what may not steer Docker."""

import io
import re
from collections.abc import Mapping
from pathlib import Path

from bootstrap.encoding.names import check_variable
from bootstrap.flows.environment import secret_specs, vendors_secrets
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Project
from bootstrap.system.files import ProjectFiles

#: what Docker's programs read beside names that no program is handed: other builders (BUILDX_CONFIG may name
#: a folder of the clone), other sources of images, and where they report to themselves
_DOCKERS = re.compile(
    r"(EXPERIMENTAL_)?BUILDKIT_.*|BUILDX_.*|OTEL_.*|GODEBUG|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS", re.ASCII
)


def plain_values(
    root: Path, project: Project, environ: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Read what is neither a secret nor changes how programs behave, and the names of what does.

    Compose files may refer to them. What `environ` has goes before them, as it does for Compose itself. A
    `.env` comes with a clone: what names other files, another project or another engine (COMPOSE_FILE,
    DOCKER_HOST) has no effect.
    """
    secrets = {*secret_specs(project), *vendors_secrets()}
    found: dict[str, str] = {}
    without_effect = []
    for name, value in _read(root).items():
        try:
            check_variable(name)
        except BootstrapError:
            without_effect.append(name)
            continue
        if _DOCKERS.fullmatch(name):
            without_effect.append(name)
        elif value is not None and name not in secrets and name not in environ:
            found[name] = value
    return found, tuple(without_effect)


def secret_values(root: Path, project: Project) -> dict[str, str]:
    """Read the project's secrets that it has, which a service gets with all the rest as its `env_file`."""
    names = secret_specs(project)
    return {name: value for name, value in _read(root).items() if value and name in names}


def _read(root: Path) -> Mapping[str, str | None]:
    data = ProjectFiles(root).read(".env")
    if data is None:
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - 10 ms, and only where there is such a file

    text = io.StringIO(data.decode("utf-8", "replace"), newline=None)
    return dotenv_values(stream=text, interpolate=False)
