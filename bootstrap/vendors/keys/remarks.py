"""The remarks that every vendor's keys have in common."""

from bootstrap.model.remark import Mark, Remark

OK = 200
UNAUTHORIZED = 401
FORBIDDEN = 403
_TOO_MANY = 429


def fine(name: str, text: str) -> Remark:
    """Nothing is to be done."""
    return Remark(name, Mark.OK, text)


def note(name: str, text: str, hint: str = "") -> Remark:
    """Something to know."""
    return Remark(name, Mark.NOTE, text, hint)


def problem(name: str, text: str, hint: str) -> Remark:
    """Something to do."""
    return Remark(name, Mark.PROBLEM, text, hint)


def unknown(name: str, text: str, hint: str) -> Remark:
    """Nobody could be asked, or nobody would say."""
    return Remark(name, Mark.UNKNOWN, text, hint)


def unanswered(name: str, vendor: str, status: int) -> Remark:
    """Pass on an answer that says nothing about the key."""
    if status == _TOO_MANY:
        return unknown(name, f"{vendor} takes no more questions for now (HTTP 429)", "Try again in a minute.")
    return unknown(
        name,
        f"{vendor} did not say whether it works (HTTP {status})",
        "Try again; was it a proxy that answered?",
    )
