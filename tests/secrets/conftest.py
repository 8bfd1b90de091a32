"""Places for stores to work in, and texts that stores bend."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bootstrap.model.repository import of_remote
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place
from bootstrap.system.private import PrivateFolder
from tests.secrets.stand_ins.machine import StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# The contract is no test module by its name, and its assertions should explain themselves all the same.
pytest.register_assert_rewrite("tests.secrets.contract")

#: what some store strips, unescapes, folds, splits at or ends a value at
TRAPS = (
    *"\"'`$\\#!&|;<>()[]{}*?~=%^:,-@ \t\n\r\v\f\x01\x1b\x7f\x85\xa0\u2028\ufeff\U0001f600",
    *(
        '"\n',
        "\r\n",
        "\\ ",
        '\\"',
        "\\\\",
        '\nexport A="',
        'export A="b"\n',
        "A=b\n",
        "$(id)",
        "${X}",
        "key",
        "é",
    ),
)


class MakePlace(Protocol):
    """Make a place: place("owner/name"), or place(environ=...) with whatever else is not as usual."""

    def __call__(self, slug: str = "acme/shop", **changes: Any) -> Place: ...


@pytest.fixture
def place(tmp_path: Path) -> MakePlace:
    """Places of repositories on GitHub; two with the same slug share their folders."""

    def make(slug: str = "acme/shop", **changes: Any) -> Place:
        environ: Mapping[str, str] = changes.pop("environ", dict(os.environ))
        root = tmp_path / "clones" / slug
        root.mkdir(parents=True, exist_ok=True)

        def lookup(name: str) -> Secret | None:
            return Secret(environ[name], "environment") if environ.get(name) else None

        usual: dict[str, Any] = {
            "repository": of_remote(f"https://github.com/{slug}.git", root),
            "root": root,
            "environ": environ,
            "folder": PrivateFolder(tmp_path / "kept" / slug.replace("/", "+")),
            "session": PrivateFolder(tmp_path / "run" / slug.replace("/", "+")),
            "instance": "first start",
            "services": {},
            "region": "eu-central-1",
            "profile": None,
            "lookup": lookup,
        }
        return Place(**{**usual, **changes})

    return make


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    """The programs `gp`, `gh`, `ona` and `gitpod`, for a PATH."""
    return StandIns(tmp_path / "stand-ins")


@pytest.fixture(scope="session")
def hostile() -> st.SearchStrategy[str]:
    """Every text that an environment variable can hold, and that is set: no NUL, no surrogate, not empty."""
    anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    traps = st.lists(st.sampled_from(TRAPS), max_size=6).map("".join)
    mixed = st.tuples(traps, anything, traps).map("".join)
    return st.one_of(traps, mixed, anything).filter(bool)


class ForAll(Protocol):
    """Check a property: for_all(strategy, check, examples=...)."""

    def __call__(
        self, strategy: st.SearchStrategy[Any], check: Callable[[Any], None], *, examples: int
    ) -> None: ...


@pytest.fixture
def for_all(soak: int) -> ForAll:
    """Run a property, `soak` times as long as usual, with the run's seed."""

    def run(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], *, examples: int) -> None:
        @seed(int(os.environ["BOOTSTRAP_SEED"]))
        @settings(
            max_examples=examples * soak,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def holds(example: Any) -> None:
            check(example)

        holds()

    return run
