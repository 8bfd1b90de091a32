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

Commit = Any
VALUE = "w7Kqz9FbL2mN8RtX"


def write_tool(path: Path, text: str = "") -> Path:
    """Write the command as an installation does, or any other program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + (text or f'exec "{sys.executable}" -P -m bootstrap "$@"\n'))
    path.chmod(0o755)
    return path


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    """Commit what is staged, as somebody at a shell with git and little else: commit(folder, *arguments)."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh", "touch"):
        program = shutil.which(name)
        assert program is not None
        (tools / name).symlink_to(program)

    def run(folder: Path, *arguments: str, path: Path | None = None, **more: str) -> Any:
        search = os.pathsep.join(map(str, filter(None, (path, tools))))
        return subprocess.run(
            ["git", "commit", "--quiet", "--message", "Change", *arguments],
            cwd=folder,
            env={**os.environ, "PATH": search, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def leaky(repository: Repository) -> Repository:
    """A repository with a hook, whose next commit would leak a secret."""
    repository.write(".gitignore", "/.bootstrap/\n")
    repository.write("bootstrap.toml", '[project]\nname = "shop"\n[secrets.SHOP_KEY]\n')
    repository.commit()
    hook.install(repository.root)
    repository.write("notes.md", f"The key is {VALUE}.\n")
    repository.git("add", "--all")
    return repository


def commits(repository: Repository) -> int:
    return int(repository.git("rev-list", "--count", "HEAD"))


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


def test_an_older_one_of_ours_is_renewed_and_removed(repository: Repository) -> None:
    path = repository.root / ".git" / "hooks" / "pre-commit"
    older = b"#!/bin/sh\n# bootstrap:hook 0\nbootstrap something else\n"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(older)
    assert hook.look(repository.root).state is State.OUTDATED
    assert hook.install(repository.root).state is State.INSTALLED
    assert path.read_bytes() == hook.SCRIPT
    assert os.access(path, os.X_OK)
    path.write_bytes(older)
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
    assert hook.install(repository.root) == hook.Hook(State.CALLED, path)


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
    repository.write(edited, f"#!/bin/sh\n{hook.LINE}\n")
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


def test_a_leak_is_not_committed(leaky: Repository, commit: Commit) -> None:
    write_tool(leaky.root / ".bootstrap/bin/bootstrap")
    result = commit(leaky.root, SHOP_KEY=VALUE)
    assert result.returncode == 1
    assert "notes.md:1:12: the value of SHOP_KEY" in result.stdout + result.stderr
    assert VALUE not in result.stdout + result.stderr
    assert commits(leaky) == 1
    leaky.write("notes.md", "No key.\n")
    leaky.git("add", "notes.md")
    assert commit(leaky.root, SHOP_KEY=VALUE).returncode == 0
    assert commits(leaky) == 2


def test_it_looks_at_what_this_very_commit_takes(leaky: Repository, commit: Commit) -> None:
    """`git commit FILE` and `git commit --all` hand the hook an index of their own."""
    write_tool(leaky.root / ".bootstrap/bin/bootstrap")
    leaky.write("other", "clean\n")
    leaky.git("add", "other")
    assert commit(leaky.root, "--", "other", SHOP_KEY=VALUE).returncode == 0
    leaky.write("other", VALUE)
    leaky.write("notes.md", "clean\n")
    leaky.git("add", "notes.md")
    result = commit(leaky.root, "--all", SHOP_KEY=VALUE)
    assert result.returncode == 1
    assert "other:1:1: the value of SHOP_KEY" in result.stdout + result.stderr


def test_it_works_from_a_folder_and_in_a_linked_work_tree(
    leaky: Repository, commit: Commit, tmp_path: Path
) -> None:
    path = write_tool(tmp_path / "anywhere/bootstrap").parent
    leaky.write("sub/folder/x", "")
    assert commit(leaky.root / "sub/folder", path=path, SHOP_KEY=VALUE).returncode == 1
    leaky.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    (tmp_path / "linked" / "a").write_text(VALUE)
    subprocess.run(["git", "add", "a"], cwd=tmp_path / "linked", check=True)
    result = commit(tmp_path / "linked", path=path, SHOP_KEY=VALUE)
    assert result.returncode == 1
    assert "a:1:1" in result.stdout + result.stderr


def test_a_broken_tool_gives_way_to_the_next(leaky: Repository, commit: Commit, tmp_path: Path) -> None:
    """What a container installed is of no use to the host that shares the folder, and the other way round."""
    write_tool(
        leaky.root / ".bootstrap/bin/bootstrap", 'exec "${0%/*}/../venv/bin/python" -m bootstrap "$@"\n'
    )
    path = write_tool(tmp_path / "host/bootstrap").parent
    assert commit(leaky.root, path=path, SHOP_KEY=VALUE).returncode == 1


@pytest.mark.parametrize("text", ["", "exit 3\n", "echo Bootstrap 5.3, the CSS framework\n"])
def test_without_a_tool_the_commit_passes_and_says_that_nothing_was_scanned(
    leaky: Repository, commit: Commit, tmp_path: Path, text: str
) -> None:
    path = write_tool(tmp_path / "other/bootstrap", text).parent if text else None
    result = commit(leaky.root, path=path, SHOP_KEY=VALUE)
    assert result.returncode == 0
    assert "nothing was scanned" in result.stderr
    assert commits(leaky) == 2


def test_a_tool_that_came_with_the_repository_is_not_run(
    leaky: Repository, commit: Commit, tmp_path: Path
) -> None:
    write_tool(leaky.root / ".bootstrap/bin/bootstrap", f"echo 'bootstrap 9'; touch '{tmp_path}/sprung'\n")
    leaky.git("add", "--force", ".bootstrap/bin/bootstrap")
    assert "nothing was scanned" in commit(leaky.root).stderr
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(("installed", "code"), [(True, 1), (False, 0)])
def test_the_line_for_somebody_s_own_hook_does_the_same(
    leaky: Repository,
    commit: Commit,
    installed: bool,  # noqa: FBT001 - a parameter of the test
    code: int,
) -> None:
    path = leaky.root / ".git/hooks/pre-commit"
    path.write_text(f"#!/bin/sh\n{hook.LINE}\ntouch '{leaky.root}/went-on'\n")
    if installed:
        write_tool(leaky.root / ".bootstrap/bin/bootstrap")
    assert commit(leaky.root, SHOP_KEY=VALUE).returncode == code
    assert (leaky.root / "went-on").exists() is not installed


def test_the_first_commit_of_all_is_scanned(tmp_path: Path, commit: Commit) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "new"], check=True)
    hook.install(tmp_path / "new")
    (tmp_path / "new" / "a").write_text(f"ROLLBAR_ACCESS_TOKEN={VALUE}\n")
    subprocess.run(["git", "add", "a"], cwd=tmp_path / "new", check=True)
    path = write_tool(tmp_path / "host/bootstrap").parent
    result = commit(tmp_path / "new", path=path, ROLLBAR_ACCESS_TOKEN=VALUE)
    assert result.returncode == 1
    assert "no bootstrap.toml" in result.stderr


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
