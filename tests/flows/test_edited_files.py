"""Files that somebody edited, or that are somebody else's: shown, masked, and left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Snapshot


def edit(repository: Repository, path: str, extra: str) -> None:
    (repository.root / path).write_text(repository.read(path) + extra, encoding="utf-8")


#: files that the tool makes, as somebody else had made them
THEIRS = {
    "docker-compose.yml": "services:\n  theirs:\n    image: x\n",
    ".gitpod.yml": "tasks: []\n",
    ".devcontainer/devcontainer.json": '{"image": "x"}\n',
    ".devcontainer/install.sh": "#!/bin/sh\n",
    ".env.example": "A=\n",
    "aws/json/xray-group.json": '{"GroupName": "Theirs"}\n',
    "aws/json/xray-sampling-rule-web.json": "{}\n",
}


@pytest.mark.parametrize("paths", [list(THEIRS)[::2], list(THEIRS)[1::2]], ids=["some", "the others"])
@pytest.mark.parametrize("committed", [True, False])
def test_somebody_elses_files_are_never_touched(
    paths: list[str], *, committed: bool, project: Repository, bootstrap: Bootstrap
) -> None:
    for path in paths:
        project.write(path, THEIRS[path])
    if committed:
        project.git("add", *paths)
        project.git("commit", "--quiet", "--message", "What was here before")
    for arguments in (["render", "--force"], ["init", "--defaults"]):
        answer = bootstrap(*arguments, cwd=project.root).check(
            5, *paths, "not made by this tool", "Move it away"
        )
        assert "Traceback" not in answer.err
        assert {path: project.read(path) for path in paths} == {path: THEIRS[path] for path in paths}
        assert not list(project.root.rglob("*.orig"))
    assert all((project.root / path).exists() for path in THEIRS)  # the others are written


def test_an_edited_file_is_shown_and_left_alone_until_forced(
    project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    bootstrap("render", cwd=project.root).check(0)
    project.commit()
    edit(project, "docker-compose.yml", "x-mine: 1\n")
    edited = project.read("docker-compose.yml")
    before = snapshot(project.root)

    answer = bootstrap("render", cwd=project.root).check(5, "docker-compose.yml: edited by hand")
    assert "-x-mine: 1" in answer.out.splitlines()
    assert "render --force" in answer.err.splitlines()[-1]
    bootstrap("render", "--check", cwd=project.root).check(5)
    bootstrap("init", "--defaults", cwd=project.root).check(5, "edited by hand")
    after = snapshot(project.root)
    after.pop(".gitattributes", None)  # `init` completes git's lists, whatever else there is to decide
    after.pop(".bootstrap/init.json", None)  # and remembers that it did
    after[".gitignore"] = before[".gitignore"]
    assert after == before

    bootstrap("render", "--force", cwd=project.root).check(0)
    assert project.read("docker-compose.yml.orig") == edited
    assert "x-mine" not in project.read("docker-compose.yml")
    bootstrap("render", "--check", cwd=project.root).check(0)


def test_an_edit_that_is_not_utf8_is_shown_and_kept(project: Repository, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=project.root).check(0)
    path = project.root / "docker-compose.yml"
    edited = path.read_bytes() + b"# caf\xe9\r\n"
    path.write_bytes(edited)
    shown = subprocess.run(
        [sys.executable, "-m", "bootstrap", "render"],
        cwd=project.root,
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 5
    assert b"-# caf" in shown.stdout
    assert "docker-compose.yml: edited by hand" in shown.stderr.decode()
    bootstrap("render", "--force", cwd=project.root).check(0)
    assert (project.root / "docker-compose.yml.orig").read_bytes() == edited


def test_a_secret_in_an_edited_file_is_masked(project: Repository, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=project.root).check(0)
    edit(project, "docker-compose.yml", "x-note: plainly-fake-value\nx-api-key: another-fake-value\n")
    answer = bootstrap(
        "render", "--diff", cwd=project.root, env={"HONEYCOMB_API_KEY": "plainly-fake-value"}
    ).check(5)
    assert "fake-value" not in answer.out + answer.err
    assert "********" in answer.out


def test_a_secret_that_is_not_text_is_refused_by_name(project: Repository) -> None:
    for form in ("shell", "compose-env", "json"):
        done = subprocess.run(
            [sys.executable, "-m", "bootstrap", "env", "web", "--format", form, "--reveal", "--all"],
            cwd=project.root,
            env={**os.environb, b"HONEYCOMB_API_KEY": b"\xff\xfe"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, b"")
        first, second = done.stderr.decode().splitlines()
        assert "UTF-8" in first
        assert second.strip()
