"""What a run of containers does in threads of their own: build, start, wait; its main thread hears of it."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.compose import events
from bootstrap.stack.compose.client import Client, Container
from bootstrap.stack.compose.commands import Commands, Said
from bootstrap.stack.compose.events import Happened
from bootstrap.stack.compose.followers import Followers
from bootstrap.stack.compose.life import Again, Crashed, Event, Failed, Gone, Life, Told, Up
from bootstrap.stack.compose.readiness import wait_until_ready
from bootstrap.stack.compose.teller import COMPOSE, Teller
from bootstrap.stack.interface import TRIED_AGAIN, Containers, LogLine, Phase, PortLostError
from bootstrap.stack.limits import Limits
from bootstrap.stack.readiness import ended
from bootstrap.stack.service import StoppingError

_LAST_LINES = 15
#: seconds before Docker is asked again where it has stopped telling
_DEAF = 1.0
#: how Docker says that somebody else has a port
_TAKEN = re.compile(r":(\d+)\b.*(?:address already in use|port is already allocated)")
_WITHOUT = "See bootstrap logs compose; without containers: bootstrap up --engine process"


class Work:
    """The work on `lives`, with what `containers` says of them; `put` is who hears of it."""

    def __init__(
        self,
        client: Client,
        commands: Commands,
        teller: Teller,
        lives: Mapping[str, Life],
        *,
        containers: Containers,
        limits: Limits,
        put: Callable[[Event], None],
    ) -> None:
        self._client = client
        self._commands = commands
        self._teller = teller
        self._lives = lives
        self._built = [lives[name] for name in lives if name in containers.built]
        self._check = containers.check
        self._movable = containers.movable
        self._limits = limits
        self._put = put
        self.followers = Followers(commands, {name: life.output for name, life in lives.items()})

    def thread(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        """Make a thread that does `work`; what it raises is an event."""

        def guarded() -> None:
            try:
                work(*arguments)
            except StoppingError:
                return
            except BootstrapError as error:
                self._put(Failed(COMPOSE, error))
            except Exception as error:  # noqa: BLE001  the main thread raises it
                self._put(Crashed(error))

        return threading.Thread(target=guarded, daemon=True)

    def build_all(self) -> None:
        """Build every image and start nothing."""
        self._build(self._built)
        self._put(Up())

    def bring_up(self) -> None:
        """Build every image, create and start what is not as it should be, and wait until all is healthy."""
        self._build(self._built)
        self._listen()
        for life in self._lives.values():
            self._teller.enter(life, Phase.STARTING)
        self.followers.follow(self._client.containers(), "--tail", "0")
        self._start(list(self._lives))
        self.followers.follow(self._client.containers())
        for life in self._lives.values():
            self._first_time(life)
        self._put(Up())

    def start_again(self, life: Life, container: str, pause: float) -> None:
        """Start the container of a service that has ended."""
        if not self._commands.stopping.wait(pause):
            self._commands.docker("start", container)
            self.come_back(life, container)

    def come_back(self, life: Life, container: str) -> None:
        """Wait for a service that is on its way again."""
        try:
            self._until_ready(life)
        except BootstrapError as error:
            life.busy = False  # before anybody hears of it, and puts another thread to work
            self._put(Gone(life.launch.name, error.message, container))
        else:
            life.busy = False

    def start_anew(self, life: Life, told: Told) -> None:
        """Replace the container of one service, also from its image built anew, or start it as it is."""
        name = life.launch.name
        try:
            if told.again is Again.REBUILD:
                life.started = time.time()
                self._check()
                said = self._commands.compose("--progress", "plain", "build", name, silent=True)
                if said.code:
                    error = BootstrapError("its image cannot be built" + TRIED_AGAIN)
                    self._teller.fail(life, error, self._last(said))
                    return
                self._start([name], "--no-deps")
            elif told.again is Again.RECREATE:
                life.started = time.time()
                # What a container has as a file is no difference to Compose.
                self._start([name], "--no-deps", "--force-recreate")
            else:
                self._commands.compose("restart", "--no-deps", name, silent=True)
            life.attempts = 0
            self._until_ready(life)
        except BootstrapError as error:
            self.fail(life, BootstrapError(error.message + TRIED_AGAIN, error.hint))
        finally:
            life.busy = False

    def fail(self, life: Life, error: BootstrapError, last: tuple[str, ...] = ()) -> None:
        """Say that a service has failed, with the `last` lines that are about it, else that it wrote."""
        last = last or life.output.last()
        if not last:
            container = self.find(life.launch.name)
            last = tuple(self._client.tail(container.id, _LAST_LINES)) if container else ()
        self._teller.fail(life, error, last)

    def find(self, service: str) -> Container | None:
        """The service's container, as it is now."""
        found = [each for each in self._client.containers() if each.service == service]
        return found[-1] if found else None

    def _build(self, lives: Sequence[Life]) -> None:
        if not lives:
            return
        for life in lives:
            self._teller.enter(life, Phase.SETUP, "building its image")
        names = [life.launch.name for life in lives]
        said = self._commands.compose("--progress", "plain", "build", *names)
        if said.code:
            guilty = next(
                (name for name in names if any(_is_blamed(name, line) for line in said.lines)), COMPOSE
            )
            hint = "Read the last lines; correct its Dockerfile." if guilty != COMPOSE else _WITHOUT
            error = BootstrapError(f"its image cannot be built ({ended(said.code)})", hint)
            self._put(Failed(guilty, error, self._last(said)))
            raise StoppingError

    def _last(self, said: Said) -> tuple[str, ...]:
        """The last lines of a build that failed, told now: until then they were only in the log."""
        for line in said.lines[-_LAST_LINES:]:
            self._teller.tell(LogLine(COMPOSE, line))
        return said.lines[-_LAST_LINES:]

    def _start(self, names: Sequence[str], *options: str) -> None:
        """Create and start what is not as it should be; what is, is left running.

        An image may take minutes to build, and a run days: Compose's files can have changed meanwhile.
        """
        self._check()
        said = self._commands.compose("up", "--detach", "--no-build", *options, *names)
        if said.code:
            last = said.lines[-1].strip() if said.lines else ended(said.code)
            raise self._taken(last) or BootstrapError(f"docker compose up: {last}", _WITHOUT)

    def _taken(self, last: str) -> BootstrapError | None:
        """What to say where somebody took a port since it was looked at."""
        found = _TAKEN.search(last)
        ports = {life.launch.port: name for name, life in self._lives.items()}
        name = ports.get(int(found[1])) if found else None
        if found is None or name is None:
            return None
        taken = self._client.taken(name, int(found[1]))
        return PortLostError(*taken) if name in self._movable else BootstrapError(*taken)

    def _listen(self) -> None:
        """Hear from Docker what becomes of containers, from before this returns until the run ends."""
        stream = self._commands.spawn(self._client.events()).output
        self.thread(self._hear, stream).start()

    def _hear(self, stream: IO[bytes]) -> None:
        while True:
            with stream:
                for line in iter(stream.readline, b""):
                    event = events.parse(line)
                    if event is not None and event.service in self._lives:
                        self._put(event)
            # The engine was restarted, or the command killed: what happened meanwhile is looked up.
            if self._commands.stopping.wait(_DEAF):
                return
            stream = self._commands.spawn(self._client.events()).output
            self._look_up()

    def _look_up(self) -> None:
        with contextlib.suppress(BootstrapError):
            for each in self._client.containers():
                if each.service in self._lives and (each.over or each.running):
                    action = "die" if each.over else "start"
                    self._put(Happened(action, each.service, each.id, each.exit_code, time.time()))

    def _first_time(self, life: Life) -> None:
        try:
            self._until_ready(life)
        except BootstrapError as error:
            self._put(Failed(life.launch.name, error))
            raise StoppingError from None

    def _until_ready(self, life: Life) -> None:
        """Wait until the service is healthy, and say so; raises BootstrapError where it never is."""
        wait_until_ready(
            life.launch,
            self.find,
            self._limits.health,
            self._commands.stopping,
            lambda what: self._teller.enter(life, life.phase, what),
        )
        if self._commands.stopping.is_set():
            raise StoppingError
        life.healthy = time.monotonic()
        self._teller.enter(life, Phase.HEALTHY)


def _is_blamed(service: str, line: str) -> bool:
    """Whether BuildKit says in this line that a step of this service's image has failed."""
    return line.startswith((f" > [{service} ", f"target {service}: failed", f"failed to solve: {service}"))
