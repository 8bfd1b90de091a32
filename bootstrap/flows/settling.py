"""A proposed manifest is held against every rule there is; what it cannot say is left out, and named."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bootstrap.adoption.found import Left, Proposal
from bootstrap.config.errors import ManifestError
from bootstrap.flows import render
from bootstrap.flows.adopted_text import text
from bootstrap.model.errors import BootstrapError
from bootstrap.model.files import ChangeKind
from bootstrap.system.files import ProjectFiles

#: makes a project of a manifest's bytes
Sources = Callable[[bytes], render.Sources]

#: tables of a service of which a single entry can be left out
_TABLES = ("compose", "environment")


def settle(files: ProjectFiles, document: dict[str, Any], sources: Sources, left: list[Left]) -> bytes:
    """Leave out what the manifest refuses, until it can be rendered; `document` and `left` change.

    Raises BootstrapError for what cannot be left out.
    """
    for _ in range(sum(len(table) + 50 for table in document["services"].values()) + 10):
        data = text(document).encode()
        try:
            planned = render.plan(files, sources(data))
        except ManifestError as error:
            if not drop(document, error, left):
                raise
            continue
        foreign = [change.path for change in planned.changes if change.kind is ChangeKind.FOREIGN]
        if not foreign:
            return data
        # Never the Compose file: who takes one over moves it away first.
        document["files"]["theirs"] = sorted({*document["files"].get("theirs", ()), *foreign})
    raise BootstrapError(
        "bootstrap.toml: no manifest fits what is there", "Write it by hand: bootstrap service add"
    )


def drop(document: dict[str, Any], error: ManifestError, left: list[Left]) -> bool:
    """Leave out what a key names: an entry of a table, a key of a service, or the service."""
    parts = error.key.split(".", 3)
    services = document["services"]
    if parts[0] != "services" or len(parts) == 1 or parts[1] not in services:
        return False
    left.append(Left(error.key, error.message.partition(f"{error.key}: ")[2] or error.message, error.hint))
    table = services[parts[1]]
    key = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - services.NAME.KEY.ENTRY
    if key in _TABLES and len(parts) > 3 and (entry := _entry(table.get(key, {}), parts[3])):  # noqa: PLR2004
        del table[key][entry]
        if not table[key]:
            del table[key]
    elif key in table and key not in {"build", "image"}:
        del table[key]
    else:
        del services[parts[1]]
        _forget(services, parts[1])
    return True


def _entry(table: Mapping[str, Any], path: str) -> str | None:
    """The entry of a table that a path below it belongs to; names may have dots in them."""
    fitting = [name for name in table if path == name or path.startswith((f"{name}.", f"{name}["))]
    return max(fitting, key=len, default=None)


def _forget(services: dict[str, dict[str, Any]], gone: str) -> None:
    """Let nobody refer to a service that is not there."""
    for table in services.values():
        if gone in table.get("depends_on", ()):
            table["depends_on"] = [name for name in table["depends_on"] if name != gone]
        for variable, value in list(table.get("environment", {}).items()):
            if f":{gone}}}" in value:
                del table["environment"][variable]
        for key in ("depends_on", "environment"):
            if key in table and not table[key]:
                del table[key]
        uses = table.get("compose", {}).get("depends_on")
        if isinstance(uses, dict):
            uses.pop(gone, None)


def carried(proposal: Proposal, left: Iterable[Left]) -> list[str]:
    """The paths that the manifest says the same as, less what it refused afterwards."""
    refused = {each.where.replace(".compose.", ".") for each in left}
    return [
        path
        for path in proposal.carried
        if not any(
            path == each or each.startswith(f"{path}.") or path.startswith(f"{each}.") for each in refused
        )
    ]
