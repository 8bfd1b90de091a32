"""What every verb shares: the options that it also takes after its name, and its Session."""

from collections.abc import Callable, Mapping
from functools import update_wrapper
from inspect import cleandoc
from typing import Any

import click

from bootstrap.cli.lazy import LazyGroup
from bootstrap.cli.session import Session


class Verb(click.Command):
    """A command that also takes the shared options after its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += shared_options()


class Verbs(LazyGroup):
    """A group of verbs, which takes the shared options as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += shared_options()


def shared_options() -> list[click.Parameter]:
    """Make the options that every verb takes."""
    return [
        click.Option(
            ["-C", "directory"], metavar="DIR", expose_value=False, callback=_shared, help=_DIRECTORY
        ),
        click.Option(["--json", "json"], is_flag=True, expose_value=False, callback=_shared, help=_JSON),
    ]


_DIRECTORY = "Work as if started in DIR."
_JSON = "Print data as JSON."


def _shared(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and parameter.name is not None:
        ctx.ensure_object(dict)[parameter.name] = value


def verb(**settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a Verb of a function whose first parameter is the Session; it may return an exit code."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @click.pass_context
        def call(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
            shared = ctx.obj or {}
            session = Session(shared.get("directory"), as_json=bool(shared.get("json")))
            return function(session, *args, **kwargs)

        command: click.Command = click.command(cls=Verb, help=_help(function), **settings)(
            update_wrapper(call, function)
        )
        return command

    return decorate


def verbs(table: Mapping[str, str], package: str) -> Callable[[Callable[[], None]], click.Command]:
    """Make a group of Verbs of a function that has only words; called without a verb, it explains itself."""

    def decorate(function: Callable[[], None]) -> click.Command:
        @click.pass_context
        def explain(ctx: click.Context) -> None:
            if ctx.invoked_subcommand is None:
                click.echo(ctx.get_help())

        name = package.rpartition(".")[2]
        return Verbs(
            name,
            callback=explain,
            help=_help(function),
            table=table,
            package=package,
            invoke_without_command=True,
        )

    return decorate


def _help(function: Callable[..., Any]) -> str:
    """In a raw docstring the mark of a paragraph that Click is not to wrap is two characters."""
    return cleandoc(function.__doc__ or "").replace("\\b\n", "\b\n")
