"""The commit hook at work: it scans what a commit takes, and runs nothing that came with the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.flows.secrets import hook

if TYPE_CHECKING:
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


def plant(repository: Repository, way: str, trap: str) -> None:
    """Bring a tool as a clone could, and stage whatever git would know of it."""
    tool, root = ".bootstrap/bin/bootstrap", repository.root
    (root / ".gitignore").write_text("")
    if way == "link to the folder":
        write_tool(root / "tools/bin/bootstrap", trap)
        (root / ".bootstrap").symlink_to("tools")
    elif way == "link to bin":
        write_tool(root / "tools/bootstrap", trap)
        (root / ".bootstrap").mkdir()
        (root / ".bootstrap/bin").symlink_to("../tools")
    elif way == "ignored link to the tool":
        write_tool(root / "tools/bootstrap", trap)
        (root / ".bootstrap/bin").mkdir(parents=True)
        (root / tool).symlink_to("../../tools/bootstrap")
        (root / ".gitignore").write_text("/.bootstrap/\n")
    else:
        write_tool(root / tool, trap)
    if way in ("submodule", "submodule of another branch"):
        repository.git("init", "--quiet", ".bootstrap")
        for arguments in (("add", "bin"), ("commit", "--quiet", "--message", "Set a trap")):
            repository.git("-C", ".bootstrap", *arguments)
    if way in ("other capitals", "a letter that folds to s"):
        # Here the disk tells both from .bootstrap; where it does not, git still lists them like this.
        name = ".BootStrap" if way == "other capitals" else ".boot\N{LATIN SMALL LETTER LONG S}trap"
        blob = repository.git("hash-object", "-w", tool).strip()
        (root / ".gitignore").write_text("/.bootstrap/\n")
        repository.git("update-index", "--add", "--cacheinfo", f"100755,{blob},{name}/bin/bootstrap")
        repository.git("add", ".gitignore")
    elif way == "submodule of another branch":
        (root / ".gitignore").write_text("/.bootstrap\n")
        repository.git("add", ".gitignore")
    else:
        repository.git("-c", "advice.addEmbeddedRepo=false", "add", "--all")


@pytest.mark.parametrize(
    "way",
    [
        "file",
        "link to the folder",
        "link to bin",
        "ignored link to the tool",
        "submodule",
        "submodule of another branch",
        "other capitals",
        "a letter that folds to s",
    ],
)
def test_a_tool_that_came_with_the_repository_is_not_run(
    leaky: Repository, commit: Commit, tmp_path: Path, way: str
) -> None:
    plant(leaky, way, f"echo 'bootstrap 9'; touch '{tmp_path}/sprung'\n")
    assert "nothing was scanned" in commit(leaky.root).stderr
    assert not (tmp_path / "sprung").exists()
    leaky.write("notes.md", f"Still {VALUE}.\n")
    leaky.git("add", "notes.md")
    path = write_tool(tmp_path / "host/bootstrap").parent
    assert commit(leaky.root, path=path, SHOP_KEY=VALUE).returncode == 1
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("how", ["literal pathspecs", "a broken index"])
def test_where_git_does_not_answer_the_local_tool_is_not_trusted(
    leaky: Repository, tmp_path: Path, how: str
) -> None:
    plant(leaky, "file", f"echo 'bootstrap 9'; touch '{tmp_path}/sprung'\n")
    more = {"GIT_LITERAL_PATHSPECS": "1"}
    if how == "a broken index":
        more = {"GIT_INDEX_FILE": str(leaky.write("broken", "no index"))}
    subprocess.run(
        ["sh", ".git/hooks/pre-commit"],
        cwd=leaky.root,
        env={**os.environ, **more},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert not (tmp_path / "sprung").exists()


def test_the_line_runs_nothing_from_the_work_tree(
    repository: Repository, commit: Commit, tmp_path: Path
) -> None:
    path = repository.write(".git/hooks/pre-commit", f"#!/bin/sh\n{hook.LINE}\n")
    path.chmod(0o755)
    plant(repository, "file", f"touch '{tmp_path}/sprung'\n")
    assert commit(repository.root).returncode == 0
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
    search = write_tool(leaky.root / ".bootstrap/bin/bootstrap").parent if installed else None
    assert commit(leaky.root, path=search, SHOP_KEY=VALUE).returncode == code
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
