"""What a `.env` or an example of one names, as python-dotenv reads it; its values go no further."""

import io
from collections.abc import Mapping

from bootstrap.model.errors import BootstrapError
from bootstrap.system.files import ProjectFiles

#: bytes; the file is for a few dozen variables
_LONGEST = 256 * 1024
#: what people call the file that says which variables there are
EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", "env.example")


def read_names_and_values(files: ProjectFiles, path: str = ".env") -> Mapping[str, str]:
    """Read it, without interpolation; empty where there is none, or none that may be read."""
    try:
        data = files.read(path, _LONGEST)
    except BootstrapError:
        return {}
    if data is None:
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - 10 ms, and only where there is such a file

    text = io.StringIO(data.decode("utf-8", "replace"), newline=None)
    return {name: value or "" for name, value in dotenv_values(stream=text, interpolate=False).items()}


def names(files: ProjectFiles, path: str) -> tuple[str, ...]:
    """Read only what it names."""
    return tuple(read_names_and_values(files, path))
