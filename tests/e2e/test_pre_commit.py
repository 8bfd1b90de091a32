"""The real pre-commit tool runs this repository's own hook, and the one that it offers to others."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Repository

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

Run = Any


@pytest.fixture
def token() -> str:
    """The value of a secret that exists nowhere."""
    return f"0a{secrets.token_hex(14)}9f"


@pytest.fixture
def run(token: str, tmp_path: Path) -> Run:
    """Run a program with a secret set, and hold it to never showing it: run(folder, *arguments, **more)."""

    def call(folder: Path, *arguments: str, **environ: str) -> Any:
        done = subprocess.run(
            arguments,
            cwd=folder,
            env={
                **os.environ,
                "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
                "ROLLBAR_ACCESS_TOKEN": token,
                **environ,
            },
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert token not in done.stdout + done.stderr
        return done

    return call


def test_this_repository_scans_its_own_commits(run: Run, token: str, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    command = clone / ".venv" / "bin" / "bootstrap"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m bootstrap "$@"\n')
    command.chmod(0o755)
    pre_commit = (sys.executable, "-m", "pre_commit")
    assert run(clone, *pre_commit, "install").returncode == 0
    others = {"SKIP": "lint,types,imports,render,docs"}

    (clone / "journal.md").write_text(f"# Week 2\n\nexport ROLLBAR_ACCESS_TOKEN={token}\n")
    subprocess.run(["git", "add", "journal.md"], cwd=clone, check=True)
    refused = run(clone, "git", "commit", "--message", "Week 2", **others)
    assert refused.returncode == 1
    assert "journal.md:3:29: the value of ROLLBAR_ACCESS_TOKEN" in refused.stdout + refused.stderr

    # Git gives the hook an index of its own, without the leak.
    (clone / "README.md").write_text("Clean.\n")
    taken = run(clone, "git", "commit", "--message", "Only this", "--", "README.md", **others)
    assert taken.returncode == 0, taken.stdout + taken.stderr

    (clone / "journal.md").write_text("# Week 2\n")
    subprocess.run(["git", "add", "journal.md"], cwd=clone, check=True)
    assert run(clone, "git", "commit", "--message", "Week 2", **others).returncode == 0


def test_this_repository_s_own_tree_and_history_hold_no_secret(run: Run, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    for what in ((), ("--range", "HEAD")):
        done = run(clone, sys.executable, "-P", "-m", "bootstrap", "secrets", "scan", *what)
        assert done.returncode == 0, done.stdout + done.stderr


def test_another_repository_uses_what_this_one_offers(
    run: Run, token: str, repository: Repository, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, capture_output=True, text=True, check=True
    ).stdout.strip()
    repository.write(
        ".pre-commit-config.yaml",
        f"repos:\n  - repo: {source}\n    rev: {commit}\n    hooks:\n      - id: bootstrap-secrets-scan\n",
    )
    repository.write("notes.md", f"rollbar: {token}\n")
    repository.git("add", "--all")
    pre_commit = (sys.executable, "-m", "pre_commit")
    refused = run(repository.root, *pre_commit, "run")
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "notes.md:1:10: the value of ROLLBAR_ACCESS_TOKEN" in refused.stdout
    assert "there is no bootstrap.toml here" in refused.stdout
    by_shape = run(repository.root, *pre_commit, "run", ROLLBAR_ACCESS_TOKEN="")
    assert "notes.md:1:10: looks like a Rollbar" in by_shape.stdout
    assert token not in by_shape.stdout
    repository.write("notes.md", "rollbar: in the store\n")
    repository.git("add", "--all")
    passed = run(repository.root, *pre_commit, "run")
    assert passed.returncode == 0, passed.stdout + passed.stderr
