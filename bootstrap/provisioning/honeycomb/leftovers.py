"""What our board still shows of services that the manifest has no longer: it goes with the next `apply`.

Only the board says what was made for this project: our mark on an annotation names the repository, which may
hold several projects. What another board shows, too, or what a board has made by itself, stays.
"""

from collections.abc import Collection, Sequence

from bootstrap.provisioning.honeycomb.access import Entrance
from bootstrap.provisioning.honeycomb.boards import Board
from bootstrap.provisioning.honeycomb.provider import Honeycomb
from bootstrap.provisioning.honeycomb.resources import resources
from bootstrap.provisioning.honeycomb.saved import Saved, found_as
from bootstrap.provisioning.interface import Direction, Fields, Found, Opening, Owner, Resource


class Tidy(Honeycomb):
    """An environment, with what is left over in it."""

    def __init__(self, opening: Opening, entrance: Entrance) -> None:
        super().__init__(opening, entrance)
        self._project = opening.project

    def leftovers(
        self, known: Collection[str], vendors: Collection[str], direction: Direction
    ) -> Sequence[Resource]:
        """Look at what our board shows; it asks nothing more while that is what the manifest has."""
        del known, vendors, direction
        boards = (one for one in resources(self._project, self) if isinstance(one, Board))
        return [
            Gone(self, dataset, str(there["id"]), str(there["name"]))
            for board in boards
            for dataset, there in board.gone()
        ]


class Gone(Resource):
    """The annotation of a query that nobody wants any more."""

    provider = "honeycomb"
    vendors = frozenset({"honeycomb"})
    kind = Saved.kind
    remains = Saved.remains
    unwanted = True

    def __init__(self, honeycomb: Honeycomb, dataset: str, identifier: str, name: str) -> None:
        self._honeycomb = honeycomb
        self._dataset = dataset
        self._identifier = identifier
        self.name = name

    def wanted(self) -> Fields:
        """Nothing."""
        return {}

    def find(self) -> Found | None:
        """Look for it by its id."""
        every = self._honeycomb.annotations(self._dataset)
        there = next((one for one in every if one["id"] == self._identifier), None)
        return None if there is None else found_as(self._honeycomb.owner, there, {})

    def create(self, owner: Owner) -> None:
        """Do nothing: it is not wanted."""

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Do nothing: it is not wanted."""

    def adopt(self, found: Found, owner: Owner) -> None:
        """Do nothing: it is not wanted."""

    def delete(self, found: Found) -> None:
        """Remove it."""
        del found
        self._honeycomb.remove_annotation(self._dataset, self._identifier)
