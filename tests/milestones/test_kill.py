"""Killed at any step: no tag is lost, `check` says what is halfway, and `--fix` or the same command goes on.

Every call of git is visited, and every effect of the process itself between them: a first run counts them.
"""

import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.milestones.command import KILLED, Answer, Tool
from tests.milestones.journal import write_journal
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import START, Clone, Remote
from tests.milestones.soaking import patient, some
from tests.milestones.steps import MODES, Steps

NAMES = {"week2": "week2-start", "week8_code": "week8"}


@dataclass(frozen=True)
class Scenario:
    """What is there, and what is asked of it."""

    prepare: Callable[[Clone, Remote], None]
    arguments: tuple[str, ...]
    deleted: tuple[str, ...] = ()


def one_week(clone: Clone, _: Remote) -> None:
    clone.tag("week1")
    clone.commit("Work on week 2")
    clone.tag("week2")
    clone.git("push", "--quiet", "origin", "main")
    clone.publish("week1", "week2")


def one_week_by_pieces(clone: Clone, remote: Remote) -> None:
    one_week(clone, remote)
    remote.without_atomic()


def packed(clone: Clone, remote: Remote) -> None:
    one_week(clone, remote)
    clone.git("pack-refs", "--all")
    remote.git("pack-refs", "--all")


def journal(clone: Clone, _: Remote) -> None:
    write_journal(clone)
    clone.lightweight("week3")
    clone.git("push", "--quiet", "origin", "refs/tags/week3")
    clone.tag("week4")
    clone.commit("Later")


def behind(clone: Clone, remote: Remote) -> None:
    """The remote has a new tag, and no longer has one of ours."""
    one_week(clone, remote)
    remote.git("update-ref", "-d", "refs/tags/week1")
    clone.tag("week3")
    clone.publish("week3")
    clone.git("update-ref", "-d", "refs/tags/week3")


RENAME = ("rename", "week2", "week2-start", "--push")
SCENARIOS = {
    "rename": Scenario(one_week, RENAME),
    "rename by pieces": Scenario(one_week_by_pieces, RENAME),
    "rename packed": Scenario(packed, RENAME),
    "start": Scenario(one_week, ("start", "3", "-m", "x", "--push")),
    "finish": Scenario(one_week_by_pieces, ("finish", "3", "--push")),
    "delete": Scenario(one_week, ("delete", "week2", "--yes"), ("week2",)),
    "delete by pieces": Scenario(one_week_by_pieces, ("delete", "week2", "--yes"), ("week2",)),
    "fix": Scenario(journal, ("check", "--fix", "--yes")),
    "sync": Scenario(behind, ("sync", "--yes"), ("week1",)),
}


class World:
    """One scenario, as often as it takes, each time from the same beginning."""

    def __init__(self, folder: Path, scenario: Scenario, tool: Tool) -> None:
        self.scenario = scenario
        self._tool = tool
        self._folder = folder
        self._master = folder / "master"
        remote = Remote(self._master / "remote.git")
        clone = Clone(self._master / "clone", remote, "../remote.git")
        scenario.prepare(clone, remote)
        self.steps = Steps(folder / "steps")
        self.steps.watch(remote)
        self.environ = {"PATH": self.steps.path(os.environ["PATH"])}

    def again(self) -> None:
        """Put everything back."""
        now = self._folder / "now"
        shutil.rmtree(now, ignore_errors=True)
        shutil.copytree(self._master, now, symlinks=True)
        self.remote = Remote(now / "remote.git")
        self.clone = Clone(now / "clone")
        self.ledger = Ledger(self.clone, self.remote)

    def run(self, *arguments: str, effects: int | None = None) -> Answer:
        """Run the scenario's command, or another one."""
        return self._tool(
            *(arguments or self.scenario.arguments), cwd=self.clone.root, env=self.environ, effects=effects
        )

    def count(self) -> tuple[int, int]:
        """Say how many calls of git and how many effects it takes when nobody is killed."""
        self.again()
        self.steps.spare()
        done = self.run(effects=0)
        assert done.code == 0, done
        return len(self.steps.calls()), done.effects

    def settle(self, where: str, *, again: bool) -> None:
        """Hold what the dead have left to what was promised; then mend it, perhaps after trying `again`."""
        self._keeps(where)
        self._honest(where)
        self._age()
        if again:
            answer = self.run()
            assert "Traceback" not in answer.err, (where, answer)
            self._keeps(f"{where}, again")
            self._honest(f"{where}, again")
        mended = self.run("check", "--fix", "--yes")
        if mended.code == 5 and self.scenario.deleted:
            # It may have been deleted before, or brought back since: that is for somebody to say.
            assert f"bootstrap tag delete {self.scenario.deleted[0]}" in mended.out, (where, mended)
            mended = self.run()
        assert mended.code == 0, (where, mended)
        self._keeps(f"{where}, mended")
        assert unequal(self.clone, self.remote) == [], where
        assert self.clone.locks() == [], where
        self.run("check").check(0)

    def _keeps(self, where: str) -> None:
        assert self.ledger.settle(renamed=NAMES, deleted=self.scenario.deleted) == [], where

    def _honest(self, where: str) -> None:
        checked = self.run("check")
        assert checked.code in (0, 5), (where, checked)
        if checked.code == 0:
            assert unequal(self.clone, self.remote) == [], where
            assert self.clone.locks() == [], where
            return
        for lock in self.clone.locks():
            assert lock.rpartition("/")[2] in checked.out, (where, checked)
        for name in unequal(self.clone, self.remote):
            assert name in checked.out, (where, checked)

    def _age(self) -> None:
        """Let a while go by: whoever made a lock just now could still be at work."""
        for side, folder in ((self.clone, ".git"), (self.remote, "")):
            for lock in side.locks():
                os.utime(side.root / folder / lock, (START, START))


