"""Makes the projects that are rendered, and the surroundings that every measured process has."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR")


def surroundings(home: Path, commands: Path) -> dict[str, str]:
    """Only what a process needs, with an empty home: no workspace, no account, no Python settings."""
    kept = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return {**kept, "PATH": f"{commands}{os.pathsep}{kept['PATH']}", "HOME": str(home)}


def manifest(services: int) -> str:
    """Write a manifest of that many services, each with telemetry, a secret, a URL and a neighbour."""
    parts = ['[project]\nname = "bench"\n']
    for number in range(services):
        neighbour = f"service-{max(number - 1, 0):04}"
        depends = f'depends_on = ["{neighbour}"]\n' if number else ""
        parts.append(
            f"[services.service-{number:04}]\n"
            f'build = "service"\n'
            f'command = "exec gunicorn app:app"\n'
            f"port = {10000 + number}\n"
            f"public = true\n"
            f'health = "/api/health-check"\n'
            f'telemetry = ["honeycomb", "xray", "cloudwatch", "rollbar"]\n'
            f'secrets = ["DATABASE_URL"]\n'
            f"{depends}"
            f"environment = {{ "
            f'OWN_URL = "${{url:service-{number:04}}}", '
            f'NEIGHBOUR = "http://${{address:{neighbour}}}:${{port:{neighbour}}}" }}\n'
            f"compose = {{ volumes = ['./service:/app'], user = '1000' }}\n"
        )
    parts.append('[secrets.DATABASE_URL]\ndescription = "Where the posts live"\n')
    return "\n".join(parts)


def make_project(folder: Path, text: str) -> Path:
    """Make a git repository with that manifest and nothing else."""
    folder.mkdir(parents=True)
    (folder / "service").mkdir()
    (folder / "bootstrap.toml").write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def dotenv_text(variables: Mapping[str, str]) -> str:
    """Write a .env file of plain values."""
    return "".join(f"{name}='{value}'\n" for name, value in variables.items())
