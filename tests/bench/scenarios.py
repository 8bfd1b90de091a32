"""What is measured: the tool's commands and renderer, each beside the peer that does the same work."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import peers, projects
from tests.bench.measure import Command, Cost, in_turn

#: as many services as make as many files as tutor's own environment has
RENDERED_SERVICES = 16
MANY_SERVICES = 1000
_SECRETS = (
    *("HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
)
_SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@dataclass(frozen=True)
class Result:
    """One comparison: what both cost in each turn, and the ratio that we want to stay below."""

    name: str
    ours: str
    theirs: str
    target: float
    our_costs: list[Cost]
    their_costs: list[Cost]
    note: str = ""


def startup(folder: Path, runs: int) -> Iterator[Result]:
    """`--help` beside that of a Click program which does nothing else."""
    commands = peers.install_same()
    environ = projects.surroundings(folder, commands)
    ours = Command("bootstrap --help", (commands / "bootstrap", "--help"), folder, environ)
    theirs = Command("bare Click --help", (commands / "bare-click", "--help"), folder, environ)
    yield _compared("help", ours, theirs, 1.3, runs)


def run(folder: Path, runs: int) -> Iterator[Result]:
    """`run` beside `dotenv run`: the child of both gets the same variables.

    Once with the secrets in the environment, and once with all of them in the store that is a file.
    """
    commands = peers.install_same()
    text = (peers.ROOT / "bootstrap.toml").read_text(encoding="utf-8")
    project = projects.make_project(folder / "project", text)
    (project / "backend-flask").mkdir()
    plain = projects.surroundings(folder, commands)
    exported = {name: secrets.token_hex(16) for name in _SECRETS}
    ours = (str(commands / "bootstrap"), "run", "backend-flask", "--")
    theirs = (str(commands / "dotenv"), "run", "--")
    wanted = _environment(ours, project, plain | exported)
    in_file = {name: value for name, value in wanted.items() if name not in plain}
    (project / ".env").write_text(projects.dotenv_text(in_file), encoding="utf-8")
    note = f"{len(in_file)} variables"
    _expect(wanted, theirs, project, plain)
    peer = Command("dotenv run -- true", (*theirs, "true"), project, plain)
    title = "bootstrap run backend-flask -- true"
    from_environment = Command(title, (*ours, "true"), project, plain | exported)
    yield _compared("run: environment", from_environment, peer, 1.0, runs, note=note)
    _store(commands / "bootstrap", exported, project, plain)
    _expect(wanted, ours, project, plain)
    from_file = Command(title, (*ours, "true"), project, plain)
    note = f"{note}, {len(exported)} of them from the file store: the headline"
    yield _compared("run: file store", from_file, peer, 1.0, runs, note=note)


def _store(bootstrap: Path, values: dict[str, str], project: Path, environ: dict[str, str]) -> None:
    """Keep `values` in the file store, as somebody would who has them on paper."""
    _quietly((bootstrap, "secrets", "use", "file"), project, environ)
    for name, value in values.items():
        _quietly((bootstrap, "secrets", "set", name), project, environ, data=value)


def _quietly(argv: tuple[str | Path, ...], folder: Path, environ: dict[str, str], data: str = "") -> None:
    subprocess.run(argv, cwd=folder, env=environ, input=data, text=True, capture_output=True, check=True)


def _expect(wanted: dict[str, str], argv: tuple[str, ...], folder: Path, environ: dict[str, str]) -> None:
    if _environment(argv, folder, environ) != wanted:
        raise RuntimeError(f"the child of {argv[0]} does not get the same variables")


def _environment(argv: tuple[str, ...], folder: Path, environ: dict[str, str]) -> dict[str, str]:
    done = subprocess.run(
        (*argv, sys.executable, "-c", _SHOW), cwd=folder, env=environ, stdout=subprocess.PIPE, check=True
    )
    seen: dict[str, str] = json.loads(done.stdout)
    return seen


def renderer(folder: Path, runs: int) -> Iterator[Result]:
    """The renderer beside bare Jinja, in one process and after a warm-up; memory in a process for each."""
    python = peers.install_same() / "python"
    environ = {**projects.surroundings(folder, python.parent), "PYTHONPATH": str(peers.ROOT)}
    base = (python, "-m", "tests.bench.renderer", "--services", str(MANY_SERVICES))
    taken = _json((*base, "--runs", str(runs), "against-jinja"), folder, environ)
    peaks = [Command(which, (*base, which), folder, environ).run().peak_bytes for which in ("ours", "theirs")]
    costs = [
        [Cost(turn["wall"], turn["cpu"], peak) for turn in taken[which]]
        for which, peak in zip(("ours", "theirs"), peaks, strict=True)
    ]
    yield Result(
        "renderer",
        f"the renderer, {MANY_SERVICES} services",
        "bare Jinja, same templates",
        2.0,
        costs[0],
        costs[1],
        note=f"{taken['files']} files; time in process, memory of a whole process",
    )


def growth(folder: Path, runs: int) -> dict[str, Any]:
    """From a manifest's bytes to every text, for growing manifests."""
    python = peers.install_same() / "python"
    environ = {**projects.surroundings(folder, python.parent), "PYTHONPATH": str(peers.ROOT)}
    argv = (python, "-m", "tests.bench.renderer", "growth", "--runs", str(max(3, runs // 4)))
    return _json(argv, folder, environ)


def render(folder: Path, runs: int) -> Iterator[Result]:
    """The whole `render` command beside `tutor config save`: the first time, and with nothing to change."""
    commands = peers.install_same()
    project = projects.make_project(folder / "project", projects.manifest(RENDERED_SERVICES))
    ours = (commands / "bootstrap", "render")
    our_environ = projects.surroundings(folder, commands)
    tutor = peers.install_tutor()
    root = folder / "tutor"
    theirs = (tutor / "tutor", "config", "save")
    their_environ = {**projects.surroundings(folder, tutor), "TUTOR_ROOT": str(root)}
    title = f"bootstrap render, {RENDERED_SERVICES} services"
    first = Command(title, ours, project, our_environ, before=lambda: _only_sources(project))
    theirs_first = Command("tutor config save", theirs, folder, their_environ, before=lambda: _nothing(root))
    first.run()
    theirs_first.run()
    yield _compared(
        "render: first",
        first,
        theirs_first,
        0.4,
        runs,
        note=f"the first time; {_written(project, root)}",
    )
    yield _compared(
        "render: again",
        Command(title, ours, project, our_environ),
        Command("tutor config save", theirs, folder, their_environ),
        0.4,
        runs,
        note="with nothing to change: the headline",
    )


def _only_sources(project: Path) -> None:
    for path in project.iterdir():
        if path.name in {".git", "bootstrap.toml", "service"}:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _nothing(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()


def _written(project: Path, root: Path) -> str:
    """Say how much each has written, once both have run."""
    ours = [path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts]
    theirs = [path for path in (root / "env").rglob("*") if path.is_file()]
    return f"{len(ours) - 1} files against {len(theirs)}"


def _compared(
    name: str, ours: Command, theirs: Command, target: float, runs: int, *, note: str = ""
) -> Result:
    mine, other = in_turn(ours.run, theirs.run, runs)
    return Result(name, ours.title, theirs.title, target, mine, other, note)


def _json(argv: tuple[str | Path, ...], folder: Path, environ: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(argv, cwd=folder, env=environ, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(os.path.realpath(name))
