"""`bootstrap completion`."""

import click
from click.shell_completion import get_completion_class

from bootstrap.cli import output
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.model.errors import BootstrapError

_SHELLS = ("bash", "zsh", "fish")


@verb()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, _session: Session, shell: str) -> None:
    r"""
    Print what makes SHELL complete commands, options, and the names of services, secrets and stores.

    \b
    Examples:
      eval "$(bootstrap completion bash)"        # in ~/.bashrc
      eval "$(bootstrap completion zsh)"         # in ~/.zshrc
      bootstrap completion fish > ~/.config/fish/completions/bootstrap.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise BootstrapError(f"there is no completion for {shell}", f"Shells: {', '.join(_SHELLS)}")
    output.raw(made(ctx.find_root().command, {}, "bootstrap", "_BOOTSTRAP_COMPLETE").source())
