"""Which changes count, for whom, and how soon."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.stack.changes import Pace, by_service, is_source

NAMES = st.sampled_from(["api", "web", "app.py", "x.pyc", "node_modules", ".git", "a.log", "x.db-wal", "ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "app.py",
            "a/b/c.html",
            ".env",
            "requirements.txt",
            "logs.py",
            "dialog",
            "venv.py",
            "git/x",
            "#1.md",
        ),
        *("Dockerfile", "weird\nname.py", "static/site.css", "journal.md", "app.pyx"),
    ],
)
def test_source(path: str) -> None:
    assert is_source(path)


@pytest.mark.parametrize(
    "path",
    [
        *(".git/index", "a/.git/HEAD", "a/__pycache__/b.cpython-311.pyc", "b.pyo", "node_modules/x/y.js"),
        *(".venv/bin/python", ".mypy_cache/x", ".pytest_cache/y", ".bootstrap/services/api/setup.json"),
        *(".app.py.swp", ".app.py.swx", "app.py~", ".#app.py", "#app.py#", "4913", "x___jb_tmp___"),
        *("db.sqlite3-journal", "db.sqlite3-wal", "db.sqlite3", "a/debug.log", "debug.log.1", "gunicorn.pid"),
    ],
)
def test_not_source(path: str) -> None:
    assert not is_source(path)


@given(st.dictionaries(st.sampled_from(["one", "two", "three"]), PATHS), st.lists(PATHS))
def test_a_change_belongs_to_the_deepest_folder_that_holds_it(
    folders: dict[str, str], paths: list[str]
) -> None:
    watched = {name: Path("/p", folder) for name, folder in folders.items()}
    found = by_service(watched, [f"/p/{path}" for path in paths])
    for name, changed in found.items():
        for path in changed:
            assert is_source(path)
            assert not path.startswith("..")
            whole = watched[name] / path
            assert f"/p/{whole.relative_to('/p')}" in {f"/p/{given}" for given in paths}
            deeper = [one for one in watched.values() if one != watched[name] and whole.is_relative_to(one)]
            assert all(watched[name].is_relative_to(one) for one in deeper)
    for path in paths:
        holds = [one for one in watched.values() if Path("/p", path).is_relative_to(one)]
        deepest = max(holds, key=lambda one: len(one.parts), default=None)
        told = {name for name, changed in found.items() if path_in(watched[name], path, changed)}
        counts = deepest is not None and is_source(str(Path("/p", path).relative_to(deepest)))
        assert told == ({name for name, one in watched.items() if one == deepest} if counts else set())


def path_in(folder: Path, path: str, changed: list[str]) -> bool:
    return any(folder / one == Path("/p", path) for one in changed)


def test_a_person_who_saves_now_and_then_never_waits() -> None:
    pace = Pace(10, 30)
    assert [pace.pause(age) for age in (1, 2, 15, 1, 1, 1, 60, 0, 0, 0, 0)] == [0] * 11


@given(st.lists(st.floats(0, 9.9), min_size=1, max_size=60))
def test_a_service_that_changes_itself_waits_ever_longer(ages: list[float]) -> None:
    pace = Pace(10, 30)
    pauses = [pace.pause(age) for age in ages]
    assert pauses == sorted(pauses)
    assert pauses[:4] == [0] * min(4, len(ages))
    assert all(0 < pause <= 30 for pause in pauses[4:])
    assert pace.begins == (len(ages) == 5)
    assert pace.pause(10) == 0
