"""What HEAD holds, what git ignores, and that a repository chooses nothing of how it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.system import git
from bootstrap.system.worktree import root_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.conftest import Repository


def test_head_says_what_was_committed_and_not_what_is_there(repository: Repository) -> None:
    repository.write("a", "committed\n")
    repository.write("empty", "")
    repository.write("folder/b", "below\n")
    repository.commit()
    repository.write("a", "changed\n")
    repository.write("new", "x")
    repository.git("add", "a")
    wanted = ["a", "nothing", "folder", "empty", "new", "folder/b", "with blank", "a"]
    assert git.head_texts(repository.root, wanted) == {
        "a": b"committed\n",
        "empty": b"",
        "folder/b": b"below\n",
    }
    assert git.head_texts(repository.root / "folder", ["b", "a"]) == {"b": b"below\n"}


def test_bytes_are_as_they_were_committed(repository: Repository) -> None:
    data = b"\xff\0\r\n no end"
    (repository.root / "a b").write_bytes(data)
    repository.commit()
    assert git.head_texts(repository.root, ["x", "a b"]) == {"a b": data}


def test_without_a_commit_or_a_repository_there_is_nothing(repository: Repository, tmp_path: Path) -> None:
    assert git.head_texts(repository.root, ["a"]) == {}
    assert git.head_texts(tmp_path, ["a"]) == {}
    assert git.head_texts(repository.root, []) == {}


def test_the_work_tree_is_found_without_running_git(repository: Repository, tmp_path: Path) -> None:
    deep = repository.root / "a" / "b"
    deep.mkdir(parents=True)
    assert root_of(deep) == repository.root
    assert root_of(tmp_path) is None
    (deep / ".git").write_text("gitdir: elsewhere\n")  # a worktree or a submodule
    assert root_of(deep) == deep


def test_what_git_ignores(repository: Repository, tmp_path: Path) -> None:
    repository.write(".gitignore", "*.log\n/only-here\n")
    assert git.ignored(repository.root, ["a.log", "b/c.log", "only-here", "b/only-here", "a"]) == {
        "a.log",
        "b/c.log",
        "only-here",
    }
    assert git.ignored(tmp_path, ["a"]) == {"a"}
    assert git.excluded(repository.root, ["a.log", "a"]) == {"a.log"}
    assert git.excluded(tmp_path, ["a"]) == set()


def test_a_setting(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "input")
    assert git.setting(repository.root, "core.autocrlf") == "input"
    assert git.setting(repository.root, "core.nothing") is None


def test_the_callers_own_variables_are_not_handed_on(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a", "x")
    repository.commit()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert git.head_texts(repository.root, ["a"]) == {"a": b"x"}


def test_looking_runs_nothing_of_the_repository(repository: Repository, tmp_path: Path) -> None:
    repository.write("a", "x")
    repository.commit()
    sprung = tmp_path / "sprung"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{sprung}'\n")
    trap.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(trap))
    repository.git("config", "core.pager", str(trap))
    repository.git("config", "core.hooksPath", str(tmp_path))
    git.head_texts(repository.root, ["a"])
    git.ignored(repository.root, ["a"])
    git.setting(repository.root, "core.pager")
    git.run(repository.root, "status", "--porcelain")
    assert not sprung.exists()
