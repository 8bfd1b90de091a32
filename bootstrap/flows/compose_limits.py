"""What a project's Compose files leave alone: programs of this machine, and what `up` itself brings along."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from bootstrap.model.errors import BootstrapError
from bootstrap.rendering.overlay import COLLECTOR, MASK_FILE

#: how Docker completes the name of an image: https://docs.docker.com/reference/cli/docker/image/tag/
_REGISTRY = re.compile(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?")


def check_limits(
    document: Mapping[str, Any], images: Iterable[str], networks: Mapping[str, Collection[str]]
) -> None:
    """Refuse files, as Compose resolves them, that reach for more than containers of their own.

    The collector's container knows every value that is masked: who could change it, mount what it keeps, or
    build the image that it, or a vendor's own container, starts from (`images`) would know them, too.
    A vendor's container signs with keys whatever reaches it: `networks` says by its name, which is its
    network's, too, who may. Raises BootstrapError.
    """
    services: Mapping[str, Any] = document.get("services") or {}
    for kind, name in (("services", COLLECTOR), ("volumes", COLLECTOR), ("secrets", MASK_FILE)):
        if name in (document.get(kind) or {}):
            raise _refusal(f"{kind}.{name}", "is what the telemetry collector has", "Choose another name.")
    own = {_complete(image): image for image in images}
    project = re.escape(str(document.get("name", "")))
    collectors = re.compile(rf"(?<![\w.-]){project}[-_]{COLLECTOR}([-_]\d+)?(?![\w.-])", re.IGNORECASE)
    for name, definition in services.items():
        if "provider" in definition:  # since Compose 2.36
            raise _refusal(
                f"services.{name}.provider", "runs a program on this machine", "Run a container instead."
            )
        if COLLECTOR in _called(definition):
            raise _refusal(
                f"services.{name}",
                f"calls itself {COLLECTOR}, as the collector is called",
                "Call it otherwise.",
            )
        for image in _built(definition):
            if _complete(image) in own:
                raise _refusal(
                    f"services.{name}",
                    f"builds an image under the name of {own[_complete(image)]}, which others start from",
                    "Give its image another name.",
                )
    for name, users in networks.items():
        _check_network(document, name, users)
    if any(collectors.search(text) for text in _texts(document)):
        raise _refusal("they", "refer to the telemetry collector's container", "Remove that.")


def _check_network(document: Mapping[str, Any], signer: str, users: Collection[str]) -> None:
    """Refuse others than `users` on the network of `signer`, and whatever else leads to it."""
    services: Mapping[str, Any] = document.get("services") or {}
    known: Mapping[str, Any] = document.get("networks") or {}
    address = (known.get(signer) or {}).get("name", f"{document.get('name')}_{signer}")
    container = re.compile(rf"service:{signer}|container:{document.get('name')}[-_]{signer}[-_]\d+")
    for name, definition in services.items():
        there = {(known.get(each) or {}).get("name") for each in definition.get("networks") or {}}
        joins = container.fullmatch(str(definition.get("network_mode") or ""))
        if name != signer and name not in users and (address in there or joins):
            raise _refusal(
                f"services.{name}",
                f"reaches {signer}, which signs for those who report to it",
                "Remove that.",
            )
    if (services.get(signer) or {}).get("ports"):
        raise _refusal(
            f"services.{signer}.ports", "publishes what signs for whoever reaches it", "Remove that."
        )


def _refusal(where: str, what: str, hint: str) -> BootstrapError:
    return BootstrapError(f"the project's Compose files: {where} {what}", hint)


def _called(definition: Mapping[str, Any]) -> Iterator[str]:
    """Further names under which a container is found on its networks."""
    yield from filter(None, [definition.get("container_name")])
    for use in (definition.get("networks") or {}).values():
        yield from (use or {}).get("aliases") or ()


def _built(definition: Mapping[str, Any]) -> list[str]:
    """The names that an image gets once it is built."""
    build = definition.get("build")
    if not build:
        return []
    return [*filter(None, [definition.get("image")]), *(build.get("tags") or ())]


def _complete(image: str) -> str:
    """Spell an image's name in one way, with its tag."""
    short = _REGISTRY.sub("", image.partition("@")[0])
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def _texts(value: object) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
