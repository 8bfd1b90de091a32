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
