"""One call, as it was asked for, and what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Call:
    """One call, as it was asked for. `outcome`: "" where it was done, else AWS's name of the error."""

    service: str
    operation: str
    region: str
    arn: str
    arguments: Mapping[str, Any] = field(repr=False)
    outcome: str = ""

    @property
    def action(self) -> str:
        """service:Operation."""
        return f"{self.service}:{self.operation}"

    @property
    def key(self) -> str:
        """What tells it from other calls, the same in another run; keys and tokens are in none of them."""
        text = json.dumps(self.arguments, sort_keys=True, default=str)
        return f"{self.action} {self.region} {text}"
