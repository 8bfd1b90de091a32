"""The student's path, typed and timed: from a machine with Python, git and make to the first own trace.

`python -m tests.bench.student` clones what is committed here, with an empty home and an empty cache for pip,
and types what docs/tutorials/student.md says, where no container engine is. What differs: the backend's port,
which others may have here.
"""

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.machine import Machine

#: how pip and git find what they download from here
_KEPT = ("PIP_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "LANG")


def main() -> None:
    """Do it once, and print what was typed and how long each took."""
    argparse.ArgumentParser(prog="python -m tests.bench.student", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder, _machine(Path(folder)) as machine:
        steps = list(_path(machine))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "steps": [{"typed": typed, "seconds": round(seconds, 1)} for typed, seconds in steps],
                "typed": len(steps),
                "seconds": round(sum(seconds for _, seconds in steps), 1),
                "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
                "load": [round(load, 1) for load in os.getloadavg()],
                "cores": os.cpu_count(),
                "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            },
            indent=2,
        )
    )


def _path(machine: Machine) -> Iterator[tuple[str, float]]:
    begin = time.monotonic()
    port = machine.clone()
    yield f"git clone https://HOST/OWNER/REPOSITORY {machine.root.name}", time.monotonic() - begin
    yield f"cd {machine.root.name}", 0.0
    begin = time.monotonic()
    terminal = machine.terminal("make", "dev")
    running = terminal.healthy()
    yield "make dev", time.monotonic() - begin
    begin = time.monotonic()
    running.check_home()  # asks, and waits until spans and segment are there to be read
    yield f"curl http://localhost:{port}/api/activities/home", time.monotonic() - begin
    terminal.interrupt()


def _tools(folder: Path) -> Path:
    """Every program of the system's but those of a container engine."""
    folder.mkdir()
    for program in (*Path("/usr/bin").iterdir(), *Path("/bin").iterdir()):
        if (
            "docker" not in program.name
            and "podman" not in program.name
            and not (folder / program.name).exists()
        ):
            (folder / program.name).symlink_to(program)
    return folder


@contextmanager
def _machine(folder: Path) -> Iterator[Machine]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    environ = {**kept, "PIP_CACHE_DIR": str(folder / "pip-cache"), "PYTHON": str(python), "TERM": "dumb"}
    machine = Machine(folder / "machine", str(_tools(folder / "tools")), environ)
    try:
        yield machine
    finally:
        for terminal in machine.terminals:
            terminal.close()
        machine.power_off()


if __name__ == "__main__":
    main()
