"""The options that narrow what is printed of telemetry, and what they ask the collector for."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from bootstrap.cli.names import complete_service
from bootstrap.flows.following import Query
from bootstrap.model.project import Project

_KINDS = {"traces": "traces", "logs": "logs", "errors": "items"}
_MOST_LAST = 1_000

#: the parameters that the options become
PARAMETERS = ("service", "status", "min", "max", "attribute", "text", "only", "last")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _kinds(_ctx: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    """As the collector calls them."""
    if given is None:
        return None
    kinds = [kind.strip() for kind in given.split(",")]
    for kind in kinds:
        if kind not in _KINDS:
            raise click.BadParameter(f"{kind!r} is not one of {', '.join(_KINDS)}.")
    return ",".join(_KINDS[kind] for kind in kinds)


def _pairs(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for pair in given:
        name, equals, _ = pair.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE.")
    return given


_OPTIONS = (
    click.option("--service", metavar="NAME", shell_complete=complete_service, help="Only of this service."),
    click.option("--status", type=click.Choice(["ok", "error"]), help="Only what went well, or what failed."),
    click.option("--min", type=click.FloatRange(min=0), metavar="MS", help="Only traces that took so long."),
    click.option("--max", type=click.FloatRange(min=0), metavar="MS", help="Only traces that took less."),
    click.option(
        "--attribute",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_pairs,
        help="Only what has this attribute; may be repeated.",
    ),
    click.option("--text", metavar="TEXT", help="Only what has it somewhere, in any case of letters."),
    click.option("--only", metavar="KINDS", callback=_kinds, help="Some of traces,logs,errors."),
    click.option("--last", type=click.IntRange(0, _MOST_LAST), metavar="N", help="Begin with the last N."),
)


def narrowing_options() -> Decorator:
    """The options, for a command that takes them as `PARAMETERS`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(_OPTIONS):
            function = option(function)
        return function

    return decorate


def query(project: Project, options: Mapping[str, Any]) -> Query:
    """What is asked of the live stream; a service goes there by the name that its telemetry has."""
    service = options["service"]
    if service in project.services:
        service = project.services[service].otel_service_name
    named = [
        ("kinds", options["only"]),
        ("service", service),
        ("status", options["status"]),
        ("min", _milliseconds(options["min"])),
        ("max", _milliseconds(options["max"])),
        *(("attribute", pair) for pair in options["attribute"]),
        ("q", options["text"]),
        ("last", options["last"]),
    ]
    return [(name, str(value)) for name, value in named if value is not None]


def _milliseconds(value: float | None) -> str | None:
    """Without an exponent, as the collector reads it."""
    return None if value is None else f"{value:.6f}"
