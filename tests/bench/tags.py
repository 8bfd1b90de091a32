"""`tag list` and `tag check` on ten thousand milestones, beside a `git for-each-ref` of the same tags."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench import peers, projects
from tests.bench.measure import Command, in_turn
from tests.bench.scenarios import Result

TAGS = 10_000
#: as few as make every kind of question necessary
_FEW = 10
_START = 1_767_225_600
_WHO = "Ann Tagger <ann@example.com>"
#: what `tag list` shows of each tag, as git itself would read it
_FORM = "--format=%(refname) %(objectname) %(*objectname) %(taggerdate:iso8601) %(contents:subject)"
_COUNTING = '#!/bin/sh\necho x >>"{log}"\nexec "{git}" "$@"\n'


class Clone(NamedTuple):
    """A clone and its remote, which have the same tags."""

    root: Path
    tags: int


def tags(folder: Path, runs: int) -> Iterator[Result]:
    """Measure both; raises RuntimeError where more tags need more processes of git."""
    commands = peers.install_same()
    environ = projects.surroundings(folder, commands)
    many, few = make_clone(folder / "many", TAGS), make_clone(folder / "few", _FEW)
    peer = Command("git for-each-ref", ("git", "for-each-ref", _FORM, "refs/tags/"), many.root, environ)
    for verb, target in (("list", 12.0), ("check", 10.0)):
        argv = (commands / "bootstrap", "tag", verb)
        processes = [_processes(folder, argv, clone, environ) for clone in (few, many)]
        if processes[0] != processes[1]:
            raise RuntimeError(f"tag {verb}: {processes[0]} processes for few tags, {processes[1]} for many")
        ours = Command(f"bootstrap tag {verb}", argv, many.root, environ)
        mine, other = in_turn(ours.run, peer.run, runs)
        note = f"{TAGS} tags here and on the remote; {processes[1]} processes of git, as for {_FEW} tags"
        yield Result(f"tags: {verb}", ours.title, peer.title, target, mine, other, note)


def make_clone(folder: Path, count: int) -> Clone:
    """Make a history of `count` commits, each with its milestone, here and on a remote."""
    remote, root = folder / "remote.git", folder / "clone"
    remote.mkdir(parents=True)
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main"], cwd=remote, check=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=root, check=True)
    for place in (remote, root):
        stream = "".join(_week(number) for number in range(count))
        done = ["git", "fast-import", "--quiet"]
        subprocess.run(done, cwd=place, input=stream, text=True, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["git", "pack-refs", "--all"], cwd=place, check=True)
    subprocess.run(["git", "remote", "add", "origin", remote], cwd=root, check=True)
    return Clone(root, count)


def _week(number: int) -> str:
    """A commit and its milestone: week 0's start, week 0's finish, week 1's start ..."""
    name = f"week{number // 2}" + ("" if number % 2 else "-start")
    moment = f"{_START + number * 3600} +0000"
    return (
        f"commit refs/heads/main\nmark :{number + 1}\ncommitter {_WHO} {moment}\n{_data('Work on it')}"
        f"tag {name}\nfrom :{number + 1}\ntagger {_WHO} {moment}\n{_data(f'{name} is reached')}"
    )


def _data(text: str) -> str:
    return f"data {len(text) + 1}\n{text}\n\n"


def _processes(folder: Path, argv: tuple[Path | str, ...], clone: Clone, environ: dict[str, str]) -> int:
    """Count how often git is started while a command looks at a clone in which nothing is wrong."""
    git = shutil.which("git")
    programs, log = folder / "counting", folder / "calls"
    programs.mkdir(exist_ok=True)
    log.write_text("", encoding="utf-8")
    program = programs / "git"
    program.write_text(_COUNTING.format(log=log, git=git), encoding="utf-8")
    program.chmod(0o755)
    subprocess.run(
        argv,
        cwd=clone.root,
        env={**environ, "PATH": f"{programs}:{environ['PATH']}"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return len(log.read_text(encoding="utf-8").splitlines())
