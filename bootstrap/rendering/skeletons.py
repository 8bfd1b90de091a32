"""What the files of a new service are: those of an instrumented example, under the new service's name."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

import bootstrap

_PACKAGE = Path(bootstrap.__file__).parent
_CACHE = "__pycache__"


class Skeleton(Struct, frozen=True):
    """One example, and how the process engine runs it."""

    #: of the example: in all of its files they stand for the new service's
    name: str
    port: int
    setup: str
    command: str
    health: str
    #: what shows its telemetry, by itself and together with the service that it calls
    probe: tuple[str, ...]
    probe_calling: tuple[str, ...]
    #: what is read from the example itself, a folder of this repository; the rest is in `skeletons/`
    shared: tuple[str, ...]


SKELETONS = {
    "flask": Skeleton(
        name="backend-flask",
        port=4567,
        setup="python -m pip install --quiet --disable-pip-version-check -r requirements.txt",
        command="exec python -m gunicorn 'app:create_app()'",
        health="/api/health-check",
        probe=("/api/hello", "/api/error-test"),
        probe_calling=("/api/hello", "/api/upstream", "/api/error-test"),
        shared=(
            ".dockerignore",
            "Dockerfile",
            "cors.py",
            "errors.py",
            "gunicorn.conf.py",
            "healthcheck.py",
            "observability",
            "requirements.txt",
            "routes/health.py",
            "services/errors.py",
            "services/recorder.py",
            "settings.py",
        ),
    )
}


def files_of(template: str, *, name: str, port: int) -> dict[str, str]:
    """Make the files of a service called `name` at `port`: path in its folder -> text."""
    skeleton = SKELETONS[template]
    example = re.compile(rf"(?<![\w.-])({re.escape(skeleton.name)}|{skeleton.port})(?![\w.-])")
    stands_for = {skeleton.name: name, str(skeleton.port): str(port)}
    return {
        path: example.sub(lambda match: stands_for[match[1]], text)
        for path, text in sorted(_texts(template, skeleton))
    }


def _texts(template: str, skeleton: Skeleton) -> Iterator[tuple[str, str]]:
    """Read them: a wheel carries all in one folder, a checkout shares most with the example itself."""
    packaged = _PACKAGE / "skeletons" / template
    if packaged.is_dir():
        yield from _below(packaged, packaged)
        return
    yield from _below(_PACKAGE.parent / "skeletons" / template, _PACKAGE.parent / "skeletons" / template)
    example = _PACKAGE.parent / skeleton.name
    for path in skeleton.shared:
        yield from _below(example, example / path)


def _below(root: Path, start: Path) -> Iterator[tuple[str, str]]:
    for path in start.rglob("*") if start.is_dir() else (start,):
        if path.is_file() and _CACHE not in path.parts:
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
