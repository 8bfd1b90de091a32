"""The app in a server process of its own, watched through its log."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from flask import Flask

from receivers import PATIENCE, Inbox

BACKEND = Path(__file__).resolve().parent.parent


class MakeApp(Protocol):
    """Makes an app that sees exactly this environment."""

    def __call__(self, environ: dict[str, str], /) -> Flask: ...


class Served:
    """The app in a server process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.port = 0
        self.pid = process.pid
        self._process = process
        self._log = Inbox()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._log.add([line])

    def wait_until_listening(self) -> None:
        """Learn the port, which the server chose for itself."""
        self.port = int(self.wait_for_log(r"http://127\.0\.0\.1:(\d+)")[1])

    def wait_for_log(self, pattern: str, after: int = 0) -> re.Match[str]:
        """Find `pattern` in the log, from line number `after` on."""
        while True:
            for line in self._log.wait_for(after + 1)[after:]:
                after += 1
                if match := re.search(pattern, line):
                    return match

    def log(self) -> list[str]:
        """Answer what the process has said so far, in lines."""
        return list(self._log.items)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal the process and answer its exit code, once all its output is read."""
        self._process.send_signal(how)
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._reader.join(PATIENCE)


@contextmanager
def running(argv: Sequence[str], environ: Mapping[str, str], folder: Path = BACKEND) -> Iterator[Served]:
    """Start a server that prints its address with a port; after the block it has stopped."""
    with subprocess.Popen(
        argv,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        server = Served(process)
        try:
            server.wait_until_listening()
            yield server
        finally:
            server.stop()


class Serve(Protocol):
    """Starts a server with this command and environment; it prints its address with a port."""

    def __call__(self, *command: str, environ: dict[str, str], folder: Path = BACKEND) -> Served: ...
