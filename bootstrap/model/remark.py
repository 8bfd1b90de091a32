"""What a check has to say about one thing that it looked at."""

from enum import Enum

from msgspec import Struct


class Mark(Enum):
    """How a finding stands."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    #: nobody could be asked, or whoever was asked would not say
    UNKNOWN = "unknown"


class Remark(Struct, frozen=True):
    """One thing that was looked at; `hint` is what to type where something is to be done.

    Neither text ever holds a secret's value.
    """

    subject: str
    mark: Mark
    text: str
    hint: str = ""
