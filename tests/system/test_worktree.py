"""Whose secrets these are: what git says about the origin, with and without running git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.repository import Repository, of_remote
from bootstrap.system.worktree import repository

if TYPE_CHECKING:
    from tests.conftest import Repository as Clone

ROOT = Path("/somewhere/clone")
SAME = [
    "https://github.com/Owner/Name.git",
    "https://github.com/owner/name",
    "https://github.com/owner/name/",
    "https://github.com:443/owner/name.git",
    "https://somebody:token@github.com/owner/name.git",
    "http://github.com/owner/name.git",
    "git@github.com:owner/name.git",
    "github.com:owner/name",
    "ssh://git@github.com/owner/name.git",
    "ssh://git@github.com:22/owner/name.git",
    "git+ssh://git@GitHub.com/owner/name.git",
    "  https://github.com/owner/name.git\n",
]


@pytest.mark.parametrize("url", SAME)
def test_every_spelling_of_a_remote_is_one_repository(url: str) -> None:
    found = of_remote(url, ROOT)
    assert found.identity == "github.com/owner/name"
    assert found.owner.lower() == "owner"
    assert found.name.lower() == "name"


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://github.com/other/name", "github.com/other/name"),
        ("https://gitlab.com/owner/name", "gitlab.com/owner/name"),
        ("https://gitlab.com/group/sub/name.git", "gitlab.com/group/sub/name"),
        ("https://example.com:8443/owner/name", "example.com:8443/owner/name"),
        ("ssh://git@example.com:2222/owner/name", "example.com:2222/owner/name"),
        ("/srv/git/name.git", "/srv/git/name.git"),
        ("file:///srv/git/name.git", "/srv/git/name.git"),
        ("../name", "/somewhere/name"),
        ("https://example.com/", "/somewhere/clone"),
        ("https://[broken", "/somewhere/clone"),
        ("", "/somewhere/clone"),
    ],
)
def test_another_host_owner_port_or_path_is_another_repository(url: str, identity: str) -> None:
    assert of_remote(url, ROOT).identity == identity


@given(st.text(max_size=80))
def test_any_url_names_something_and_no_password(url: str) -> None:
    assert of_remote(url, ROOT).identity
    password = "".join(letter for letter in url if letter.isalnum())
    named = of_remote(f"https://user:hunter2{password}@github.com/owner/name", ROOT)
    assert named.identity == "github.com/owner/name"


CONFIGS = [
    "",
    '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://github.com/owner/name.git\n\tfetch = +a:b\n',
    '[remote "origin"]\n\turl = git@github.com:owner/name.git\n[branch "main"]\n\tremote = origin\n',
    '[remote "other"]\n\turl = https://github.com/a/b\n[remote "origin"]\n\tURL=https://github.com/c/d\n',
    '[remote "origin"]\n\turl = "https://github.com/quoted/name" ; comment\n',
    '[remote "origin"] url = https://github.com/same/line\n',
    '[remote "origin"]\n\turl = https://github.com/a/b # comment\n',
    '[remote "origin"]\n\turl = https://github.com/first/one\n\turl = https://github.com/last/one\n',
    '[remote "origin"]\n\turl = https://github.com/first/one\n[remote "origin"]\n\turl = https://github.com/x/y\n',
    '[Remote "origin"]\n\turl = https://github.com/capital/section\n',
    '[remote "Origin"]\n\turl = https://github.com/another/remote\n',
    "[remote.origin]\n\turl = https://github.com/old/form\n",
    '[ remote "origin" ]\n\turl = https://github.com/blanks/inside\n',
    '[remote "or\\igin"]\n\turl = https://github.com/escaped/name\n',
    '[remote "origin"]\n\turl = https://github.com/continued/\\\nline\n',
    '[remote "origin"]\n\turl = https://github.com/a/b\n[include]\n\tpath = more\n',
    '[remote "origin"]\r\n\turl = https://github.com/windows/ends\r\n',
    '; [remote "origin"]\n#\turl = https://github.com/commented/out\n',
    '[remote "origin"]\n\turl\n',
    '[remote "origin"]\n\tpushurl = https://github.com/push/only\n',
]


@pytest.mark.parametrize("config", CONFIGS)
def test_it_reads_what_git_reads(repository: Clone, config: str) -> None:
    repository.write(".git/more", '[remote "origin"]\n\turl = https://github.com/included/one\n')
    core = "[core]\n\trepositoryformatversion = 0\n"
    (repository.root / ".git" / "config").write_bytes((core + config).encode())
    asked = subprocess.run(
        ["git", "config", "--get", "remote.origin.url"], cwd=repository.root, capture_output=True, check=False
    )
    url = asked.stdout.decode().strip()
    real = Path(os.path.realpath(repository.root))
    assert _read(repository.root) == (of_remote(url, real) if url else Repository(str(real)))


def _read(root: Path) -> Repository:
    return repository(root)


def test_a_linked_work_tree_is_the_same_repository(repository: Clone, tmp_path: Path) -> None:
    repository.git("remote", "add", "origin", "https://github.com/owner/name.git")
    repository.commit()
    repository.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    assert _read(tmp_path / "second") == _read(repository.root)


def test_without_a_remote_the_real_path_counts(repository: Clone, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(repository.root)
    assert _read(link) == Repository(str(repository.root.resolve()))


VICTIM = "https://github.com/victim/app.git"


def test_a_submodule_is_a_part_of_what_holds_it_whatever_its_url(repository: Clone, tmp_path: Path) -> None:
    other = type(repository)(tmp_path / "other")
    other.commit()
    repository.git("remote", "add", "origin", "https://github.com/owner/name.git")
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "lib")
    repository.git("config", "-f", ".gitmodules", "submodule.lib.url", VICTIM)
    repository.git("submodule", "--quiet", "sync")
    assert VICTIM in subprocess.check_output(
        ["git", "config", "remote.origin.url"], cwd=repository.root / "lib", text=True
    )
    assert _read(repository.root / "lib").identity == "github.com/owner/name#lib"
    (repository.root / ".gitmodules").unlink()
    assert _read(repository.root / "lib").identity == "github.com/owner/name#lib"


def test_a_submodule_with_its_own_git_folder_is_one_too(repository: Clone) -> None:
    repository.write(".gitmodules", f'[submodule "lib"]\n\tpath = lib\n\turl = {VICTIM}\n')
    inner = type(repository)(repository.root / "lib")
    inner.git("remote", "add", "origin", VICTIM)
    assert _read(inner.root).identity == f"{repository.root.resolve()}#lib"


def test_a_clone_inside_another_work_tree_is_itself(repository: Clone) -> None:
    inner = type(repository)(repository.root / "inner")
    inner.git("remote", "add", "origin", "https://github.com/owner/inner.git")
    assert _read(inner.root).identity == "github.com/owner/inner"


def test_what_git_takes_for_no_repository_has_no_origin(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {VICTIM}\n', "utf-8")
    assert _read(tmp_path) == Repository(str(tmp_path.resolve()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_repository_is_not_trusted(repository: Clone) -> None:
    repository.git("remote", "add", "origin", VICTIM)
    os.chown(repository.root / ".git", 65534, 65534)
    assert _read(repository.root) == Repository(str(repository.root.resolve()))


def test_without_git_nobody_guesses(repository: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository.root / ".git" / "config").write_text('[remote "origin"]\n\turl = "quoted"\n', "utf-8")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotConfiguredError, match="only git can tell"):
        _read(repository.root)


def test_the_usual_configuration_needs_no_git(repository: Clone) -> None:
    repository.git("remote", "add", "origin", "https://github.com/owner/name.git")
    code = (
        "import sys; from pathlib import Path; from bootstrap.system.worktree import repository;"
        "print(repository(Path(sys.argv[1])).identity, 'subprocess' in sys.modules)"
    )
    done: Any = subprocess.run(
        [sys.executable, "-c", code, str(repository.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["github.com/owner/name", "False"]
