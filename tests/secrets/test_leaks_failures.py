"""Nothing leaks when a store is torn or full, and when a program talks, hangs or is interrupted."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.secrets.leak_sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: says what it was given on both streams, and fails
TALK = 'cat >&2; echo "cannot do: $*" >&2; echo "cannot do: $*"; exit 1'


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


def torn_file(sweep: Sweep) -> None:
    sweep.shop.choose("file", **sweep.values)
    file = sweep.shop.place.folder.path / "secrets.json"
    os.truncate(file, file.stat().st_size - 3)
    sweep.set(code=1)
    sweep.step("secrets", "list", "--json", code=1)
    sweep.step("run", "worker", "--", "true", code=125)
    sweep.step("secrets", "unset", "WORKER_KEY", code=1)


def file_of_another_form(sweep: Sweep) -> None:
    sweep.shop.choose("file", **sweep.values)
    file = sweep.shop.place.folder.path / "secrets.json"
    document = json.loads(file.read_text("utf-8"))
    for secrets in (
        sweep.values["WORKER_KEY"],
        [sweep.values["WORKER_KEY"]],
        {"WORKER_KEY": [*sweep.values.values()]},
    ):
        file.write_text(json.dumps({**document, "secrets": secrets}), "utf-8")
        sweep.step("secrets", "get", "WORKER_KEY", "--json", code=1)


def folder_that_is_none(sweep: Sweep) -> None:
    folder = sweep.shop.place.folder.path
    folder.parent.mkdir(parents=True)
    folder.write_text("", encoding="utf-8")
    for options in ([], ["--json"], ["--store", "file"]):
        result = sweep.shop("secrets", "set", "WORKER_KEY", *options, data=sweep.values["WORKER_KEY"])
        sweep.look(result)
        assert result.code in (1, 3)


def full_disk(sweep: Sweep) -> None:
    sweep.shop.choose("file", WORKER_KEY="before")
    sweep.set(code=1, shell='ulimit -f 0; exec "$@"').check(1)
    assert sweep.shop.kept() == {"WORKER_KEY": "before"}
    sweep.shop.keep("file", **sweep.values)
    for command in (("secrets", "get", "DATABASE_URL"), ("secrets", "export", "--json")):
        sweep.step(*command, code=1, shell='exec "$@" >/dev/full').check(1, "cannot write its output")
        sweep.step(*command, code=1, shell='ulimit -f 0; exec "$@" >out').check(1, "cannot write its output")


def talkative_gp(sweep: Sweep) -> None:
    sweep.shop.enter_gitpod(sweep.programs)
    sweep.shop.choose("gitpod")
    sweep.program("gp", f'case "$*" in *=*) {TALK} ;; esac; exec $ITSELF "$@"')
    sweep.set(code=1)
    sweep.shop.environ |= sweep.values
    sweep.step("secrets", "import", "--environment", "--json", code=1)


def gp_with_another_answer(sweep: Sweep) -> None:
    sweep.shop.enter_gitpod(sweep.programs)
    sweep.shop.choose("gitpod")
    value = sweep.values["WORKER_KEY"]
    for answer in (f'export A="{value}', f"A={value}\n", f'{{"A": "{value}"}}\n'):
        (sweep.folder / "answer").write_text(answer, encoding="utf-8")
        sweep.program("gp", f"cat {sweep.folder}/answer")
        sweep.step("secrets", "list", "--json", code=3)
    sweep.set(code=3)


def gp_that_bends(sweep: Sweep) -> None:
    sweep.shop.enter_gitpod(sweep.programs)
    sweep.shop.choose("gitpod")
    sweep.program("gp", 'case "$*" in *=*) exec $ITSELF "$@-bent" ;; esac; exec $ITSELF "$@"')
    sweep.set(code=1)


def ctrl_c_while_gp_hangs(sweep: Sweep) -> None:
    hanging_gp(sweep)
    ended = sweep.interrupt(
        signal.SIGINT,
        *("secrets", "set", "WORKER_KEY"),
        data=sweep.values["WORKER_KEY"],
        when=(sweep.folder / "hangs").exists,
    )
    assert ended.check(130).err.count("interrupted") == 1


def end_while_gp_hangs(sweep: Sweep) -> None:
    hanging_gp(sweep)
    sweep.interrupt(
        signal.SIGTERM,
        *("secrets", "set", "WORKER_KEY", "--json"),
        data=sweep.values["WORKER_KEY"],
        when=(sweep.folder / "hangs").exists,
    ).check(-signal.SIGTERM)


def hanging_gp(sweep: Sweep) -> None:
    """From now on `gp` hangs when it is to set something; it ends once nobody reads its answer any more."""
    sweep.shop.enter_gitpod(sweep.programs)
    sweep.shop.choose("gitpod")
    sweep.program(
        "gp",
        f'case "$*" in *=*) touch {sweep.folder}/hangs; while kill -0 $PPID; do sleep 0.1; done;; esac;'
        ' exec $ITSELF "$@"',
    )


def talkative_gh(sweep: Sweep) -> None:
    sweep.shop.enter(sweep.programs, {"CODESPACES": "true", "CODESPACE_NAME": "acme-shop", "GH_DEBUG": "api"})
    with sweep.programs.change("gh") as state:
        state["repositories"] = {"acme/shop": 101}
    sweep.shop.choose("codespaces")
    sweep.program("gh", f'case "$*" in "secret set"*) {TALK} ;; esac; exec $ITSELF "$@"')
    sweep.set(code=4)
    sweep.shop.keep("file", **sweep.values)
    sweep.step("secrets", "copy", "--from", "file", "--to", "codespaces", "--json", code=4)


def talkative_ona(sweep: Sweep) -> None:
    sweep.shop.enter(sweep.programs, {"GITPOD_ENVIRONMENT_ID": "acme-shop"})
    sweep.shop.choose("ona")
    sweep.program("ona", f'case "$*" in *stdin*) {TALK} ;; esac; exec $ITSELF "$@"')
    sweep.set(code=4)


TROUBLES: list[Callable[[Sweep], None]] = [
    torn_file,
    file_of_another_form,
    folder_that_is_none,
    full_disk,
    talkative_gp,
    gp_with_another_answer,
    gp_that_bends,
    ctrl_c_while_gp_hangs,
    end_while_gp_hangs,
    talkative_gh,
    talkative_ona,
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_nothing_leaks(sweep: Sweep, trouble: Callable[[Sweep], None]) -> None:
    # One of them imports what a shell exports: then it is in the environment of whatever the shell starts.
    with sweep.probe.watching(environ=trouble is not talkative_gp) as seen:
        trouble(sweep)
    assert seen == set()
    sweep.look_everywhere()


@pytest.mark.slow
def test_nothing_leaks_when_gp_never_answers(sweep: Sweep) -> None:
    hanging_gp(sweep)
    with sweep.probe.watching() as seen:
        ended = sweep.step(
            *("secrets", "set", "WORKER_KEY"), data=sweep.values["WORKER_KEY"], code=1, timeout=200
        )
    ended.check(1, "WORKER_KEY: failed: gp: no answer within 65 seconds")
    assert seen == set()
    sweep.look_everywhere()
