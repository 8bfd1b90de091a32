"""Programs in other languages that send to the collector, with what they need kept outside the tree."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"
_PATIENCE = 300.0


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """A folder with `send.mjs` and what it imports, installed once for each package.json."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} is on the PATH")
    digest = hashlib.sha256((NODE / "package.json").read_bytes()).hexdigest()[:16]
    # The tests' own home is a new one each time.
    kept = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "workspace-bootstrap-tests" / f"node-{digest}"
    if not (kept / "node_modules").is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _install(kept)
    script, copy = NODE / "send.mjs", kept / "send.mjs"
    if not copy.exists() or copy.read_bytes() != script.read_bytes():
        shutil.copy(script, copy)
    return kept


def _install(kept: Path) -> None:
    """Install beside it, and put it there at once: another worker may be doing the same."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as made:
        folder = Path(made) / "node"
        folder.mkdir()
        shutil.copy(NODE / "package.json", folder)
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"npm cannot install the clients: {done.stderr.strip().splitlines()[-1:]}")
        if not kept.exists():
            folder.rename(kept)
