"""`gp env` of Gitpod Classic, as its source has it; nothing else of `gp`.

It works in the workspace that its environment describes (see `workspace`): without GITPOD_WORKSPACE_ID there
is no supervisor, without a repository in GITPOD_WORKSPACE_CONTEXT it refuses everything. Sets and deletes of
one call run in no particular order, and the first that fails ends the call: what was done before stays. Its
log files are in TMPDIR.

State: {"variables": [{"pattern": "acme/shop" or "*/**", "name": ..., "value": ...}]}
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from tests.secrets.stand_ins.program import ProgramError, Service

_NAME = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
#: what JavaScript's trim() strips
_BLANK = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_USER = ("*/**", "*/*")


class _Flags:
    """What the command line says; flags may stand anywhere, and `--` ends them."""

    def __init__(self, arguments: list[str]) -> None:
        self.export = self.unset = False
        self.scope = "repo"
        self.rest: list[str] = []
        queue = list(arguments)
        while queue:
            argument = queue.pop(0)
            if argument == "--":
                self.rest += queue
                return
            if not argument.startswith("-") or argument == "-":
                self.rest.append(argument)
            else:
                self._flag(argument, queue)

    def _flag(self, argument: str, queue: list[str]) -> None:
        name, equals, value = argument.partition("=")
        if name in ("-e", "--export"):
            self.export = True
        elif name in ("-u", "--unset"):
            self.unset = True
        elif name in ("-s", "--scope"):
            self.scope = value if equals else queue.pop(0)
        elif argument.startswith("--"):
            raise ProgramError(f"unknown flag: {name}")
        else:
            raise ProgramError(f"unknown shorthand flag: {argument[1]!r} in {argument}")


def main(arguments: list[str], service: Service) -> None:
    """Act as `gp ARGUMENTS`."""
    if arguments[:1] != ["env"]:
        raise ProgramError(f'unknown command "{arguments[0] if arguments else ""}" for "gp"')
    flags = _Flags(arguments[1:])
    _log(service.environ, "gp-env.log", 0o644, "connecting to the server")
    try:
        repository = _repository(service.environ)
        if not flags.rest:
            for name, value in visible(service.state, repository).items():
                _print(name, value, export=flags.export)
        elif flags.unset:
            _delete(flags.rest, repository, service)
        else:
            _set(_parsed(flags.rest), repository, flags, service)
    except ProgramError as error:
        _log(service.environ, "gitpod-cli-errors.log", 0o666, str(error))
        if not flags.rest:
            raise ProgramError(f"failed to fetch env vars from server: {error}") from error
        raise


def visible(state: Mapping[str, Any], repository: str) -> dict[str, str]:
    """What this workspace sees: the user's variables, and this repository's over them."""
    found: dict[str, str] = {}
    for pattern in (*reversed(_USER), repository.lower()):
        found |= {
            variable["name"]: variable["value"]
            for variable in state.get("variables", [])
            if variable["pattern"] == pattern
        }
    return found


def printed(name: str, value: str, *, export: bool) -> str:
    """One variable as `gp env` prints it: quotes are escaped, and nothing else is."""
    escaped = value.replace('"', '\\"')
    return f'export {name}="{escaped}"\n' if export else f"{name}={escaped}\n"


def _print(name: str, value: str, *, export: bool) -> None:
    os.write(1, printed(name, value, export=export).encode())


def _repository(environ: Mapping[str, str]) -> str:
    if not environ.get("GITPOD_WORKSPACE_ID"):
        raise ProgramError(
            "failed connecting to supervisor: rpc error: code = Unavailable desc = connection refused"
        )
    repository = json.loads(environ.get("GITPOD_WORKSPACE_CONTEXT") or "{}").get("repository")
    if repository is None:
        raise ProgramError("workspace info is missing repository")
    for part in ("owner", "name"):
        if not repository.get(part):
            raise ProgramError(f"repository info is missing {part}")
    return f"{repository['owner']}/{repository['name']}"


def _parsed(arguments: list[str]) -> list[tuple[str, str]]:
    """Names and values; all of them are parsed before any is set."""
    return [pair(argument) for argument in arguments]


def pair(argument: str) -> tuple[str, str]:
    """Name and value of one argument, as `gp` understands them."""
    if not argument:
        raise ProgramError("empty string (correct format is key=value)")
    name, equals, value = argument.partition("=")
    if not equals:
        raise ProgramError(f"{argument} has no equal character (correct format is {argument}=some_value)")
    if not (name := name.strip()):
        raise ProgramError("variable must have a name")
    value = value.strip('"').strip("'").replace("\\ ", " ")
    if not value:
        raise ProgramError("variable must have a value; use -u to unset a variable")
    return name, value


def _set(pairs: list[tuple[str, str]], repository: str, flags: _Flags, service: Service) -> None:
    for name, value in _shuffled(pairs):
        validate(name, value)
        service.write()
        if flags.scope == "user":  # anything else means the repository
            _update_user(name, value, service)
        else:
            _put(repository.lower(), name, value, service.state)
        _print(name, value, export=flags.export)


def _update_user(name: str, value: str, service: Service) -> None:
    """The workspace's token may change the user's variables, and may not make any."""
    for variable in service.state.get("variables", []):
        if variable["name"] == name and variable["pattern"] in _USER:
            variable["value"] = value
            return
    host = service.environ.get("GITPOD_HOST", "https://gitpod.io")
    raise ProgramError(
        f"Can't automatically create env var `{name}` for security reasons.\n"
        f"Please create the var manually under {host}/user/variables"
        f" using Name={name}, Scope=*/**, Value=foobar"
    )


def _put(pattern: str, name: str, value: str, state: dict[str, Any]) -> None:
    variables: list[dict[str, str]] = state.setdefault("variables", [])
    kept = [entry for entry in variables if (entry["pattern"], entry["name"]) != (pattern, name)]
    state["variables"] = [*kept, {"pattern": pattern, "name": name, "value": value}]


def _delete(names: list[str], repository: str, service: Service) -> None:
    """Whatever --scope says, only what was set for exactly this repository."""
    for name in _shuffled(names):
        service.write()
        variables = service.state.get("variables", [])
        kept = [
            entry for entry in variables if (entry["pattern"], entry["name"]) != (repository.lower(), name)
        ]
        if len(kept) == len(variables):
            raise ProgramError(
                f"jsonrpc2: code 404 message: cannot delete '{name}' in scope '{repository.lower()}'"
            )
        service.state["variables"] = kept


def validate(name: str, value: str) -> None:
    """Raise ProgramError for what the server refuses."""
    if len(name) > 255 or not _NAME.fullmatch(name):
        raise ProgramError("jsonrpc2: code 400 message: Name must match /^[a-zA-Z_]+[a-zA-Z0-9_]*$/.")
    if name.startswith("GITPOD_") and name != "GITPOD_IMAGE_AUTH":
        raise ProgramError("jsonrpc2: code 400 message: Name with prefix 'GITPOD_' is reserved.")
    if not value.strip(_BLANK):
        raise ProgramError("jsonrpc2: code 400 message: Value must not be empty.")
    if len(value.encode("utf-16-le")) // 2 > 32767:
        raise ProgramError("jsonrpc2: code 400 message: Value must not exceed 32767 characters.")


def _shuffled(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda _: os.urandom(4))


def _log(environ: Mapping[str, str], name: str, mode: int, line: str) -> None:
    path = f"{environ.get('TMPDIR') or '/tmp'}/{name}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
    try:
        os.write(handle, line.encode() + b"\n")
    finally:
        os.close(handle)
