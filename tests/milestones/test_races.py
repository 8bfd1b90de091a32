"""Two clones that want the same name at the same moment: one gets it, the other hears so, nothing is lost."""

import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.milestones.command import Answer, Tool
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import Clone, Remote
from tests.milestones.soaking import patient, some

PAIRS = {
    "same start": (("start", "3", "-m", "x", "--push"), ("start", "3", "-m", "y", "--push")),
    "two renames": (
        ("rename", "week2", "week2-start", "--push"),
        ("rename", "week2", "week7", "--push"),
    ),
    "same rename": (
        ("rename", "week2", "week2-start", "--push"),
        ("rename", "week2", "week2-start", "--push"),
    ),
    "rename and delete": (
        ("rename", "week2", "week2-start", "--push"),
        ("delete", "week2", "--yes"),
    ),
    "two fixes": (("check", "--fix", "--yes"), ("check", "--fix", "--yes")),
    "fix and sync": (("check", "--fix", "--yes"), ("sync", "--yes")),
    "rename and start": (
        ("rename", "week2", "week3-start", "--push"),
        ("start", "3", "-m", "y", "--push"),
    ),
}


class Race:
    """A remote with `week2` and a mislabelled `week1`, and two clones that know both; or one clone twice."""

    def __init__(self, folder: Path, *, by_pieces: bool, same_clone: bool) -> None:
        self.remote = Remote(folder / "remote.git")
        first = Clone(folder / "one", self.remote)
        first.tag_inside("week1", "week0", "of week 1\n")
        first.commit("Work on week 2")
        first.tag("week2")
        first.git("push", "--quiet", "origin", "main")
        first.publish("week1", "week2")
        if by_pieces:
            self.remote.without_atomic()
        self.clones = [first]
        if not same_clone:
            second = Clone(folder / "two", self.remote)
            second.git("fetch", "--quiet", "--tags")
            self.clones.append(second)

    def run(self, tool: Tool, pair: tuple[tuple[str, ...], ...]) -> list[Answer]:
        """Run both at once."""
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(tool, *arguments, cwd=self.clones[number % len(self.clones)].root)
                for number, arguments in enumerate(pair)
            ]
            return [one.result() for one in asked]


@pytest.fixture
def folders() -> Iterator[Iterator[Path]]:
    """Any number of empty folders."""
    with tempfile.TemporaryDirectory(prefix="race") as folder:
        yield (Path(folder, str(number)) for number in range(1_000_000))


@pytest.mark.soak
@patient
@pytest.mark.parametrize("name", some(PAIRS, 3, "races"))
def test_a_race_loses_nothing(
    tool: Tool, folders: Iterator[Path], chance: random.Random, soak: int, name: str
) -> None:
    pair = PAIRS[name]
    for _ in range(soak):
        where = chance.choice(("two clones", "by pieces", "one clone"))
        race = Race(next(folders), by_pieces=where == "by pieces", same_clone=where == "one clone")
        ledger = Ledger(*race.clones, race.remote)
        answers = race.run(tool, pair)
        for answer in answers:
            assert answer.code in (0, 1, 2, 4, 5), answer
            assert "Traceback" not in answer.err, answer
        renamed = {one[1]: one[2] for one in pair if one[0] == "rename"}
        either = [{old: new} for old, new in ((one[1], one[2]) for one in pair if one[0] == "rename")]
        deleted = [one[1] for one in pair if one[0] == "delete"]
        results = [ledger.settle(renamed=one, deleted=deleted) for one in either or [renamed]]
        assert [] in results, (results, answers)
        if name == "same start":
            assert [answer.code for answer in answers].count(0) == 1, answers
        for clone in race.clones:
            checked = tool("check", cwd=clone.root)
            for different in unequal(clone, race.remote):
                assert different in checked.out, (checked, answers)
            assert clone.locks() == race.remote.locks() == []
        for clone in race.clones * 2:
            tool("check", "--fix", "--yes", cwd=clone.root)
        assert [] in [ledger.settle(renamed=one, deleted=deleted) for one in either or [renamed]]
