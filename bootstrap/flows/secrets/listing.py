"""What there is to know about every secret without its value."""

from collections.abc import Mapping

from msgspec import Struct

from bootstrap.flows.secrets.layers import Held, Layers
from bootstrap.model.project import SecretSpec


class Listed(Struct, frozen=True):
    """One secret: who sees it, and every layer that has a value for it."""

    spec: SecretSpec
    #: the services that declare it; empty for those of `verify` and `provision`
    services: tuple[str, ...]
    held: tuple[Held, ...]

    @property
    def in_force(self) -> Held | None:
        """The layer whose value counts."""
        return next((one for one in self.held if one.counts), None)

    @property
    def disagreeing(self) -> tuple[str, ...]:
        """The layers that have another value than the one that counts."""
        counting = self.in_force
        return tuple(one.layer for one in self.held if counting is not None and one.secret != counting.secret)


def every(
    specs: Mapping[str, SecretSpec], readers: Mapping[str, tuple[str, ...]], layers: Layers
) -> list[Listed]:
    """List every secret of the project, in the manifest's order."""
    return [Listed(spec, readers.get(name, ()), layers.everywhere(name)) for name, spec in specs.items()]
