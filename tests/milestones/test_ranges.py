"""The commits between two milestones are those that lead to one and not to the other, in any history.

`git rev-list UNTIL ^AFTER` is no measure of it where clocks go back: git stops a few commits after the dates
say that it may, and then lists some that AFTER has as well. What leads to one it always lists in full.
"""

import random

import pytest

from bootstrap.milestones.ranges import History
from bootstrap.system import git_tags
from tests.conftest import Repository

COMMITS = 40
PAIRS = 60


@pytest.fixture
def tangle(repository: Repository, chance: random.Random) -> list[str]:
    """A history with branches, merges, several roots, and clocks that go back; returns its commits."""
    stream = []
    for number in range(1, COMMITS + 1):
        own = chance.sample(range(1, number), min(number - 1, chance.choice((0, 1, 1, 1, 2, 3))))
        lines = [f"reset refs/heads/b{number}", f"commit refs/heads/b{number}", f"mark :{number}"]
        lines += [f"committer A <a@example.com> {1_600_000_000 + chance.randrange(10**6)} +0000", "data 0"]
        lines += [f"{'merge' if at else 'from'} :{parent}" for at, parent in enumerate(own)]
        stream += [*lines, ""]
    repository.write("stream", "\n".join(stream))
    repository.git("-c", "alias.import=!git fast-import --quiet <stream", "import")
    return repository.git("rev-list", "--all").split()


def test_between_lists_what_leads_to_one_and_not_to_the_other(
    repository: Repository, tangle: list[str], chance: random.Random, soak: int
) -> None:
    history = History(git_tags.history(repository.root, tangle))
    leading = {commit: set(repository.git("rev-list", commit).split()) for commit in tangle}
    for _ in range(PAIRS * soak):
        after, until = chance.choice(tangle), chance.choice(tangle)
        expected = leading[until] - leading[after]
        found = history.between(after, until)
        assert set(found) == expected
        assert len(found) == len(expected)
        assert history.leads_to(until, after) is (not expected)
    assert set(history.between(None, tangle[0])) == leading[tangle[0]]
