"""The remarks that every vendor's keys have in common."""

from collections.abc import Iterable

from msgspec.structs import replace

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


def ready(found: Iterable[Remark], otherwise: Remark) -> Remark:
    """Make one remark about a vendor's readiness of those about its key; `otherwise` where there are none."""
    remark = next(iter(found), otherwise)
    return replace(remark, text=f"{remark.subject}: {remark.text}")


def first_problem(found: Iterable[Remark], name: str) -> Remark:
    """The first thing that is wrong with a key by its looks, for which nobody was asked."""
    wrong = (remark for remark in found if remark.mark is Mark.PROBLEM)
    return replace(next(wrong, problem(name, "is no key", f"bootstrap secrets set {name}")), mark=Mark.NOTE)
