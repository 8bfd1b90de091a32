"""The collector as a container image: what it is built from, taken from this very installation."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import bootstrap
from bootstrap.model.errors import BootstrapError

_PACKAGE = Path(bootstrap.__file__).parent
#: the parts of this package that it needs
_PARTS = ("collector", "model", "system")
_REQUIRED = ("jinja2", "msgspec", "opentelemetry-proto", "starlette", "uvicorn")
_NAME = re.compile(r"[A-Za-z0-9._-]+")

#: what the image starts from
BASE = "python:3.13-slim-trixie"

_DOCKERFILE = f"""\
# The telemetry collector of `bootstrap up`.
FROM {BASE}
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/opt/bootstrap PATH=/opt/venv/bin:$PATH
COPY requirements.txt /opt/bootstrap/
RUN python3 -m venv /opt/venv \\
 && pip install --no-cache-dir --disable-pip-version-check -r /opt/bootstrap/requirements.txt \\
 && useradd --system --no-create-home --shell /usr/sbin/nologin collector \\
 && install -d -o collector -g collector -m 0700 /data
COPY bootstrap /opt/bootstrap/bootstrap
USER collector
VOLUME /data
EXPOSE 4318
CMD ["python", "-m", "bootstrap.collector"]
"""


def write_context(folder: Path) -> None:
    """Make `folder` the build context of the image; what is right already is left as it is.

    Raises BootstrapError where a requirement's version cannot be found, or the disk refuses.
    """
    wanted = {"Dockerfile": _DOCKERFILE.encode(), "requirements.txt": _requirements().encode(), **_sources()}
    try:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
                path.unlink()
        for name, content in wanted.items():
            target = folder / name
            if not target.is_file() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    except OSError as error:
        raise BootstrapError(f"{folder}: {error.strerror}", "Make room, or remove that folder.") from error


def _sources() -> dict[str, bytes]:
    """Every file of the parts, by its path in the context."""
    files = [_PACKAGE / "__init__.py"]
    for part in _PARTS:
        files += [
            path
            for path in (_PACKAGE / part).rglob("*")
            if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
        ]
    return {f"bootstrap/{path.relative_to(_PACKAGE).as_posix()}": path.read_bytes() for path in files}


def _requirements() -> str:
    """Pin what the collector needs to the versions that are installed here."""
    return "".join(f"{name}=={version}\n" for name, version in sorted(dict(_installed(_REQUIRED)).items()))


def _installed(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name in names:
                raise BootstrapError(
                    f"{name} is not installed beside this program", "Install bootstrap anew."
                ) from None
            continue  # it is for another system or Python
        yield name, distribution.version
        for requirement in distribution.requires or ():
            found = _NAME.match(requirement)
            if found and "extra ==" not in requirement:
                waiting.append(re.sub(r"[-_.]+", "-", found[0]).lower())
