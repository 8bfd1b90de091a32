"""What commands that run services share about telemetry: option, question, and words."""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import click

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.waiting import waiting
from bootstrap.flows import routing
from bootstrap.flows.environment import Lookup
from bootstrap.flows.profile import with_profile
from bootstrap.flows.routing import MODES, Agree, Decision, Mode, Wishes
from bootstrap.flows.sessions import RAW
from bootstrap.flows.sessions.handing import Fail, Sessions, said
from bootstrap.model.environment import View
from bootstrap.model.errors import BootstrapError
from bootstrap.model.grant import Purpose
from bootstrap.model.remark import Remark
from bootstrap.vendors import VENDORS
from bootstrap.vendors.interface import Vendor

_STYLES = {"cloud": "green", "off": "yellow"}

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _wishes(_ctx: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> Wishes:
    """The last word about each vendor counts, and what is said of one goes before what is said of all."""
    every: Mode = "auto"
    each: dict[str, Mode] = {}
    for wish in given:
        vendor, mode = _parsed(wish)
        if vendor:
            each[vendor] = mode
        else:
            every = mode
    return Wishes(every, each)


def _parsed(wish: str) -> tuple[str, Mode]:
    """Split into the vendor, empty for all of them, and the mode."""
    vendor, equals, word = wish.rpartition("=")
    mode = next((mode for mode in MODES if mode == word), None)
    if mode is None or (equals and vendor not in VENDORS):
        vendors = ", ".join(f"{name}=" for name in VENDORS)
        raise click.BadParameter(
            f"{wish!r} is not one of {', '.join(MODES)}, alone or behind one of {vendors}."
        )
    return vendor, mode


def _complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    words = [*MODES, *(f"{vendor}={mode}" for vendor in VENDORS for mode in MODES)]
    return [word for word in words if word.startswith(incomplete)]


def telemetry_option() -> Decorator:
    """The option that says where telemetry goes; the command's parameter `telemetry` is Wishes."""
    return click.option(
        "--telemetry",
        metavar="[VENDOR=]MODE",
        multiple=True,
        callback=_wishes,
        shell_complete=_complete,
        help=f"Where telemetry goes: {', '.join(MODES)} (the default is auto), for all vendors or for one of "
        f"{', '.join(VENDORS)}. Cloud and local are remembered; VENDOR=auto forgets.",
    )


def profile_option() -> Decorator:
    """The option that names a profile for the keys of one run."""
    return click.option(
        "--profile",
        metavar="NAME",
        help="The AWS profile whose keys the services get, instead of the project's own.",
    )


def raw_keys_option() -> Decorator:
    """The option that hands AWS keys out as they are; the command's parameter is `raw_aws_keys`."""
    return click.option(
        RAW,
        "raw_aws_keys",
        is_flag=True,
        help="Use the AWS key itself, not sessions that end and may do only what they are for.",
    )


def without_session(purpose: Purpose, error: BootstrapError) -> None:
    """Say why there is no AWS key for a purpose in what goes on all the same."""
    output.words(f"Without an AWS key for {purpose!r}: {said(error)}", style="yellow")


def handing_out(
    session: Session, *, profile: str | None = None, raw: bool = False, fail: Fail | None = None
) -> Sessions:
    """Hand out what the session's stores have, and sessions of its AWS key, or of a profile's.

    Raises what with_profile raises.
    """
    known: list[Session] = []

    def source() -> Lookup:
        # Whoever asks again wants to know what has changed since.
        here = session.anew() if known else session
        known.append(here)
        if profile is None:
            return here.lookup
        with waiting("AWS"):
            return with_profile(here.lookup, profile, session.project.region, session.environ)

    return Sessions(session.project, source, session.environ, raw=raw, fail=fail)


def as_arguments(wishes: Wishes) -> list[str]:
    """Spell wishes again for another process of the same run, which finds remembered what was forgotten."""
    every = [wishes.every] if wishes.every != "auto" else []
    each = [f"{vendor}={mode}" for vendor, mode in wishes.each.items() if mode != "auto"]
    return [word for wish in (*every, *each) for word in ("--telemetry", wish)]


def asking(session: Session) -> Agree | None:
    """Who asks before a vendor gets something for the first time; None where there is nobody to ask."""
    if session.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return _agree


def decided(session: Session, wishes: Wishes, *, view: View, sessions: Sessions) -> list[Decision]:
    """Decide for a run of this session, saying who has not answered yet, and asking where somebody is there.

    Raises what routing.decide raises.
    """
    ask = asking(session)
    with ExitStack() as until_answered:
        until_answered.enter_context(waiting("the vendors"))

        def agree(vendor: Vendor, found: Remark) -> bool:
            until_answered.close()
            return ask is not None and ask(vendor, found)

        return routing.decide(
            session.project,
            sessions,
            session.environ,
            choices=routing.Choices(session.state, session.repository),
            view=view,
            wishes=wishes,
            agree=None if ask is None else agree,
        )


def _agree(vendor: Vendor, found: Remark) -> bool:
    output.words(output.clean_value(f"{vendor.title} is ready. {found.text}"))
    return click.confirm(
        f"Send this project's {vendor.receives} to {vendor.title} from now on?", default=False, err=True
    )


def lines(decisions: Iterable[Decision]) -> list[tuple[str, str]]:
    """Say of each vendor where its telemetry goes, and why: (title, words)."""
    return [(item.title, output.clean_value(f"{item.where}: {item.reason}")) for item in decisions]


def as_json(decisions: Iterable[Decision]) -> list[dict[str, str]]:
    """The same for programs."""
    return [{"vendor": item.vendor, "where": item.where, "reason": item.reason} for item in decisions]


def show(decisions: Sequence[Decision]) -> None:
    """Print that."""
    width = max((len(item.title) for item in decisions), default=0)
    for item, (title, words) in zip(decisions, lines(decisions), strict=True):
        output.words(f"{title:<{width}}  {words}", style=_STYLES.get(item.where))
