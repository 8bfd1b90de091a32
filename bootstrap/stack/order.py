"""In which order services start: each after what it depends on."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import Launch


def waves(launches: Sequence[Launch]) -> list[list[Launch]]:
    """Group the services so that each depends on earlier groups only.

    Raises BootstrapError for a circle, which it names, and for a dependency that is not among `launches`.
    """
    names = {launch.name for launch in launches}
    for launch in launches:
        for wanted in launch.depends_on:
            if wanted not in names:
                raise BootstrapError(
                    f"services.{launch.name}.depends_on: {wanted} is not among the services to start",
                    f"Start {wanted} too, or take it out of depends_on.",
                )
    sorter = TopologicalSorter({launch.name: launch.depends_on for launch in launches})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise BootstrapError(
            f"depends_on goes in a circle: {circle}", "Take one of these dependencies out of bootstrap.toml."
        ) from error
    groups = []
    while sorter.is_active():
        ready = sorter.get_ready()
        groups.append([launch for launch in launches if launch.name in ready])
        sorter.done(*ready)
    return groups
