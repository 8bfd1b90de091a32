"""A service's own virtual environment: where it is, and what makes a process use it."""

import os
from collections.abc import Mapping
from pathlib import Path


def folder(root: Path, service: str) -> Path:
    """Where the service `service` of the project at `root` has its virtual environment."""
    return root / ".bootstrap" / "services" / service / "venv"


def activated(environ: Mapping[str, str], venv: Path) -> dict[str, str]:
    """Copy `environ` as `venv`'s own activate script would change it."""
    activated = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    activated["PATH"] = f"{venv / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}"
    activated["VIRTUAL_ENV"] = str(venv)
    activated["PIP_USER"] = "0"  # Gitpod's images set 1, which no virtual environment accepts
    return activated
