"""Installs the tool and its peers below .venvs/, as anybody would install them: as wheels, with bytecode."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_BENCH = ROOT / ".venvs" / "bench"
_TUTOR = ROOT / ".venvs" / "bench-tutor"
_DETECT_SECRETS = ROOT / ".venvs" / "bench-detect-secrets"
_PIP = ("-m", "pip", "install", "-qq", "--disable-pip-version-check")


@cache
def install_same() -> Path:
    """Install the tool, a bare Click program and python-dotenv side by side; return the folder of commands.

    One interpreter, one version of Click and the entry scripts of one pip: what differs is the programs.
    """
    python = _python(_BENCH)
    _run(
        *(
            python,
            *_PIP,
            "--constraint",
            ROOT / "constraints.txt",
            "--requirement",
            HERE / "requirements.txt",
        ),
        *(ROOT, HERE / "bare"),
    )
    # The version stays the same while the source changes.
    _run(python, *_PIP, "--no-deps", "--force-reinstall", ROOT, HERE / "bare")
    return python.parent


@cache
def install_tutor() -> Path:
    """Install tutor in an environment of its own; return the folder of commands."""
    python = _python(_TUTOR)
    _run(python, *_PIP, "--requirement", HERE / "requirements-tutor.txt")
    return python.parent


@cache
def install_detect_secrets() -> Path:
    """Install detect-secrets in an environment of its own; return the folder of commands."""
    python = _python(_DETECT_SECRETS)
    _run(python, *_PIP, "--requirement", HERE / "requirements-detect-secrets.txt")
    return python.parent


def _python(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        _run(sys.executable, "-m", "venv", "--clear", folder)
    return python


def _run(*argv: str | Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(argv, env=environ, stdout=sys.stderr, check=True)
