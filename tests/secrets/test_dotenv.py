"""The .env store: the contract of readers, what it refuses, and what python-dotenv makes of the rest."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import dotenv
import pytest
from hypothesis import strategies as st

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.remark import Mark
from bootstrap.secrets.dotenv import Store
from tests.conftest import Repository
from tests.secrets.contract import CANARY, ReaderContract, secret, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.secrets.interface import Place, SecretStore
    from tests.secrets.conftest import ForAll, MakePlace


class TestDotenv(ReaderContract):
    """A .env in a repository that ignores it."""

    store = "dotenv"

    @pytest.fixture(autouse=True)
    def present(self, place: MakePlace) -> None:
        (place().root / ".env").write_text("# nothing yet\n", encoding="utf-8")

    @pytest.fixture
    def holding(self, place: MakePlace) -> Callable[[Mapping[str, str]], SecretStore]:
        def hold(values: Mapping[str, str]) -> SecretStore:
            text = "".join(f"{name}={value}\n" for name, value in values.items())
            (place().root / ".env").write_text(text, encoding="utf-8")
            return Store(place())

        return hold


@pytest.fixture
def write(place: MakePlace) -> Callable[[str], Store]:
    """Open the store with this text in its file, of mode 0600."""

    def write_(text: str) -> Store:
        path = place().root / ".env"
        path.write_bytes(text.encode(errors="surrogateescape"))
        path.chmod(0o600)
        return Store(place())

    return write_


@pytest.fixture
def inside(place: MakePlace) -> Callable[[], Place]:
    """The same place, in a repository with a .env."""

    def make() -> Place:
        repository = Repository(place().root)
        repository.write(".env", f"KEY={CANARY}\n")
        return place()

    return make


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY='a${HOME}b'", "a${HOME}b"),
        ("KEY=${HOME}", "${HOME}"),
        ("export KEY=a", "a"),
        ('KEY="a\\nb"', "a\nb"),
        ("KEY='first\nsecond'", "first\nsecond"),
        ("KEY=a # a comment", "a"),
        ("KEY=a#b", "a#b"),
        ("KEY=a\r", "a"),
        ("KEY='a\r\nb'", "a\nb"),
        ("\ufeffKEY=a", "a"),
        ("KEY=a\nKEY=b", "b"),
        ("KEY=a\nKEY", None),
        ("KEY", None),
        ("KEY=", None),
        ("KEY=''", None),
        ("# KEY=a", None),
    ],
)
def test_it_reads_what_python_dotenv_reads(
    write: Callable[[str], Store], line: str, value: str | None
) -> None:
    store = write(f"BEFORE=1\n{line}\nAFTER=2\n" if line[0] != "\ufeff" else f"{line}\nBEFORE=1\nAFTER=2\n")
    assert store.get("KEY") == (None if value is None else secret(value))
    assert store.names() == {"BEFORE", "AFTER"} | ({"KEY"} if value else set())


def test_any_file_is_read_as_python_dotenv_reads_it(write: Callable[[str], Store], for_all: ForAll) -> None:
    pieces = [
        "KEY",
        "OTHER",
        "=",
        " ",
        "'",
        '"',
        "\\",
        "\n",
        "\r",
        "#",
        "$",
        "{KEY}",
        "export ",
        "é",
        "\ufeff",
        "a",
    ]

    def check(text: str) -> None:
        expected = dotenv.dotenv_values(stream=io.StringIO(text, newline=None), interpolate=False)
        store = write(text)
        assert store.names() == {name for name, value in expected.items() if value}
        for name in ("KEY", "OTHER"):
            try:
                found = store.get(name)
            except BootstrapError:
                continue  # a broken line holds the name
            assert (found.reveal() if found else None) == (expected.get(name) or None)

    texts = st.lists(st.sampled_from(pieces), max_size=20).map("".join)
    for_all(texts, check, examples=200)


def test_a_broken_line_is_told_to_who_asks_for_what_it_names(
    write: Callable[[str], Store], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    store = write(f"\nGOOD=a\n\nKEY='{CANARY}\nKEY_2=b\n")
    assert store.get("GOOD") == secret("a")
    assert store.get("KEY_2") == secret("b")
    with pytest.raises(BootstrapError, match=r"\.env, line 4: names KEY, and is not NAME=VALUE") as failed:
        store.get("KEY")
    assert CANARY not in told(failed.value) + caplog.text + "".join(capfd.readouterr())


def test_what_is_not_utf_8_is_told(write: Callable[[str], Store]) -> None:
    store = write(f"KEY={CANARY}\udcff\n")
    with pytest.raises(BootstrapError, match="is not UTF-8") as failed:
        store.get("KEY")
    assert CANARY not in told(failed.value)


def refused(store: Store) -> str:
    """Why the store does not work; nothing must be read from it either."""
    reason = store.unavailable()
    assert reason is not None
    with pytest.raises(NotConfiguredError) as failed:
        store.get("KEY")
    assert CANARY not in reason + told(failed.value)
    return reason


def test_without_a_file_it_is_not_available(place: MakePlace) -> None:
    assert f"there is no {place().root}/.env" in refused(Store(place()))


def test_a_file_that_git_tracks_is_refused(inside: Callable[[], Place]) -> None:
    place = inside()
    assert Store(place).unavailable() is None
    repository = Repository(place.root)
    repository.git("add", "--force", ".env")
    assert "git tracks" in refused(Store(place))
    repository.git("rm", "--cached", "--quiet", ".env")
    assert Store(place).get("KEY") == secret(CANARY)


def test_a_tracked_file_below_the_top_is_refused(inside: Callable[[], Place], place: MakePlace) -> None:
    root = inside().root
    repository = Repository(root)
    repository.write("service/.env", f"KEY={CANARY}\n")
    assert Store(place(root=root / "service")).get("KEY") == secret(CANARY)
    repository.git("add", "service/.env")
    assert "git tracks" in refused(Store(place(root=root / "service")))
    assert Store(place(root=root)).unavailable() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused(write: Callable[[str], Store], place: MakePlace) -> None:
    store = write(f"KEY={CANARY}\n")
    os.chown(place().root / ".env", 12345, -1)
    assert "is not a file of yours" in refused(store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_where_git_does_not_tell_it_is_refused(inside: Callable[[], Place]) -> None:
    place = inside()
    for path in (place.root, place.root / ".git"):
        os.chown(path, 12345, -1)
    assert "cannot tell whether it tracks" in refused(Store(place))


def test_without_git_nobody_can_tell(inside: Callable[[], Place], monkeypatch: pytest.MonkeyPatch) -> None:
    place = inside()
    monkeypatch.setenv("PATH", "/nowhere")
    assert "Install git" in refused(Store(place))


def test_a_symbolic_link_is_refused(write: Callable[[str], Store], place: MakePlace) -> None:
    store = write(f"KEY={CANARY}\n")
    path = place().root / ".env"
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    assert "symbolic link" in refused(store)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(make: Callable[[str], None], place: MakePlace) -> None:
    make(str(place().root / ".env"))
    assert "is not a file of yours" in refused(Store(place()))


def test_that_others_may_read_it_is_said(write: Callable[[str], Store], place: MakePlace) -> None:
    store = write(f"KEY={CANARY}\n")
    assert store.remarks() == ()
    (place().root / ".env").chmod(0o644)
    (remark,) = store.remarks()
    assert (remark.mark, "mode 0644" in remark.text) == (Mark.NOTE, True)
    assert store.get("KEY") == secret(CANARY)
