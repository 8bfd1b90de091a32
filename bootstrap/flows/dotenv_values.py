"""What Compose would read from the project's own `.env`, less what may not steer Docker."""

import io
from collections.abc import Mapping
from pathlib import Path

from bootstrap.encoding.names import check_variable
from bootstrap.flows.environment import secret_specs
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Project
from bootstrap.system.files import ProjectFiles


def plain_values(root: Path, project: Project) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Read what is neither a secret nor changes how programs behave, and the names of what does.

    Compose files may refer to them. A `.env` comes with a clone: what names other files, another project or
    another engine (COMPOSE_FILE, DOCKER_HOST) has no effect.
    """
    data = ProjectFiles(root).read(".env")
    if data is None:
        return {}, ()
    from dotenv import dotenv_values  # noqa: PLC0415 - 10 ms, and only where there is such a file

    text = io.StringIO(data.decode("utf-8", "replace"), newline=None)
    secrets = secret_specs(project)
    found: dict[str, str] = {}
    without_effect = []
    for name, value in dotenv_values(stream=text, interpolate=False).items():
        try:
            check_variable(name)
        except BootstrapError:
            without_effect.append(name)
        else:
            if value is not None and name not in secrets:
                found[name] = value
    return found, tuple(without_effect)
