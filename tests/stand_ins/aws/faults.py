"""What can go wrong with a call, put before whichever call a test wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from tests.stand_ins.aws.calls import Call

#: `error`: refused, nothing done. `throttle`: too many calls, nothing done. `broken`: the service fails.
#: `slow`: done, and answered too late. `cut`: the connection ends before anything is done. `drop`: done, and
#: the connection ends before the answer. `kill before`, `kill after`: the caller is killed (SIGKILL) before
#: or after it is done, and gets no answer.
Kind = Literal["error", "throttle", "broken", "slow", "cut", "drop", "kill before", "kill after"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: those in which the call takes effect though the caller is not told
DONE: frozenset[Kind] = frozenset({"slow", "drop", "kill after"})


@dataclass
class Fault:
    """Strikes the calls whose `key` is `call` ("" for every call), from the `skip`-th on, `times` times."""

    kind: Kind
    call: str = ""
    skip: int = 0
    #: None: until it is removed
    times: int | None = 1
    #: of an `error`
    code: str = "AccessDenied"
    #: of a `slow` one, in seconds
    seconds: float = 1.0
    #: how often it has struck
    struck: int = 0

    def strikes(self, call: Call) -> bool:
        """Say whether it strikes this call, and remember so."""
        if self.call not in ("", call.key, call.action):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        self.struck += 1
        return True
