"""The root command: its table of verbs, the options that all of them share, and the error boundary."""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from bootstrap.cli.commands import COMMANDS
from bootstrap.cli.lazy import LazyGroup
from bootstrap.model.errors import BootstrapError

#: as a shell reports a program that SIGPIPE ended
BROKEN_PIPE = 141


class Root(LazyGroup):
    """Turns every error into words and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a reader that stops reading ends it quietly, as SIGPIPE would."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Keep Python from complaining when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)

    def main(  # type: ignore[override]  # click types every keyword of its own
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run, and leave through `sys.exit` with the code that the contract gives to each outcome."""
        _prepare_streams()
        try:
            result = super().main(args, prog_name, **{**extra, "standalone_mode": False})
        except (BootstrapError, click.ClickException, click.Abort, KeyboardInterrupt, Exception) as error:  # noqa: BLE001
            from bootstrap.cli.boundary import report  # noqa: PLC0415 - only an error needs it

            raise SystemExit(
                report(error, as_json=_wants_json(sys.argv[1:] if args is None else args))
            ) from None
        raise SystemExit(result if isinstance(result, int) else 0)


def _prepare_streams() -> None:
    """Make stdout and stderr take any letter, wherever they lead; a closed one leads nowhere, or is empty."""
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - the exit closes it
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        elif stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - the exit closes it


def _wants_json(args: Sequence[str]) -> bool:
    """Whether --json stands among our own arguments, which end at `--`."""
    return "--json" in list(args)[: list(args).index("--") if "--" in args else None]


def _version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's signature
    if asked and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import, and rarely asked

        click.echo(f"bootstrap {version('workspace-bootstrap')}")
        ctx.exit()


@click.command(
    cls=Root,
    table=COMMANDS,
    package="bootstrap.cli",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: bootstrap init, then: bootstrap up. Every command has examples in its --help.",
)
@click.option("-C", "directory", metavar="DIR", help="Work as if started in DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print data as one JSON document.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def root(ctx: click.Context, directory: str | None, *, as_json: bool) -> None:
    """
    Open a workspace from one manifest.

    bootstrap.toml says which services there are and which telemetry vendors each reports to. Everything else
    follows: Compose file, env files, Gitpod and devcontainer set-up, each service's own environment, and a
    collector that shows what they report.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
    ctx.obj = {"directory": directory, "json": as_json}
