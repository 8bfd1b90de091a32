"""The file store: the contract, and what a file can do wrong."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.secrets.file import Store
from tests.secrets.contract import CANARY, StoreContract, secret, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.secrets.conftest import MakePlace


class TestFile(StoreContract):
    """A document in the repository's private folder."""

    store = "file"
    atomic = True

    @pytest.fixture
    def sabotage(self, place: MakePlace) -> Callable[[], AbstractContextManager[object]]:
        folder = place().folder

        @contextlib.contextmanager
        def break_() -> Iterator[None]:
            """The folder goes away, as with a disk that is unmounted."""
            aside = folder.path.with_name("aside")
            folder.directory.rename(aside)
            folder.path.write_text("not a folder", encoding="utf-8")
            try:
                yield
            finally:
                folder.path.unlink()
                aside.rename(folder.path)

        return break_


def test_only_its_owner_can_read_it(place: MakePlace) -> None:
    store = Store(place())
    store.set("KEY", secret(CANARY))
    path = Path(store.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_of_another_repository_is_not_read(place: MakePlace) -> None:
    Store(place()).set("KEY", secret(CANARY))
    stranger = Store(place("stranger/shop", folder=place().folder))
    with pytest.raises(BootstrapError, match="another repository") as refused:
        stranger.get("KEY")
    assert CANARY not in told(refused.value)


@pytest.mark.parametrize("remains", ["", "{", "[]", '{"secrets": {"KEY": "canary-7f'])
def test_a_file_that_is_not_whole_is_left_as_it_is(place: MakePlace, remains: str) -> None:
    store = Store(place())
    store.set("KEY", secret(CANARY))
    Path(store.path).write_text(remains, encoding="utf-8")
    with pytest.raises(BootstrapError, match="not whole") as refused:
        store.set("KEY", secret("new"))
    assert CANARY not in told(refused.value)
    assert Path(store.path).read_text(encoding="utf-8") == remains


def test_a_file_that_others_may_read_is_not_used(place: MakePlace) -> None:
    store = Store(place())
    store.set("KEY", secret(CANARY))
    Path(store.path).chmod(0o644)
    with pytest.raises(BootstrapError, match="others may read it"):
        store.get("KEY")
