"""Everything that one project wants at Honeycomb."""

from collections.abc import Iterator

from bootstrap.model.project import Project
from bootstrap.provisioning.honeycomb.boards import Board
from bootstrap.provisioning.honeycomb.datasets import Column, Dataset
from bootstrap.provisioning.honeycomb.provider import Honeycomb
from bootstrap.provisioning.honeycomb.queries import COLUMNS, QUERIES
from bootstrap.provisioning.honeycomb.saved import Saved
from bootstrap.provisioning.interface import Resource


def resources(project: Project, honeycomb: Honeycomb) -> Iterator[Resource]:
    """For each service its dataset, columns and queries; then the board that shows them all."""
    queries: list[Saved] = []
    for service in project.reporting_to("honeycomb"):
        name = service.otel_service_name
        dataset = Dataset(honeycomb, name)
        columns = [Column(honeycomb, dataset, name, column) for column in COLUMNS]
        needed = (dataset.key, *(column.key for column in columns))
        saved = [Saved(honeycomb, name, query, needed) for query in QUERIES]
        yield from (dataset, *columns, *saved)
        queries += saved
    if queries:
        yield Board(honeycomb, project.name, queries)
