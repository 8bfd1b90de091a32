"""What a shell completes: the names of this project's services and secrets."""

from collections.abc import Callable, Iterable

import click

from bootstrap.cli.session import Session
from bootstrap.model.errors import BootstrapError


def complete_service(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The services that begin like this."""
    return _beginning(ctx, incomplete, lambda session: session.project.services)


def complete_secret(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The secrets that begin like this."""
    from bootstrap.flows.environment import secret_specs  # noqa: PLC0415 - only completion needs it

    return _beginning(ctx, incomplete, lambda session: secret_specs(session.project))


def _beginning(ctx: click.Context, incomplete: str, names: Callable[[Session], Iterable[str]]) -> list[str]:
    """No manifest, or one that is wrong, completes nothing: this is no place for an error."""
    directory = ctx.find_root().params.get("directory")
    try:
        return [name for name in names(Session(directory, as_json=False)) if name.startswith(incomplete)]
    except BootstrapError:
        return []
