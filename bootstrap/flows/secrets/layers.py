"""Where a secret's value comes from: session file, then environment, then the chosen store."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bootstrap.flows.environment import PROOF_KEY
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import SecretStore
from bootstrap.secrets.session import Store as SessionStore


class Held(Struct, frozen=True):
    """One layer that has a value for a name."""

    layer: str
    secret: Secret
    #: whether this is the value in force
    counts: bool


class Layers:
    """Looks secrets up. Calling it with a name reads the value in force, or None.

    The chosen store is opened only if it has to be, and asked for all missing names at once: for some stores
    a question is a program, a prompt, or a call over the network. Their errors are raised as they are.
    """

    def __init__(
        self,
        session: SessionStore,
        environment: SecretStore,
        chosen: Callable[[], SecretStore | None],
        names: Iterable[str],
    ) -> None:
        self._session = session
        self._environment = environment
        self._open = chosen
        self._names = frozenset(names)
        self._kept: dict[str, Secret | None] = {}

    def __call__(self, name: str) -> Secret | None:
        """Read the value in force; None when there is none."""
        found = self.outer(name)
        if found is not None or name == PROOF_KEY:  # which is made for one run, and never kept
            return found
        if name not in self._kept:
            self._ask({name, *(known for known in self._names if self.outer(known) is None)})
        return self._kept[name]

    def outer(self, name: str) -> Secret | None:
        """Read the value in force as far as session file and environment know it."""
        found = self._session.get(name)
        if found is not None or self._session.removed(name):
            return found
        return self._environment.get(name)

    def everywhere(self, name: str) -> tuple[Held, ...]:
        """Every layer that has a value, in the order in which they count."""
        if name not in self._kept:
            self._ask({name, *self._names})
        layers = (self._session.get(name), self._environment.get(name), self._kept[name])
        in_force = self.outer(name) or self._kept[name]
        layer = None if in_force is None else in_force.store
        return tuple(Held(one.store, one, one.store == layer) for one in layers if one is not None)

    def _ask(self, names: Iterable[str]) -> None:
        """Ask the chosen store, once; what it could not answer is not remembered as not set."""
        store = self._open()
        wanted = frozenset(names)
        answer: dict[str, Secret] = {}
        # The environment may be the store: it is a layer already, and knows nothing of removals.
        if store is not None and store.name != self._environment.name:
            answer = store.get_many(wanted)
        self._kept |= dict.fromkeys(wanted) | answer
