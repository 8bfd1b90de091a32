"""The real `docker` and `docker compose`, told by name what they would otherwise look up themselves."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bootstrap.model.compose import ADDED, FILES, OVERRIDES
from bootstrap.model.errors import BootstrapError
from bootstrap.model.manifest import FilesTable
from bootstrap.system import ports, process
from bootstrap.system.process import Answer, Group
from bootstrap.system.state import State

#: the oldest Compose that knows everything in an overlay: configs with `content`, and `!override`
OLDEST = (2, 24, 4)

_OVERLAY = "overlay.yml"
_LABEL = "com.docker.compose"
_ANSWER = 10.0
_PATIENCE = 60.0
#: what Compose reads from its environment that would change what runs; a profile is a person's own choice
_STEERING = re.compile(r"COMPOSE_(?!PROFILES$|EXPERIMENTAL_(GIT|OCI)_REMOTE$).*", re.ASCII)
#: a file that Compose fetches from elsewhere may say something else right after it was looked at; who wants
#: one all the same sets the variable
_LOCAL_FILES = {"COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false", "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false"}


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the project."""

    id: str
    name: str
    service: str
    #: Docker's word: created, running, restarting, exited, paused, dead
    state: str
    #: healthy, unhealthy, starting; empty without a health check
    health: str
    exit_code: int
    #: ports of this machine that lead to it
    published: frozenset[int]

    @property
    def running(self) -> bool:
        """Whether its program runs."""
        return self.state == "running"

    @property
    def over(self) -> bool:
        """Whether its program has ended, and nobody is about to start it again."""
        return self.state in {"exited", "dead"}


