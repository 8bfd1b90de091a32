"""What Compose itself makes of the files: it needs no container engine to say so."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bootstrap.adoption import normal
from bootstrap.adoption.found import Model
from bootstrap.model.errors import BootstrapError
from bootstrap.system import process

_PATIENCE = 30.0
#: what Docker's own program needs; no variable that a file could ask for, so that no value comes back
_KEPT = ("PATH", "HOME", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "TMPDIR")
_LOCAL = {"COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false", "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false"}
_OPTIONS = ("--no-interpolate", "--no-path-resolution", "--no-normalize", "--format", "json")
_TOP = ("networks", "volumes", "secrets", "configs", "name")
#: what the question is about has to have a name, which must not be taken for theirs
_NAME = "bootstrap-reads-this"


def ask(root: Path, paths: Sequence[str], environ: Mapping[str, str]) -> Model | None:
    """Ask it; None where there is no Compose that answers.

    Whoever asks has made sure that the files lead nowhere else. Raises BootstrapError, in Compose's own
    words, for files that it does not take.
    """
    kept = {name: environ[name] for name in _KEPT if name in environ} | _LOCAL
    try:
        version = process.run(("docker", "compose", "version"), environ=kept, timeout=_PATIENCE)
    except BootstrapError:
        return None
    if version.code:
        return None
    named = [part for path in paths for part in ("--file", path)]
    argv = ("docker", "compose", "--env-file", os.devnull, *named, "--profile", "*", "config", *_OPTIONS)
    answer = process.run(
        argv, environ={**kept, "COMPOSE_PROJECT_NAME": _NAME}, directory=root, timeout=_PATIENCE
    )
    if answer.code:
        lines = [line for line in answer.errors.strip().splitlines() if line and not line.startswith("time=")]
        raise BootstrapError(
            f"docker compose config: {lines[-1] if lines else 'it failed without a word'}",
            "Correct the Compose file, then run init again.",
        )
    document: dict[str, Any] = msgspec.json.decode(answer.output)
    services = document.get("services") or {}
    return Model(
        {name: normal.service(definition) for name, definition in services.items()},
        {kind: _rest(document[kind]) for kind in _TOP if document.get(kind) not in (None, _NAME)},
    )


def _rest(value: Any) -> Any:
    """Less the names that Compose makes up."""
    if isinstance(value, str):
        return value
    return {name: _unnamed(item or {}) for name, item in value.items()}


def _unnamed(item: Mapping[str, Any]) -> dict[str, Any]:
    made_up = str(item.get("name", "")).startswith(f"{_NAME}_")
    return {key: each for key, each in item.items() if not (key == "name" and made_up)}
