"""Ona's `ona` and `gitpod`, as far as public scripts use them; nobody has compared this with the real ones.

    ona user secret list --format json
    ona user secret create --name NAME --value-from-file FILE --env-var
    ona user secret update ID --value-from-file FILE
    ona user secret delete ID

State: {"login": true, "secrets": [{"id": ..., "name": ..., "value": ...}]}; logged in unless it says no.
"""

import json
import os
import re
import sys
from typing import Any

from tests.secrets.stand_ins.program import ProgramError, Service

_NAME = re.compile(r"[A-Za-z0-9_]{3,127}")


def main(arguments: list[str], service: Service) -> None:
    """Act as `ona ARGUMENTS`."""
    if arguments[:2] != ["user", "secret"] or len(arguments) < 3:
        raise ProgramError(f'unknown command "{" ".join(arguments[:3])}" for "ona"')
    verbs = {"list": _list, "create": _create, "update": _update, "delete": _delete}
    if arguments[2] not in verbs:
        raise ProgramError(f'unknown command "{arguments[2]}" for "ona user secret"')
    if not service.state.get("login", True):
        raise ProgramError("unauthenticated: please log in with `ona login`")
    verbs[arguments[2]](arguments[3:], service)


def _list(arguments: list[str], service: Service) -> None:
    if arguments != ["--format", "json"]:
        raise ProgramError("this stand-in prints JSON only")
    secrets = [{"id": entry["id"], "name": entry["name"]} for entry in service.state.get("secrets", [])]
    sys.stdout.write(json.dumps(secrets))


def _create(arguments: list[str], service: Service) -> None:
    flags = _flags(arguments)
    if not flags.get("env-var"):
        raise ProgramError("one of --env-var, --file-path, --registry-host is required")
    if not _NAME.fullmatch(flags.get("name", "")):
        raise ProgramError("invalid_argument: name: must be 3 to 127 letters, digits and underscores")
    secrets = service.state.setdefault("secrets", [])
    if any(entry["name"] == flags["name"] for entry in secrets):
        raise ProgramError(f"already_exists: secret {flags['name']} already exists")
    value = _value(flags)
    service.write()
    secrets.append({"id": os.urandom(16).hex(), "name": flags["name"], "value": value})


def _update(arguments: list[str], service: Service) -> None:
    entry = _entry(arguments[0], service)
    value = _value(_flags(arguments[1:]))
    service.write()
    entry["value"] = value


def _delete(arguments: list[str], service: Service) -> None:
    (secret,) = arguments
    entry = _entry(secret, service)
    service.write()
    service.state["secrets"].remove(entry)


def _entry(secret: str, service: Service) -> dict[str, Any]:
    for entry in service.state.get("secrets", []):
        if entry["id"] == secret:
            found: dict[str, Any] = entry
            return found
    raise ProgramError("not_found: secret not found")


def _value(flags: dict[str, str]) -> str:
    if ("value" in flags) == ("value-from-file" in flags):
        raise ProgramError("exactly one of --value, --value-from-file is required")
    if "value" in flags:
        return flags["value"]
    with os.fdopen(os.open(flags["value-from-file"], os.O_RDONLY), "rb") as file:
        return file.read().decode()


def _flags(arguments: list[str]) -> dict[str, str]:
    flags: dict[str, str] = {}
    queue = list(arguments)
    while queue:
        name = queue.pop(0).removeprefix("--")
        if name == "env-var":
            flags[name] = "true"
        elif name in ("name", "value", "value-from-file"):
            flags[name] = queue.pop(0)
        else:
            raise ProgramError(f"unknown flag: --{name}")
    return flags
