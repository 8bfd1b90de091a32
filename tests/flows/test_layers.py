"""Where a value comes from: every combination of layers, and how often the store is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import pytest

from bootstrap.flows.environment import PROOF_KEY
from bootstrap.flows.secrets.layers import Layers
from bootstrap.flows.secrets.place import make_place
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.secrets.environment import Store as EnvironmentStore
from bootstrap.secrets.interface import SecretStore
from bootstrap.secrets.session import Store as SessionStore
from bootstrap.workspaces import detect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from bootstrap.secrets.interface import Place
    from tests.conftest import Bootstrap
    from tests.conftest import Repository as Clone

NAMES = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH")
KEY = NAMES[0]
UNANSWERED = "the store does not answer"


class Counting(SecretStore):
    """A store that writes down what it was asked, and answers only while it `works`."""

    name: ClassVar[str] = "counting"
    title: ClassVar[str] = "a store that counts"

    def __init__(self, values: dict[str, str], *, works: bool = True) -> None:
        self.values = values
        self.works = works
        self.opened = 0
        self.questions: list[set[str]] = []

    def open(self) -> SecretStore:
        self.opened += 1
        return self

    def get(self, name: str) -> Secret | None:
        return self.get_many([name]).get(name)

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:
        asked = set(names)
        self.questions.append(asked)
        if not self.works:
            raise BootstrapError(UNANSWERED)
        return {name: Secret(self.values[name], self.name) for name in asked if name in self.values}


@dataclass
class World:
    """A real session file, an environment, and what there is to look up in."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def session(self) -> SessionStore:
        return SessionStore(self._place())

    def layers(self, chosen: Callable[[], SecretStore | None]) -> Layers:
        return Layers(self.session, self.environment(), chosen, NAMES)

    def environment(self) -> EnvironmentStore:
        return EnvironmentStore(self._place())

    def _place(self) -> Place:
        environ = {**self.environ, "HOME": str(self.folder)}
        return make_place(
            Repository("example.com/acme/shop"),
            self.folder,
            environ,
            detect({}),
            services={},
            region="eu-central-1",
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


SESSIONS = ("nothing", "removed", "value")
ENVIRONMENTS = ("unset", "empty", "value")
STORES = ("none", "absent", "value", "broken")
# What is in force: S the session file's value, E the environment's, C the chosen store's, - nothing,
# ! the store's error; small where the store was not even opened.
TABLE = """
    session  environment  none absent value broken
    nothing  unset         -    -      C     !
    nothing  empty         -    -      C     !
    nothing  value         e    e      e     e
    removed  unset         -    -      C     !
    removed  empty         -    -      C     !
    removed  value         -    -      C     !
    value    unset         s    s      s     s
    value    empty         s    s      s     s
    value    value         s    s      s     s
"""
EXPECTED = {
    (row[0], row[1], store): cell
    for row in map(str.split, TABLE.strip().splitlines()[1:])
    for store, cell in zip(STORES, row[2:], strict=True)
}


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(product(SESSIONS, ENVIRONMENTS, STORES))


def prepare(world: World, session: str, environment: str, store: str) -> Counting | None:
    world.environ = {"unset": {}, "empty": {KEY: ""}, "value": {KEY: "of-the-environment"}}[environment]
    if session == "removed":
        world.session.mark_removed(KEY)
    elif session == "value":
        world.session.set(KEY, Secret("of-the-session", "prompt"))
    values = {KEY: "of-the-store"} if store == "value" else {}
    return None if store == "none" else Counting(values, works=store != "broken")


@pytest.mark.parametrize(("session", "environment", "store"), EXPECTED)
def test_which_value_is_in_force(world: World, session: str, environment: str, store: str) -> None:
    chosen = prepare(world, session, environment, store)
    layers = world.layers(lambda: None if chosen is None else chosen.open())
    expected = EXPECTED[session, environment, store]
    if expected == "!":
        with pytest.raises(BootstrapError, match=UNANSWERED):
            layers(KEY)
    else:
        found = layers(KEY)
        values = {"s": "of-the-session", "e": "of-the-environment", "C": "of-the-store", "-": None}
        assert (found.reveal() if found else None) == values[expected]
        sources = {"s": "session", "e": "environment", "C": "counting", "-": None}
        assert (found.store if found else None) == sources[expected]
    if chosen is not None:
        assert chosen.opened == (0 if expected in "se" else 1)


@pytest.mark.parametrize(("session", "environment", "store"), EXPECTED)
def test_a_list_names_every_layer_and_the_one_that_counts(
    world: World, session: str, environment: str, store: str
) -> None:
    chosen = prepare(world, session, environment, store)
    layers = world.layers(lambda: chosen)
    if store == "broken":
        with pytest.raises(BootstrapError, match=UNANSWERED):
            layers.everywhere(KEY)
        return
    held = layers.everywhere(KEY)
    having = [
        layer
        for layer, state in (("session", session), ("environment", environment), ("counting", store))
        if state == "value"
    ]
    assert [one.layer for one in held] == having
    counting = [one.secret for one in held if one.counts]
    assert counting == [found for found in [layers(KEY)] if found is not None]


def test_one_question_for_everything_that_is_missing(world: World) -> None:
    world.session.set("FIRST", Secret("a", "prompt"))
    world.environ = {"SECOND": "b"}
    store = Counting({"THIRD": "c", "FOURTH": "d"})
    layers = world.layers(store.open)
    found = [layers(name) for name in (*NAMES, *reversed(NAMES))]
    values = [secret.reveal() if secret else None for secret in found]
    assert values == ["a", "b", "c", "d", None, None, "d", "c", "b", "a"]
    assert (store.opened, store.questions) == (1, [{"THIRD", "FOURTH", "FIFTH"}])


def test_one_question_for_a_whole_list(world: World) -> None:
    world.environ = {"SECOND": "b"}
    store = Counting(dict.fromkeys(NAMES, "c"))
    layers = world.layers(store.open)
    assert sum(len(layers.everywhere(name)) for name in NAMES) == len(NAMES) + 1
    assert store.questions == [set(NAMES)]


def test_a_store_is_not_opened_for_what_is_nearer(world: World) -> None:
    world.environ = dict.fromkeys(NAMES, "value")

    def broken() -> SecretStore:
        raise NotConfiguredError("the keyring is locked")

    layers = world.layers(broken)
    assert all(layers(name) is not None for name in NAMES)
    del world.environ["THIRD"]
    layers = world.layers(broken)
    assert layers("FIRST") is not None
    for _ in range(2):
        with pytest.raises(NotConfiguredError, match="locked"):
            layers("THIRD")


def test_what_a_store_could_not_say_is_asked_again(world: World) -> None:
    """An error is no answer: the value is not taken for one that is not set."""
    store = Counting({KEY: "value"}, works=False)
    layers = world.layers(store.open)
    for name in (KEY, KEY, "SECOND"):
        with pytest.raises(BootstrapError, match=UNANSWERED):
            layers(name)
    store.works = True
    assert layers(KEY) == Secret("value", "counting")


def test_a_name_that_nobody_declares_is_asked_for_too(world: World) -> None:
    store = Counting({"OTHER": "value"})
    layers = world.layers(store.open)
    assert layers("OTHER") == Secret("value", "counting")
    assert store.questions == [{"OTHER", *NAMES}]


def test_what_up_makes_for_every_run_is_in_no_store(world: World) -> None:
    store = Counting({PROOF_KEY: "stored"})
    assert world.layers(store.open)(PROOF_KEY) is None
    assert store.opened == 0
    world.environ = {PROOF_KEY: "made"}
    assert world.layers(store.open)(PROOF_KEY) == Secret("made", "environment")


def test_the_environment_as_a_store_is_no_second_layer(world: World) -> None:
    world.environ = {KEY: "value", "SECOND": "b"}
    world.session.mark_removed("SECOND")
    layers = world.layers(world.environment)
    assert [(one.layer, one.counts) for one in layers.everywhere(KEY)] == [("environment", True)]
    assert layers("SECOND") is None


def test_a_removal_is_of_one_name(world: World) -> None:
    world.environ = {"FIRST": "a", "SECOND": "b"}
    world.session.mark_removed("FIRST")
    layers = world.layers(lambda: None)
    assert layers("FIRST") is None
    assert layers("SECOND") == Secret("b", "environment")


def test_a_store_that_does_not_work_stops_only_who_needs_it(
    repository: Clone, bootstrap: Bootstrap, tmp_path: Path
) -> None:
    repository.write(
        "bootstrap.toml",
        '[project]\nname = "shop"\n\n'
        '[services.api]\nbuild = "api"\nport = 4567\npublic = true\ntelemetry = ["honeycomb"]\n',
    )
    stored = tmp_path / "stored"
    environ = {"XDG_DATA_HOME": str(stored), "HONEYCOMB_API_KEY": "made-up"}
    bootstrap("secrets", "use", "file", cwd=repository.root, env=environ).check(0)
    (choice,) = stored.glob("bootstrap/repositories/*/store.json")
    (choice.parent / "secrets.json").mkdir()
    run = ("run", "api", "--", "printenv", "OTEL_EXPORTER_OTLP_HEADERS")
    bootstrap(*run, cwd=repository.root, env=environ).check(0, "x-honeycomb-team=made-up")
    del environ["HONEYCOMB_API_KEY"]
    bootstrap(*run, cwd=repository.root, env=environ).check(125, "secrets.json")
