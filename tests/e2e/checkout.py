"""A fresh copy of this repository, run by the command line as a process."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.containers import ENVIRON, docker

if TYPE_CHECKING:
    from tests.conftest import Bootstrap, Result

ROOT = Path(__file__).parents[2]
_PATIENCE = 500.0


class Checkout:
    """A fresh copy of this repository, committed."""

    def __init__(self, root: Path, bootstrap: Bootstrap) -> None:
        self.root = root
        self._bootstrap = bootstrap
        tracked = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, tracked.stdout.split("\0")):
            if not name.startswith("tests/") and (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        """Commit everything that git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Begin")

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def run(self, *arguments: str, data: str = "", **environ: str) -> Result:
        return self._bootstrap(
            *arguments, cwd=self.root, env={**ENVIRON, **environ}, data=data, timeout=_PATIENCE
        )

    def as_processes(self, port: int) -> None:
        """Let the backend run with what is installed beside these tests, so that nothing is installed."""
        text = (self.root / "bootstrap.toml").read_text(encoding="utf-8")
        text = re.sub('setup = "python .*"', 'setup = "true"', text)
        gunicorn = f"exec {shlex.quote(sys.executable)} -m gunicorn 'app:create_app()'"
        text = re.sub("command = .*", lambda _: f"command = {json.dumps(gunicorn)}", text)
        self.write("bootstrap.toml", text)
        self.write("bootstrap.local.toml", f"[services.backend-flask]\nport = {port}\n")
        self.commit()

    @property
    def project(self) -> str:
        """The name under which Compose knows what `up` runs."""
        listed = self.run("compose", "--", "config", "--format", "json").check(0)
        name: str = json.loads(listed.out)["name"]
        return name

    def containers(self, **environ: str) -> dict[str, str]:
        """The id of each container, by its service."""
        listed = self.run("compose", "--", "ps", "--all", "--format", "json", **environ).check(0)
        documents = [json.loads(line) for line in listed.out.splitlines() if line.strip()]
        return {each["Service"]: each["ID"] for each in documents}

    def findings(self, *arguments: str, **environ: str) -> dict[str, dict[str, Any]]:
        """What `verify` finds, by `SERVICE VENDOR`."""
        found = json.loads(self.run("verify", "--json", *arguments, **environ).check(0).out)["findings"]
        return {f"{each['service']} {each['vendor']}": each for each in found}


def remove_images(project: str, *services: str) -> None:
    for service in services:
        docker("image", "rm", "--force", f"{project}-{service}", check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
