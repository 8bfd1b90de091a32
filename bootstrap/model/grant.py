"""What somebody may do in AWS, and for what: the parts that least-privilege policies are made of."""

from typing import Literal, get_args

from msgspec import Struct

#: what a session or a role is for. `daemon`: the X-Ray daemon writes segments. `logs`: a service writes to
#: the project's own log group. `verify`: traces and lines are read back.
Purpose = Literal["daemon", "logs", "verify"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Grant(Struct, frozen=True):
    """One statement of a purpose's policy: `actions` (service:Operation) on `resources` (ARNs, or "*")."""

    purpose: Purpose
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