Place = TypeVar("Place")


def visited(places: Sequence[Place], chance: random.Random, soak: int) -> Sequence[Place]:
    """Every place in a soak; otherwise one, chosen anew by every seed."""
    return places if soak > 1 else chance.sample(places, 1)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path, tool: Tool) -> World:
    """The scenario that the test is about."""
    return World(tmp_path, SCENARIOS[request.param], tool)


@pytest.mark.soak
@patient
@pytest.mark.parametrize("world", some(SCENARIOS, 3, "calls"), indirect=True)
def test_killed_at_a_call_of_git(
    world: World, chance: random.Random, soak: int, record_property: Callable[[str, object], None]
) -> None:
    """Before it, after it, within it, and while the other side decides."""
    calls, _ = world.count()
    assert calls >= 5
    places = [(number, mode) for number in range(calls) for mode in MODES]
    killed = 0
    for number, mode in visited(places, chance, soak):
        for again in (False, True) if soak > 1 else (chance.random() < 0.5,):
            world.again()
            with world.steps.kill(number, mode):
                done = world.run()
            where = f"{mode} call {number} of {calls}"
            if mode in ("before", "after"):
                assert done.code == KILLED, (where, done)
            if done.code == KILLED:
                killed += 1
                world.settle(where, again=again)
            else:
                assert done.code == 0, (where, done)
    record_property("kills", killed)


@pytest.mark.soak
@patient
@pytest.mark.parametrize("world", some(SCENARIOS, 3, "effects"), indirect=True)
def test_killed_before_an_effect(
    world: World, chance: random.Random, soak: int, record_property: Callable[[str, object], None]
) -> None:
    calls, effects = world.count()
    assert effects >= calls
    killed = 0
    for number in visited(range(1, effects + 1), chance, soak):
        for again in (False, True) if soak > 1 else (chance.random() < 0.5,):
            world.again()
            done = world.run(effects=number)
            where = f"before effect {number} of {effects}"
            assert done.code == KILLED, (where, done)
            killed += 1
            world.settle(where, again=again)
    record_property("kills", killed)


@pytest.mark.slow
@pytest.mark.parametrize("world", ["rename"], indirect=True)
def test_every_call_of_a_rename_is_visited(world: World) -> None:
    """None is skipped: each is reached, in order, with the same calls before it as when nobody dies."""
    calls, _ = world.count()
    whole = [line.replace(str(world.clone.root.parent), "") for line in world.steps.calls()]
    for number in range(calls):
        world.again()
        with world.steps.kill(number, "after"):
            assert world.run().code == KILLED
            assert [line.split(" ")[:3] for line in world.steps.calls()] == [
                line.split(" ")[:3] for line in whole[: number + 1]
            ]
        world.settle(f"after call {number} of {calls}", again=number % 2 == 0)
