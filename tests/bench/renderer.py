"""The renderer in one process: against bare Jinja, and for more and more services. Prints JSON."""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from bootstrap.cli.session import OPTIONS
from bootstrap.config import manifest
from bootstrap.flows.render import inputs
from bootstrap.model.project import Project
from bootstrap.rendering.context import build
from bootstrap.rendering.renderer import EACH_SERVICE, FILTERS, SUFFIX, Renderer
from bootstrap.rendering.templates import built_in
from bootstrap.workspaces.local import Local
from tests.bench.projects import manifest as manifest_of

SIZES = (250, 500, 1000, 2000)


class BareJinja:
    """What a script with Jinja would do: no sandbox, no strictness, no errors in words."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._environment = jinja2.Environment(
            loader=jinja2.DictLoader(texts), trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
        )
        self._environment.filters.update(FILTERS)

    def render(self, context: dict[str, Any]) -> dict[str, str]:
        """Render every template, those of a service once for each."""
        files = {}
        for name in self._texts:
            template = self._environment.get_template(name)
            path = name.removesuffix(SUFFIX)
            if EACH_SERVICE not in path:
                files[path] = template.render(context)
                continue
            for service in context["services"]:
                files[path.replace(EACH_SERVICE, service["name"])] = template.render(context, service=service)
        return {path: text for path, text in files.items() if text.strip()}


def project(services: int) -> Project:
    """Read a manifest of that many services."""
    return manifest.loads(manifest_of(services).encode(), OPTIONS, root=Path())


def context(whole: Project) -> dict[str, Any]:
    """Make what templates see."""
    return build(inputs(whole, Local({})))


def against_jinja(services: int, runs: int) -> dict[str, Any]:
    """Render with both in turn, after one round that compiles the templates and compares the files."""
    texts, data = built_in(), context(project(services))
    ours, theirs = Renderer(texts), BareJinja(texts)
    files = {file.path: file.text for file in ours.render(data)}
    if files != theirs.render(data):
        raise RuntimeError("the renderer and bare Jinja do not give the same files")
    mine, other = [], []
    for _ in range(runs):
        mine.append(timed(lambda: ours.render(data)))
        other.append(timed(lambda: theirs.render(data)))
    return {"services": services, "files": len(files), "ours": mine, "theirs": other}


def growth(runs: int) -> dict[str, Any]:
    """From the manifest's bytes to every text, for each size: the median CPU seconds and the exponent."""
    renderer = Renderer(built_in())
    texts = {size: manifest_of(size).encode() for size in SIZES}

    def whole(size: int) -> None:
        renderer.render(context(manifest.loads(texts[size], OPTIONS, root=Path())))

    whole(SIZES[0])
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(runs):
        for size in SIZES:
            taken[size].append(timed(lambda size=size: whole(size))["cpu"])  # type: ignore[misc]
    medians = {size: statistics.median(seconds) for size, seconds in taken.items()}
    return {"cpu_seconds": medians, "exponent": exponent(medians)}


def exponent(points: dict[int, float]) -> float:
    """Fit seconds = a * size ** exponent by least squares over the logarithms."""
    xs, ys = [math.log(size) for size in points], [math.log(seconds) for seconds in points.values()]
    return statistics.linear_regression(xs, ys).slope


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main() -> None:
    """Measure what is asked for; `ours` and `theirs` render once, for somebody who watches the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("against-jinja", "growth", "ours", "theirs"))
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=10)
    asked = parser.parse_args()
    if asked.what == "against-jinja":
        print(json.dumps(against_jinja(asked.services, asked.runs)))
    elif asked.what == "growth":
        print(json.dumps(growth(asked.runs)))
    elif asked.what == "ours":
        Renderer(built_in()).render(context(project(asked.services)))
    else:
        BareJinja(built_in()).render(context(project(asked.services)))


if __name__ == "__main__":
    main()
