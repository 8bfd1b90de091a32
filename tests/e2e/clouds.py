"""Vendors as programs of their own, in containers or on loopback, and keys that they know."""

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
from tests.stand_ins.sts import Known, key_id, secret_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAM = ROOT / "tests" / "stand_ins" / "remote" / "clouds.py"
KINDS = ("honeycomb", "rollbar", "logs")
_PATIENCE = 30.0


class Clouds:
    """What they know, where the host reaches them, and what they have seen."""

    @property
    def known_to_aws(self) -> dict[str, Any]:
        """The records of AWS's keys."""
        return {
            hashlib.sha256(f"{identifier} {known.token or ''}".encode()).hexdigest(): sorted(known.allowed)
            for identifier, known in self.aws.keys.items()
        }

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
        #: what CloudWatch Logs knows; an STS adds the keys of its sessions
        self.aws = _Published(self)
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
        hashes = {name: hashlib.sha256(value.encode()).hexdigest() for name, value in self.keys.items()}
        text = json.dumps({hashes[name]: known[name] for name in self.keys} | self.known_to_aws)
        (self.folder / "keys.json").write_text(text)  # in place: a container has the file itself mounted

    def rotate(self, name: str) -> str:
        """Make another ingest key; the one before is known no more."""
        self.keys[name] = ingest_key()
        self.publish()
        return self.keys[name]

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which the command line asks them instead of the real ones."""
        names = {kind: f"BOOTSTRAP_{kind.upper()}_ENDPOINT" for kind in KINDS}
        names["logs"] = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"
        return {names[kind]: f"http://127.0.0.1:{port}" for kind, port in self.ports.items()}

    def override(self) -> str:
        """What a person writes into docker-compose.override.yml to have them on the project's network."""
        services: dict[str, Any] = {
            "backend-flask": {
                "environment": {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://honeycomb:8080",
                    "ROLLBAR_ENDPOINT": "http://rollbar:8080/api/1/",
                    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://logs:8080",
                }
            },
            # X-Ray itself has no stand-in here, and nobody shall reach the real one.
            "xray-daemon": {"extra_hosts": ["xray.us-east-1.amazonaws.com:127.0.0.1"]},
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


class _Keys(dict[str, Known]):
    """Keys that are published whenever one is added."""

    def __init__(self, publish: Callable[[], None]) -> None:
        super().__init__()
        self._publish = publish

    def __setitem__(self, identifier: str, known: Known) -> None:
        super().__setitem__(identifier, known)
        self._publish()


class _Published:
    """CloudWatch Logs, as an STS knows it."""

    def __init__(self, clouds: Clouds) -> None:
        self.keys: dict[str, Known] = _Keys(clouds.publish)


def made_up_key() -> dict[str, str]:
    """A key of AWS that exists nowhere."""
    return {"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()}
