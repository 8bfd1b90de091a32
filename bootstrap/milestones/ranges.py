"""Lists the commits between two milestones, for any number of pairs, in one look at the history."""

import heapq
from collections.abc import Mapping

from bootstrap.system.git_tags import Commit


class History:
    """Commits with their parents, children before parents."""

    def __init__(self, commits: Mapping[str, Commit]) -> None:
        self._commits = commits
        self._order = {commit: number for number, commit in enumerate(commits)}

    def seconds(self, commit: str) -> int | None:
        """When a commit was made, in seconds since the epoch."""
        return self._commits[commit].seconds if commit in self._commits else None

    def between(self, after: str | None, until: str) -> list[str]:
        """List the commits that lead to `until` and not to `after`, newest first.

        Walks down from both in the order of the history: a commit comes after all its children, so what it is
        told by them is complete. It stops where nothing is left that only `until` has.
        """
        if until not in self._order:
            return []
        wanted = {until: True}
        queue = [(self._order[until], until)]
        if after is not None and after in self._order:
            if after not in wanted:
                heapq.heappush(queue, (self._order[after], after))
            wanted[after] = False
        found: list[str] = []
        open_ends = sum(wanted.values())
        while queue and open_ends:
            _, commit = heapq.heappop(queue)
            own = wanted[commit]
            if own:
                open_ends -= 1
                found.append(commit)
            for parent in self._commits[commit].parents:
                if parent not in self._order:
                    continue
                before = wanted.get(parent)
                if before is None:
                    wanted[parent] = own
                    open_ends += own
                    heapq.heappush(queue, (self._order[parent], parent))
                elif before and not own:
                    wanted[parent] = False
                    open_ends -= 1
        return found

    def leads_to(self, older: str, newer: str) -> bool:
        """Whether `older` is `newer` or among what leads to it."""
        return older in self._order and newer in self._order and not self.between(newer, older)
