"""`bootstrap init`: a manifest where there is none or half of one, and no harm to what is there."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from bootstrap.config.errors import ManifestError
from bootstrap.flows import scaffold
from bootstrap.system.files import ProjectFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Snapshot


def test_a_new_manifest_has_a_service_for_every_built_folder(
    repository: Repository, bootstrap: Bootstrap
) -> None:
    for folder in ("frontend-react-js", "Back End", ".hidden"):
        repository.write(f"{folder}/Dockerfile", "FROM scratch\n")
    repository.write("docs/README.md", "")
    (repository.root / "linked").symlink_to("frontend-react-js")
    bootstrap("init", "--defaults", cwd=repository.root).check(0, "bootstrap.toml was created")
    made = tomllib.loads(repository.read("bootstrap.toml"))
    builds = {name: service["build"] for name, service in made["services"].items()}
    assert builds == {"back-end": "Back End", "frontend-react-js": "frontend-react-js", "hidden": ".hidden"}
    assert len({service["port"] for service in made["services"].values()}) == 3


def test_running_it_again_changes_nothing(
    repository: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    repository.write("web/Dockerfile", "FROM scratch\n")
    bootstrap("init", "--defaults", cwd=repository.root).check(0)
    first = snapshot(repository.root)
    again = bootstrap("init", "--defaults", cwd=repository.root).check(0)
    assert "bootstrap.toml was" not in again.err
    assert snapshot(repository.root) == first
    bootstrap("render", "--check", cwd=repository.root).check(0)


@pytest.mark.parametrize(
    ("before", "done"),
    [
        ("# ours\n[services.web] # first\nbuild = 'web'\n", "completed with [project]"),
        (
            "# ours\n[project] # label\nregion = 'eu-west-1' # near us\n\n[services]\n",
            "completed with project.name",
        ),
        ("", "completed with [project]"),
        ("# only a comment\n", "completed with [project]"),
    ],
)
def test_completing_keeps_every_line_and_comment(before: str, done: str, repository: Repository) -> None:
    repository.write("bootstrap.toml", before)
    made = scaffold.manifest(ProjectFiles(repository.root))
    assert made.done == done
    text = made.data.decode()
    lines = iter(text.splitlines())
    assert all(line in lines for line in before.splitlines())  # all of them, in their order
    assert tomllib.loads(text)["project"]["name"] == "project"
    repository.write("bootstrap.toml", text)
    assert scaffold.manifest(ProjectFiles(repository.root)) == scaffold.Manifest(made.data, None)


@pytest.mark.parametrize("before", [b"[services", b"\xff", b"a = 1\na = 2\n"])
def test_half_a_manifest_that_cannot_be_read_is_left_alone(
    before: bytes, repository: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    (repository.root / "bootstrap.toml").write_bytes(before)
    held = snapshot(repository.root)
    with pytest.raises(ManifestError, match=r"^bootstrap\.toml: is not valid TOML"):
        scaffold.manifest(ProjectFiles(repository.root))
    answer = bootstrap("init", "--defaults", cwd=repository.root).check(1)
    assert len(answer.err.splitlines()) == 2
    assert snapshot(repository.root) == held


def test_nothing_is_written_while_anything_is_wrong(
    repository: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    repository.write("bootstrap.toml", "[services.web]\nbuild = 'web'\nprot = 1\n")
    held = snapshot(repository.root)
    bootstrap("init", "--defaults", cwd=repository.root).check(1, "services.web.prot")
    assert snapshot(repository.root) == held


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ("", ["/.bootstrap/", "/bootstrap.local.toml", ".env"]),
        ("*.pyc", ["/.bootstrap/", "/bootstrap.local.toml", ".env"]),
        ("/.bootstrap/\n.env\n", ["/bootstrap.local.toml"]),
        ("/.bootstrap/\n/bootstrap.local.toml\n/.env\n", []),
    ],
)
def test_git_ignores_what_belongs_to_one_workspace(
    before: str, added: list[str], repository: Repository, bootstrap: Bootstrap
) -> None:
    repository.write(".gitignore", before)
    bootstrap("init", "--defaults", cwd=repository.root).check(0)
    after = repository.read(".gitignore")
    assert after.startswith(before)
    assert [line for line in after.splitlines() if line and line not in before.splitlines()] == (
        ["# bootstrap", *added] if added else []
    )
    ignored = repository.git("check-ignore", ".bootstrap/env/web.env", "bootstrap.local.toml", ".env")
    assert len(ignored.splitlines()) == 3


@pytest.mark.parametrize("where", [".", "deep/er"])
def test_a_project_opens_from_anywhere_inside_it(
    where: str, repository: Repository, bootstrap: Bootstrap
) -> None:
    (repository.root / where).mkdir(parents=True, exist_ok=True)
    bootstrap("init", "--defaults", cwd=repository.root / where).check(0)
    assert (repository.root / "bootstrap.toml").exists()


def test_outside_of_a_repository_it_says_so(tmp_path: Path, bootstrap: Bootstrap) -> None:
    answer = bootstrap("init", "--defaults", cwd=tmp_path).check(3, "is not in a git repository", "git init")
    assert len(answer.err.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []
