"""A project with a remote, a home and stores of its own, where the command line runs as a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.flows.secrets import choice
from bootstrap.flows.secrets.place import make_place
from bootstrap.model.secret import Secret
from bootstrap.secrets import open_store
from bootstrap.secrets.session import Store as SessionStore
from bootstrap.system.worktree import repository
from bootstrap.workspaces import detect
from tests.secrets.stand_ins.machine import StandIns, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bootstrap.secrets.interface import Place

MANIFEST = """
[project]
name = "shop"

[services.api]
build = "api"
command = "true"
telemetry = ["honeycomb"]
secrets = ["DATABASE_URL"]

[services.worker]
build = "worker"
command = "true"
secrets = ["WORKER_KEY"]

[secrets.DATABASE_URL]
description = "Where the orders are"

[secrets.WORKER_KEY]
required = true
"""
COMMAND = (sys.executable, "-P", "-m", "bootstrap")


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed, byte for byte."""

    code: int
    out: str
    err: str

    def check(self, code: int, *fragments: str) -> Result:
        """Compare the exit code, and look for each fragment on stderr."""
        assert self.code == code, f"exit {self.code}, not {code}\n--- out\n{self.out}\n--- err\n{self.err}"
        for fragment in fragments:
            assert fragment in self.err, f"no {fragment!r} in\n{self.err}"
        return self

    @property
    def said(self) -> str:
        """What was said on stderr, without what depends on how fast this machine is."""
        return re.sub("^Waiting for .*\n", "", self.err, flags=re.MULTILINE)

    @property
    def lines(self) -> list[str]:
        """The same, line by line."""
        return self.said.strip().splitlines()


class Shop:
    """One clone; `clone` makes others that share its home. Nothing of the caller's environment gets in."""

    def __init__(self, folder: Path, *, name: str = "project", remote: str = "github.com/acme/shop") -> None:
        self.folder = folder
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        self.root = folder / name
        for path in (self.home, self.temporary, self.root):
            path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", f"https://{remote}.git")
        self.write("bootstrap.toml", MANIFEST)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "TMPDIR": str(self.temporary),
            # Nobody's real keyring is asked or written to.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
        }

    def clone(self, name: str, remote: str) -> Shop:
        """Make another clone beside this one, of the same user in the same workspace."""
        other = Shop(self.folder, name=name, remote=remote)
        other.environ = dict(self.environ)
        return other

    def git(self, *arguments: str) -> None:
        """Run git here; a failure is an error."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, path: str, text: str) -> Path:
        """Write a file, with the folders above it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def enter(self, programs: StandIns, environ: Mapping[str, str]) -> None:
        """From now on these programs are first on the PATH, and this is in the environment, too."""
        self.environ |= {"PATH": f"{programs.programs}:{os.environ['PATH']}", **environ}

    def enter_gitpod(self, programs: StandIns) -> None:
        """From now on this is a Gitpod workspace, opened for acme/shop."""
        self.enter(programs, workspace("acme/shop"))

    def __call__(
        self,
        *arguments: str,
        data: str | bytes = b"",
        env: Mapping[str, str] | None = None,
        shell: str = 'exec "$@"',
        timeout: float = 60,
    ) -> Result:
        """Run `bootstrap ARGUMENTS` here, as "$@" of a `shell` script, with `data` on its standard input."""
        done = subprocess.run(
            ["/bin/sh", "-c", shell, "sh", *COMMAND, *arguments],
            cwd=self.root,
            env={**self.environ, **(env or {})},
            input=data.encode() if isinstance(data, str) else data,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def place(self) -> Place:
        """What stores are told here."""
        return make_place(
            repository(self.root),
            self.root,
            self.environ,
            detect(self.environ),
            services={},
            region="us-east-1",
        )

    def choose(self, store: str = "file", **values: str) -> None:
        """Choose the store, as if by an earlier command, and keep `values` in it."""
        choice.record(self.place, store)
        self.keep(store, **values)

    def keep(self, store: str, **values: str) -> None:
        """Keep `values` in a store, as if by an earlier command."""
        opened = open_store(store, self.place)
        for name, value in values.items():
            opened.set(name, Secret(value, "test"))

    def kept(self, store: str = "file") -> dict[str, str]:
        """What a store has."""
        opened = open_store(store, self.place)
        names = opened.names()
        assert names is not None
        return {name: secret.reveal() for name, secret in opened.get_many(names).items()}

    @property
    def session(self) -> SessionStore:
        """The session file of this start of the workspace."""
        return SessionStore(self.place)
