"""What a run of containers tells: the phases and lines of its services, masked, recorded, one at a time."""

import threading
import time
from collections.abc import Callable

from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.stack.compose.life import Life
from bootstrap.stack.interface import LogLine, Observer, Phase, PhaseChanged
from bootstrap.stack.record import Recorder
from bootstrap.stack.service import DRAIN

#: under whose name Docker's own words appear
COMPOSE = "compose"


class Teller:
    """Speaks to the observer and the record of a run; `crashed` hears what the observer raises."""

    def __init__(
        self, observer: Observer, recorder: Recorder, mask: Mask, crashed: Callable[[Exception], None]
    ) -> None:
        self._observer = observer
        self._recorder = recorder
        self._mask = mask
        self._crashed = crashed
        self._observing = threading.Lock()
        self._hurried = False

    def hurry(self) -> None:
        """The run is ending: wait for nobody any more."""
        self._hurried = True

    def enter(self, life: Life, phase: Phase, detail: str = "", *, told: bool = False) -> None:
        """A service is in another phase, possibly because it was `told` to start again."""
        if phase in (Phase.SETUP, Phase.STARTING) and life.phase is not phase:
            life.started = time.time()
        life.phase = phase
        detail = self._mask(detail)
        self._recorder.entered(life.launch.name, phase, detail, told=told)
        self.tell(PhaseChanged(life.launch.name, phase, detail))

    def fail(self, life: Life, error: BootstrapError, last: tuple[str, ...]) -> None:
        """A service has failed; `last` are the last lines that it wrote."""
        life.phase = Phase.FAILED
        detail = self._mask(error.message)
        hint = error.hint or f"`bootstrap logs {life.launch.name}` shows all that it wrote."
        self._recorder.entered(life.launch.name, Phase.FAILED, detail)
        output = tuple(map(self._mask, last))
        self.tell(PhaseChanged(life.launch.name, Phase.FAILED, detail, hint, output))

    def fail_compose(self, error: BootstrapError, last: tuple[str, ...]) -> None:
        """Compose itself has failed."""
        self.tell(PhaseChanged(COMPOSE, Phase.FAILED, self._mask(error.message), error.hint, last))

    def tell(self, event: PhaseChanged | LogLine) -> None:
        """Tell the observer; one that is stuck (a paused terminal) holds up lines, never the end."""
        patient = isinstance(event, LogLine) and not self._hurried
        if not self._observing.acquire(timeout=-1 if patient else DRAIN):
            return
        try:
            self._observer(event)
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self._crashed(error)
        finally:
            self._observing.release()