class Client:
    """Docker's command line for the project at `root`, in the environment `base`.

    The Compose project is named after the folder and the whole path: two clones never touch each other's
    containers and volumes, whatever their files call themselves.
    """

    def __init__(self, root: Path, state: State, base: Mapping[str, str]) -> None:
        self._root = root
        self._state = state
        #: what the manifest says about whose the Compose files are
        self.choice = FilesTable()
        kept = {name: value for name, value in base.items() if not _STEERING.fullmatch(name)}
        self.environ = {**_LOCAL_FILES, **kept}
        label = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-") or "project"
        self.project = f"{label}-{state.path.name[:8]}"

    def unavailable(self) -> str | None:
        """Why no container can be run here."""
        try:
            version = self._docker("compose", "version", "--short", timeout=_ANSWER)
            if version.code:
                return "docker has no Compose v2 (https://docs.docker.com/compose/install/)"
            if _numbers(version.output) < OLDEST:
                return f"Compose {version.output.strip()} is too old: {_dotted(OLDEST)} or later is needed"
            engine = self._docker("version", "--format", "{{.Server.Version}}", timeout=_ANSWER)
        except BootstrapError as error:
            return error.message
        if engine.code:
            said = (engine.errors.strip().splitlines() or ["no container engine answers"])[-1]
            return said[:200]
        return None

    def starts(self, definition: Mapping[str, Any]) -> bool:
        """Whether Compose starts a service of this definition without being asked for it."""
        chosen = set(self.environ.get("COMPOSE_PROFILES", "").split(","))
        profiles = definition.get("profiles") or ()
        return not profiles or not chosen.isdisjoint({"*", *profiles})

    def file(self) -> Path | None:
        """The project's own Compose file, or the first of them."""
        return next(iter(self._own()), None)

    def _own(self) -> list[Path]:
        """Every Compose file of the project: those that the manifest names, else those of Compose's names.

        Then what the manifest has us lay over files that are not ours.
        """
        named = [self._root / path for path in self.choice.compose_files]
        found = named or [path for path in (self._first(FILES), self._first(OVERRIDES)) if path is not None]
        if not named and self._first(FILES) is None:
            return []
        return [*found, self._root / ADDED] if self.choice.compose == "overlay" else found

    def argv(self, *arguments: str, overlay: bool = True) -> tuple[str, ...]:
        """Make the command line of a Compose command over exactly the project's files.

        No `.env` is read: one that came with a clone could name other files, and another engine. Raises
        BootstrapError where the project has no Compose file.
        """
        own = self._own()
        missing = next((path for path in own if not path.is_file()), None)
        if not own or missing is not None:
            name = "docker-compose.yml" if missing is None else missing.relative_to(self._root)
            raise BootstrapError(f"{self._root}: there is no {name}", "Make it: bootstrap render")
        files = [*own, *([self._overlay] if overlay else [])]
        named = [part for path in files for part in ("--file", str(path))]
        place = ("--project-name", self.project, "--project-directory", str(self._root))
        return ("docker", "compose", *place, "--env-file", "/dev/null", *named, *arguments)

    def write_overlay(self, text: str) -> None:
        """Keep what this run lays over the project's files."""
        path = self._overlay
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    @property
    def _overlay(self) -> Path:
        return self._state.directory / _OVERLAY

    def _first(self, names: Sequence[str]) -> Path | None:
        return next((self._root / name for name in names if (self._root / name).is_file()), None)

    def configuration(self, values: Mapping[str, str]) -> dict[str, Any]:
        """What Compose makes of the project's own files with `values` in its environment, all resolved.

        Services of every profile are in it: whoever names one, or its profile, starts it. Raises
        BootstrapError, in Compose's own words, for files that it does not take.
        """
        argv = self.argv("--profile", "*", "config", "--format", "json", overlay=False)
        environ = {**self.environ, **values}
        answer = process.run(argv, environ=environ, directory=self._root, timeout=_PATIENCE)
        if answer.code:
            raise BootstrapError(f"docker compose: {_last(answer.errors)}", "Correct the Compose file.")
        document = msgspec.json.decode(answer.output)
        return document if isinstance(document, dict) else {}

    def containers(self) -> list[Container]:
        """Every container of the project, also those that have ended."""
        answer = self.by_name("ps", "--all", "--format", "json")
        if answer.code:
            raise BootstrapError(
                f"docker compose ps: {_last(answer.errors)}", "Type `docker info` to see why."
            )
        return [_container(each) for each in _documents(answer.output)]

    def published(self) -> set[int]:
        """The ports of this machine that lead to running containers of the project."""
        return {port for each in self.containers() if each.running for port in each.published}

    def by_name(self, *arguments: str, timeout: float = _PATIENCE) -> Answer:
        """Run a Compose command that finds containers by their labels and needs no file."""
        argv = ("docker", "compose", "--project-name", self.project, "--env-file", "/dev/null", *arguments)
        # An empty folder, so that no file of anybody's is found.
        return process.run(argv, environ=self.environ, directory=self._state.directory, timeout=timeout)

    def start(self, argv: Sequence[str], run_id: str, values: Mapping[str, str] | None = None) -> Group:
        """Start a longer command; its output and errors are one stream."""
        return process.start(
            argv, environ={**self.environ, **(values or {})}, directory=self._root, run_id=run_id
        )

    def events(self) -> tuple[str, ...]:
        """The command that prints a line of JSON for each thing that happens to the project's containers."""
        filters = ("--filter", f"label={_LABEL}.project={self.project}", "--filter", "type=container")
        return ("docker", "events", *filters, "--format", "{{json .}}")

    def holder(self, port: int) -> str | None:
        """The container of anybody's that has a port of this machine."""
        answer = self._docker("ps", "--filter", f"publish={port}", "--format", "{{.Names}}", timeout=_ANSWER)
        return answer.output.split()[0] if not answer.code and answer.output.split() else None

    def taken(self, service: str, port: int) -> tuple[str, str]:
        """What to say of a service whose port somebody has: the error, and the hint."""
        holder = self.holder(port)
        who = f"the container {holder}" if holder else ports.owner(port)
        return (
            f"services.{service}: port {port} is taken by {who}",
            f"Stop it, or set services.{service}.port in bootstrap.local.toml.",
        )

    def tail(self, container: str, lines: int) -> list[str]:
        """The last lines that a container wrote."""
        answer = self._docker("logs", "--tail", str(lines), container, timeout=_ANSWER)
        return (answer.output + answer.errors).splitlines()[-lines:]

    def _docker(self, *arguments: str, timeout: float) -> Answer:
        return process.run(("docker", *arguments), environ=self.environ, timeout=timeout)


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """Compose prints one array, or one object a line since 2.21."""
    for line in text.splitlines():
        if line.strip():
            document = msgspec.json.decode(line)
            yield from document if isinstance(document, list) else [document]


def _container(document: Mapping[str, Any]) -> Container:
    publishers = document.get("Publishers") or ()
    return Container(
        id=str(document["ID"]),
        name=str(document["Name"]),
        service=str(document["Service"]),
        state=str(document["State"]),
        health=str(document.get("Health") or ""),
        exit_code=int(document.get("ExitCode") or 0),
        published=frozenset(port for each in publishers if (port := each.get("PublishedPort"))),
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def _last(text: str) -> str:
    """What a command complained of: its last line that is not about the level of a log."""
    lines = [line for line in text.strip().splitlines() if line and not line.startswith("time=")]
    return lines[-1] if lines else "it failed without a word"
