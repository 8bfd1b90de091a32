"""Whatever two clones do, at once, killed or refused: no tag is lost, and `check` is honest.

A step is something that people do with git, something that happens to the remote, or a command of the tool by
one clone or by both at the same time, which may be killed before any of its effects.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.milestones.command import KILLED, Answer, Tool
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import START, Clone, Git, Remote
from tests.milestones.soaking import SOAK, patient

NAMES = ("week1", "week1-start", "week2", "week2-start", "week3", "week6-7", "week8_code", "v1")
#: what every second kill of a command that changes something still meets
_MOST_EFFECTS = 24
#: tests that a soak is divided into, so that several processors have something to do
_SHARES = 8


def _annotate(clone: Clone, _: Remote, name: str) -> None:
    clone.tag(name)


def _lighten(clone: Clone, _: Remote, name: str) -> None:
    clone.lightweight(name)


def _mislabel(clone: Clone, _: Remote, name: str) -> None:
    clone.tag_inside(name, "week9", f"calls itself week9 and is {name}\n")


def _nest(clone: Clone, _: Remote, name: str) -> None:
    if "week3" in clone.tags():
        clone.tag(name, target="refs/tags/week3")


def _rename_by_hand(clone: Clone, _: Remote, name: str) -> None:
    """As the journal did."""
    if name in clone.tags() and "week7" not in clone.tags():
        clone.git("update-ref", "refs/tags/week7", f"refs/tags/{name}")
        clone.git("update-ref", "-d", f"refs/tags/{name}")


def _branch(clone: Clone, _: Remote, name: str) -> None:
    clone.run("branch", name)


def _commit(clone: Clone, _: Remote, name: str) -> None:
    clone.commit(f"Work for {name}")


def _push_one(clone: Clone, _: Remote, name: str) -> None:
    clone.run("push", "--quiet", "origin", f"refs/tags/{name}")


def _push_all(clone: Clone, _: Remote, __: str) -> None:
    clone.run("push", "--quiet", "--tags", "origin")


def _fetch(clone: Clone, _: Remote, __: str) -> None:
    clone.run("fetch", "--quiet", "--tags", "origin")


def _pack(clone: Clone, remote: Remote, _: str) -> None:
    clone.git("pack-refs", "--all")
    remote.git("pack-refs", "--all")


def _by_pieces(_: Clone, remote: Remote, __: str) -> None:
    remote.without_atomic()


def _whole(_: Clone, remote: Remote, __: str) -> None:
    remote.run("config", "--unset", "receive.advertiseAtomic")


def _protect(_: Clone, remote: Remote, name: str) -> None:
    remote.protect(f"refs/tags/{name}")


def _keep(_: Clone, remote: Remote, __: str) -> None:
    remote.keep_everything()


def _allow(_: Clone, remote: Remote, __: str) -> None:
    remote.allow()


BY_HAND: tuple[Callable[[Clone, Remote, str], None], ...] = (
    *(_annotate, _annotate, _lighten, _mislabel, _nest, _rename_by_hand, _branch, _commit),
    *(_push_one, _push_all, _fetch, _pack, _by_pieces, _whole, _protect, _keep, _allow),
)


@dataclass(frozen=True)
class ByHand:
    """What somebody does without the tool, in clone 0 or 1."""

    what: Callable[[Clone, Remote, str], None]
    who: int
    name: str

    def __repr__(self) -> str:
        return f"{self.what.__name__}({self.who}, {self.name})"


@dataclass(frozen=True)
class Command:
    """A command of the tool, in clone 0 or 1, killed before that effect (0: never)."""

    arguments: tuple[str, ...]
    who: int
    killed: int

    @property
    def renames(self) -> dict[str, str]:
        """What it may have given another name; a drift may be mended by `--fix`, too."""
        return {self.arguments[1]: self.arguments[2]} if self.arguments[0] == "rename" else {}

    @property
    def deletes(self) -> tuple[str, ...]:
        """What it may have deleted."""
        return (self.arguments[1],) if self.arguments[0] == "delete" else ()


Step = ByHand | Command | tuple[Command, Command]

name = st.sampled_from(NAMES)
push = st.sampled_from([(), ("--push",)])
words = st.one_of(
    st.builds(
        # The message names the tag: two persons would not make one of the same second, words and commit.
        lambda verb, number, more: (verb, str(number), "-m", f"{verb} {number}", "--no-scan", *more),
        st.sampled_from(["start", "finish"]),
        st.integers(1, 3),
        push,
    ),
    st.builds(lambda old, new, more: ("rename", old, new, *more), name, name, push),
    st.builds(lambda one: ("delete", one, "--yes"), name),
    st.just(("check", "--fix", "--yes")),
    st.just(("sync", "--yes")),
)


def commands(who: st.SearchStrategy[int]) -> st.SearchStrategy[Command]:
    """Commands of these clones, half of them killed."""
    return st.builds(Command, words, who, st.one_of(st.just(0), st.integers(1, _MOST_EFFECTS)))


steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(ByHand, st.sampled_from(BY_HAND), st.integers(0, 1), name),
        st.builds(ByHand, st.sampled_from(BY_HAND), st.integers(0, 1), name),
        commands(st.integers(0, 1)),
        commands(st.integers(0, 1)),
        st.tuples(commands(st.just(0)), commands(st.just(1))),
    ),
    min_size=4,
    max_size=12,
)


class World:
    """A remote and two clones."""

    def __init__(self, folder: Path, tool: Tool) -> None:
        self.remote = Remote(folder / "remote.git")
        self.clones = [Clone(folder / "one", self.remote), Clone(folder / "two", self.remote)]
        self.clones[1].clock += 1
        self._tool = tool
        self.kills = 0
        #: names that each clone was once asked to delete: its `--fix` does so again, wherever they come back
        self.deleted: tuple[set[str], set[str]] = (set(), set())

    def ask(self, command: Command) -> Answer:
        """Run one command."""
        root = self.clones[command.who].root
        return self._tool(*command.arguments, cwd=root, effects=command.killed)

    def take(self, step: Step) -> None:
        """Take one step; hold every command to the promises."""
        if isinstance(step, ByHand):
            step.what(self.clones[step.who], self.remote, step.name)
            return
        both = (step,) if isinstance(step, Command) else step
        ledger = Ledger(*self.clones, self.remote)
        with ThreadPoolExecutor(len(both)) as pool:
            answers = list(pool.map(self.ask, both))
        for answer in answers:
            assert answer.code in (KILLED, 0, 1, 2, 3, 4, 5), answer
            assert "Traceback" not in answer.err, answer
            self.kills += answer.code == KILLED
        renamed = {old: new for one in both for old, new in one.renames.items()}
        deleted = [name for one in both for name in one.deletes]
        lost = ledger.settle(
            renamed={"week6-7": "week7", "week8_code": "week8"} | renamed,
            deleted=deleted,
            deleted_before=set().union(*(self.deleted[one.who] for one in both)),
        )
        for one in both:
            self.deleted[one.who].update(one.deletes)
        assert lost == [], answers
        for clone in self.clones:
            self.honest(clone)

    def honest(self, clone: Clone) -> Answer:
        """What is not the same here and there, and every lock, has to be said."""
        checked = self._tool("check", cwd=clone.root)
        assert checked.code in (0, 5), checked
        said = checked.out
        for different in _milestones(unequal(clone, self.remote), clone, self.remote):
            assert different in said, checked
        for lock in clone.locks():
            assert lock.rpartition("/")[2] in said, checked
        return checked

    def finish(self) -> None:
        """When nobody refuses any more, mending twice ends in what stays, with nothing lost on the way."""
        self.remote.allow()
        clone = self.clones[0]
        for lock in clone.locks():
            os.utime(clone.root / ".git" / lock, (START, START))
        ledger = Ledger(clone, self.remote)
        self._tool("check", "--fix", "--yes", cwd=clone.root)
        self._tool("check", "--fix", "--yes", cwd=clone.root)
        lost = ledger.settle(
            renamed={"week6-7": "week7", "week8_code": "week8"}, deleted_before=self.deleted[0]
        )
        assert lost == []
        assert clone.locks() == []
        before = clone.refs(), self.remote.refs()
        self._tool("check", "--fix", "--yes", cwd=clone.root)
        assert (clone.refs(), self.remote.refs()) == before
        mine, theirs = clone.tags(), self.remote.tags()
        for different in _milestones(unequal(clone, self.remote), clone, self.remote):
            assert different in mine, "the remote's is taken"
            assert different in theirs, "ours is published"
        self.honest(clone)


def _milestones(names: Iterable[str], here: Git, there: Git) -> list[str]:
    """Other tags may be somebody's own, as long as nobody publishes another one under the same name."""
    mine, theirs = here.tags(), there.tags()
    return [one for one in names if one.startswith("week") or (one in mine and one in theirs)]


@pytest.mark.soak
@patient
@pytest.mark.parametrize("share", range(1 if SOAK == 1 else _SHARES))
def test_nothing_is_lost_whatever_happens(
    tool: Tool, soak: int, share: int, record_property: Callable[[str, object], None]
) -> None:
    counts: Counter[str] = Counter()

    @seed(int(os.environ["BOOTSTRAP_SEED"]) + share)
    @settings(
        max_examples=4 if soak == 1 else 30 * soak // _SHARES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(steps)
    def play(taken: list[Step]) -> None:
        with tempfile.TemporaryDirectory(prefix="sequence") as folder:
            world = World(Path(folder), tool)
            try:
                for step in taken:
                    world.take(step)
                world.finish()
            except AssertionError as error:
                error.add_note(f"what was done: {taken!r}")
                raise
        counts.update(sequences=1, steps=len(taken), kills=world.kills)

    play()
    for name, count in counts.items():
        record_property(name, count)
