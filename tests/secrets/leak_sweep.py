"""Takes a value through commands and stores, and looks everywhere afterwards."""

from __future__ import annotations

import secrets
import subprocess
import time
from typing import TYPE_CHECKING

from tests.secrets.leak_probe import Probe
from tests.secrets.shop import COMMAND, Result, Shop
from tests.secrets.stand_ins.machine import StandIns

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
    from pathlib import Path


#: Python reads it at its start: what is started, and lives too short to be met in /proc, is written down
RECORDER = """
import os, sys
def record(event, given):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        words = [given[1]] if isinstance(given[1], (str, bytes)) else given[1]
        line = b"\\0".join(os.fsencode(word) for word in words).hex() + "\\n"
        log = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(log, line.encode())
        os.close(log)
sys.addaudithook(record)
"""


class Sweep:
    """A project, two values that nobody else has, and the probe that knows them."""

    def __init__(self, folder: Path) -> None:
        marks = [secrets.token_hex(8) for _ in range(3)]
        #: what is kept in each secret: a plain one, and one with everything in it that people trip over
        self.values = {
            "WORKER_KEY": f"canary{marks[0]}",
            "DATABASE_URL": f'{marks[1]} "quoted" it\'s $HOME `id` \\{marks[1]}\n# {marks[2]}/+%&=é',
        }
        self.probe = Probe(self.values.values(), marks)
        self.folder = folder
        self.shop = Shop(folder)
        self.programs = StandIns(folder / "stand-ins")
        self.started = folder / "started"
        recorder = RECORDER.format(path=str(self.started))
        self.shop.environ |= self.poison({"sitecustomize.py": recorder})
        self.shop.write("README.md", "nothing of interest\n")
        self.shop.git("add", ".")
        self.shop.git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "Begin")

    def step(
        self,
        *arguments: str,
        code: int,
        data: str = "",
        asked: bool = False,
        env: Mapping[str, str] | None = None,
        shell: str = 'exec "$@"',
        timeout: float = 60,
    ) -> Result:
        """Run a command; where it was `asked` for a value there is one on stdout, and nowhere else."""
        result = self.shop(*arguments, data=data, env=env, shell=shell, timeout=timeout)
        self.look(result, asked=asked)
        assert result.code == code, f"{arguments}: exit {result.code}\n{result.err}"
        return result

    def look(self, result: Result, *, asked: bool = False) -> None:
        """Look at what a command printed; what it is found in is not shown, only named."""
        printed = {
            "stdout": self.probe.finds(result.out.encode()),
            "stderr": self.probe.finds(result.err.encode()),
        }
        assert printed == {"stdout": asked, "stderr": False}
        lines = self.started.read_text().splitlines() if self.started.exists() else ()
        assert not any(self.probe.in_arguments(bytes.fromhex(line)) for line in lines)

    def set(
        self,
        *options: str,
        code: int,
        env: Mapping[str, str] | None = None,
        shell: str = 'exec "$@"',
        timeout: float = 60,
    ) -> Result:
        """Set the plain one and the other, as JSON and in words."""
        words = ("secrets", "set", "WORKER_KEY", *options)
        json = ("secrets", "set", "DATABASE_URL", "--json", *options)
        plain, other = self.values["WORKER_KEY"], self.values["DATABASE_URL"]
        self.step(*words, data=plain, code=code, env=env, shell=shell, timeout=timeout)
        return self.step(*json, data=other, code=code, env=env, shell=shell, timeout=timeout)

    def interrupt(
        self, number: signal.Signals, *arguments: str, data: str, when: Callable[[], bool]
    ) -> Result:
        """Run a command, and send it a signal as soon as `when` says so."""
        child = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.shop.root,
            env=self.shop.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None
        child.stdin.write(data)
        child.stdin.close()
        child.stdin = None
        deadline = time.monotonic() + 60
        while not when():
            assert child.poll() is None, "it has ended too early"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
        result = Result(child.returncode, out, err)
        self.look(result)
        return result

    def program(self, name: str, script: str) -> None:
        """Put a shell script before a stand-in; it finds that one as $ITSELF."""
        path = self.programs.programs / name
        itself = path.parent / "behind" / name
        if not itself.exists():
            itself.parent.mkdir(exist_ok=True)
            path.rename(itself)
        path.write_text(f"#!/bin/sh\nITSELF={itself}\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def poison(self, modules: Mapping[str, str]) -> dict[str, str]:
        """Make Python modules that come before the installed ones; returns the environment for that."""
        for name, text in modules.items():
            path = self.folder / "poison" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return {"PYTHONPATH": str(self.folder / "poison")}

    def look_everywhere(self) -> None:
        """Look at every file but the store's own and the session file, and at every object of git."""
        place = self.shop.place
        own = {
            place.folder.path / "secrets.json",
            place.session.path / "session.json",
            self.shop.root / ".env",
        }
        found = self.probe.in_files(self.shop.home, self.shop.temporary, self.shop.root, but=own)
        assert found + self.probe.in_git(self.shop.root) == []
