"""Honeycomb and Rollbar as programs of their own, in containers or on loopback, and keys that they know."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.e2e.checkout import ROOT, free_port
from tests.stand_ins.honeycomb import configuration_key, ingest_key
from tests.stand_ins.rollbar import token
from tests.stand_ins.sts import key_id, secret_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = ROOT / "tests" / "stand_ins" / "remote" / "clouds.py"
KINDS = ("honeycomb", "rollbar")
_PATIENCE = 30.0


class Clouds:
    """What they know, where the host reaches them, and what they have seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.ports = {kind: free_port() for kind in KINDS}
        self.keys = {
            "HONEYCOMB_API_KEY": ingest_key(),
            "HONEYCOMB_CONFIGURATION_KEY": configuration_key(),
            "ROLLBAR_ACCESS_TOKEN": token(),
            "ROLLBAR_READ_TOKEN": token(),
        }
        self.publish()

    def publish(self) -> None:
        """Let both know the keys as they are now, and no others."""
        known: dict[str, Any] = {
            "HONEYCOMB_API_KEY": {"type": "ingest", "access": ["createDatasets"]},
            "HONEYCOMB_CONFIGURATION_KEY": {
                "type": "configuration",
                "access": ["createDatasets", "queries", "columns"],
            },
            "ROLLBAR_ACCESS_TOKEN": ["post_server_item"],
            "ROLLBAR_READ_TOKEN": ["read"],
        }
        text = json.dumps(
            {hashlib.sha256(value.encode()).hexdigest(): known[name] for name, value in self.keys.items()}
        )
        (self.folder / "keys.json").write_text(text)  # in place: a container has the file itself mounted

    def rotate(self, name: str) -> str:
        """Make another ingest key; the one before is known no more."""
        self.keys[name] = ingest_key()
        self.publish()
        return self.keys[name]

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which the command line asks them instead of the real ones."""
        return {
            f"BOOTSTRAP_{kind.upper()}_ENDPOINT": f"http://127.0.0.1:{port}"
            for kind, port in self.ports.items()
        }

    def override(self) -> str:
        """What a person writes into docker-compose.override.yml to have them on the project's network."""
        services: dict[str, Any] = {
            "backend-flask": {
                "environment": {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://honeycomb:8080",
                    "ROLLBAR_ENDPOINT": "http://rollbar:8080/api/1/",
                }
            }
        }
        for kind, port in self.ports.items():
            services[kind] = {
                "image": "python:3.13-slim-trixie",
                "command": ["python3", "/clouds.py", kind, "0.0.0.0", "8080", "/keys.json"],
                "volumes": [f"{PROGRAM}:/clouds.py:ro", f"{self.folder / 'keys.json'}:/keys.json:ro"],
                "ports": [f"127.0.0.1:{port}:8080"],
                "init": True,
                "stop_grace_period": "1s",
            }
        return json.dumps({"services": services}, indent=1)  # which is YAML, too

    def seen(self, kind: str) -> Any:
        """What one has received."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[kind]}/-/seen", timeout=5) as answer:
            return json.load(answer)

    def wait(self, *kinds: str) -> None:
        """Wait until both answer, or those of `kinds`."""
        deadline = time.monotonic() + _PATIENCE
        for kind in kinds or KINDS:
            while True:
                with contextlib.suppress(OSError):
                    self.seen(kind)
                    break
                assert time.monotonic() < deadline, kind
                time.sleep(0.1)

    @contextlib.contextmanager
    def on_loopback(self, *kinds: str) -> Iterator[None]:
        """Run them as processes while it is entered."""
        keys = str(self.folder / "keys.json")
        running = [
            subprocess.Popen([sys.executable, str(PROGRAM), kind, "127.0.0.1", str(self.ports[kind]), keys])
            for kind in kinds
        ]
        try:
            yield
        finally:
            for each in running:
                each.kill()
                each.wait()


def made_up_key() -> dict[str, str]:
    """A key of AWS that exists nowhere."""
    return {"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()}
