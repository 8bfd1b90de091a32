"""The commit hook: written where there is none, found wherever git looks, and nobody else's is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.flows.secrets import hook
from bootstrap.flows.secrets.hook import State
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Repository


def look(path: Path) -> tuple[int, int, int]:
    """Take what changes when a file is written or replaced."""
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_mtime_ns


def test_it_is_written_where_there_is_none(repository: Repository) -> None:
    assert hook.look(repository.root).state is State.ABSENT
    found = hook.install(repository.root)
    assert (found.state, found.path) == (State.INSTALLED, repository.root / ".git/hooks/pre-commit")
    assert found.path.stat().st_mode & 0o777 == 0o755
    before = found.path.stat().st_mtime_ns
    assert hook.install(repository.root) == found
    assert found.path.stat().st_mtime_ns == before
    assert str(repository.root) not in found.path.read_text()
    assert hook.remove(repository.root)
    assert not found.path.exists()
    assert not hook.remove(repository.root)


def test_the_folder_for_hooks_may_be_missing(repository: Repository) -> None:
    shutil.rmtree(repository.root / ".git" / "hooks", ignore_errors=True)
    assert hook.install(repository.root).scans


@pytest.mark.parametrize("version", [0, 1])
def test_an_older_one_of_ours_is_renewed_and_removed(repository: Repository, version: int) -> None:
    path = repository.root / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    for _ in range(2):
        path.write_text(f"#!/bin/sh\n# bootstrap:hook {version}\nbootstrap something else\n")
        path.chmod(0o755)
        assert hook.look(repository.root).state is State.OUTDATED
        assert hook.install(repository.root).state is State.INSTALLED
        assert path.read_bytes() == hook.SCRIPT
        assert os.access(path, os.X_OK)
    path.write_text(f"#!/bin/sh\n# bootstrap:hook {version}\n")
    assert hook.remove(repository.root)


@pytest.mark.parametrize("script", [hook.SCRIPT, b"#!/bin/sh\n# bootstrap:hook 1\n"])
def test_one_of_ours_that_git_ignores_is_mended(repository: Repository, script: bytes) -> None:
    path = repository.write(".git/hooks/pre-commit", "")
    path.write_bytes(script)
    path.chmod(0o644)
    found = hook.look(repository.root)
    assert (found.state, found.scans) == (State.IGNORED, False)
    assert "hook install" in found.advice
    assert hook.install(repository.root) == hook.look(repository.root) == hook.Hook(State.INSTALLED, path)
    path.chmod(0o644)
    assert hook.remove(repository.root)


@pytest.mark.parametrize("kind", ["script", "not executable", "dangling link", "folder"])
def test_somebody_else_s_hook_stays(repository: Repository, kind: str) -> None:
    path = repository.root / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    if kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("#!/bin/sh\necho mine\n")
        path.chmod(0o755 if kind == "script" else 0o644)
    before = look(path)
    with pytest.raises(BootstrapError) as caught:
        hook.install(repository.root)
    assert hook.LINE in caught.value.hint
    assert str(path) in caught.value.hint
    assert not hook.remove(repository.root)
    assert look(path) == before


def test_a_hook_that_calls_us_already_is_enough(repository: Repository) -> None:
    path = repository.write(".git/hooks/pre-commit", f"#!/bin/sh\nmake lint\n{hook.LINE}\n")
    path.chmod(0o755)
    assert hook.install(repository.root) == hook.Hook(State.CALLED, path)


def test_a_hook_that_calls_us_but_is_ignored_is_not_enough(repository: Repository) -> None:
    path = repository.write(".git/hooks/pre-commit", f"#!/bin/sh\n{hook.LINE}\n")
    path.chmod(0o644)
    found = hook.look(repository.root)
    assert (found.state, found.scans) == (State.CALLER_IGNORED, False)
    with pytest.raises(BootstrapError, match="not executable") as caught:
        hook.install(repository.root)
    assert f"chmod +x {path}" in caught.value.hint
    assert not os.access(path, os.X_OK)


@pytest.mark.parametrize("comment", ["# {}", "   #{}", "\t# see {}"])
def test_a_comment_that_mentions_us_does_not_scan(repository: Repository, comment: str) -> None:
    path = repository.write(".git/hooks/pre-commit", f"#!/bin/sh\n{comment.format(hook.LINE)}\nmake lint\n")
    path.chmod(0o755)
    assert hook.look(repository.root) == hook.Hook(State.OTHER, path)


def test_the_pre_commit_tool_is_told_from_a_hook_of_one_s_own(repository: Repository) -> None:
    repository.write(".pre-commit-config.yaml", "repos: []\n")
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "install"], cwd=repository.root, check=True, capture_output=True
    )
    with pytest.raises(BootstrapError, match="pre-commit tool") as caught:
        hook.install(repository.root)
    assert "bootstrap-secrets-scan" in caught.value.hint
    repository.write(".pre-commit-config.yaml", "repos: [{hooks: [{id: bootstrap-secrets-scan}]}]\n")
    assert hook.look(repository.root).state is State.CALLED
    repository.write(".pre-commit-config.yaml", "repos: []\n#  - id: bootstrap-secrets-scan\n")
    assert hook.look(repository.root).state is State.FRAMEWORK


@pytest.mark.parametrize(
    ("configured", "edited"), [(".husky/_", ".husky/pre-commit"), ("tools/hooks", "tools/hooks/pre-commit")]
)
def test_another_folder_for_hooks_is_declined(repository: Repository, configured: str, edited: str) -> None:
    repository.git("config", "core.hooksPath", configured)
    with pytest.raises(BootstrapError, match=r"core\.hooksPath") as caught:
        hook.install(repository.root)
    assert str(repository.root / edited) in caught.value.hint
    assert hook.LINE in caught.value.hint
    assert not (repository.root / configured).exists()
    assert not (repository.root / ".git/hooks/pre-commit").exists()
    repository.write(edited, f"#!/bin/sh\n{hook.LINE}\n").chmod(0o755)
    assert hook.look(repository.root).state is State.CALLED


def test_a_folder_for_hooks_of_the_whole_machine_counts(
    repository: Repository, clean_environment: Path
) -> None:
    (clean_environment / ".gitconfig").write_text("[core]\n hooksPath = ~/hooks\n")
    assert hook.look(repository.root) == hook.Hook(State.ELSEWHERE, clean_environment / "hooks/pre-commit")


def test_linked_work_trees_share_it(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    found = hook.install(tmp_path / "linked")
    assert found.path.resolve() == (repository.root / ".git/hooks/pre-commit").resolve()
    assert hook.look(repository.root).state is State.INSTALLED


def test_the_command_says_what_it_did(
    bootstrap: Callable[..., Any], repository: Repository, tmp_path: Path
) -> None:
    bootstrap("secrets", "hook", "status", cwd=repository.root).check(0, "not installed", "hook install")
    bootstrap("secrets", "hook", "install", cwd=repository.root).check(0, "pre-commit: installed")
    answer = bootstrap("secrets", "hook", "status", "--json", cwd=repository.root).check(0, '"scans": true')
    assert answer.err == ""
    bootstrap("secrets", "hook", "remove", cwd=repository.root).check(0, "removed")
    bootstrap("secrets", "hook", "remove", cwd=repository.root).check(0, "nothing of ours")
    repository.write(".git/hooks/pre-commit", "#!/bin/sh\n")
    bootstrap("secrets", "hook", "install", cwd=repository.root).check(1, "stays as it is", hook.LINE)
    bootstrap("secrets", "hook", "install", cwd=tmp_path).check(1, "not in a git repository", "git init")
