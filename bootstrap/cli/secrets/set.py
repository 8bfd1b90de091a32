"""`bootstrap secrets set`."""

import sys

import click

from bootstrap.cli import output
from bootstrap.cli.secrets.prompts import ask
from bootstrap.cli.secrets.shared import (
    Report,
    look_at,
    names_argument,
    next_command,
    nothing,
    profile_option,
    settle,
    shadowed,
    store_for,
    store_option,
    warn,
)
from bootstrap.cli.session import Session
from bootstrap.cli.verb import verb
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets.keep import check_names, keep
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.model.secret import Secret


@verb()
@names_argument()
@store_option(help="Keep them there, this time.")
@profile_option()
@click.option("--exact", is_flag=True, help="From stdin: keep the final newline, too.")
@click.option("--undeclared", is_flag=True, help="Also names that bootstrap.toml does not declare.")
def command(
    session: Session,
    names: tuple[str, ...],
    *,
    store: str | None,
    aws_profile: str | None,
    exact: bool,
    undeclared: bool,
) -> int:
    r"""
    Ask for the values of NAMEs, and keep them. Without a name, ask for everything that is missing.

    A value is never an argument, which others could see: it is typed at a hidden prompt, or comes on stdin
    for one name (one final newline is dropped). What is kept is read back and compared.

    \b
    Examples:
      bootstrap secrets set
      bootstrap secrets set HONEYCOMB_API_KEY ROLLBAR_ACCESS_TOKEN
      bootstrap secrets set DATABASE_URL < url.txt
      pass show rollbar | bootstrap secrets set ROLLBAR_ACCESS_TOKEN --store keyring
    """
    specs = secret_specs(session.project)
    check_names(names, specs, undeclared=undeclared)
    wanted = names or tuple(name for name in specs if session.lookup(name) is None)
    if not wanted:
        output.words("No secret is missing. To change one, name it: bootstrap secrets set NAME")
        return nothing(session)
    target = store_for(session, store, aws_profile)
    warn(target)
    values = ask(wanted, specs) if sys.stdin.isatty() else _read(wanted, exact=exact)
    if not values:
        output.words("Nothing was given, nothing was changed.")
        return nothing(session)
    settle(session, target, store)
    report = Report(session, target, total=len(values))
    report.follow(keep(session.place, target, values), tuple(values))
    look_at(session, {name: values[name] for name in report.done})
    shadowed(session, report.done, values)
    return report.finish(next_command(session, report.done))


def _read(names: tuple[str, ...], *, exact: bool) -> dict[str, Secret]:
    """Read one value from stdin."""
    if len(names) != 1:
        raise UsageError(
            f"stdin holds one value, and {len(names)} are wanted",
            "Name one; or give several as a file: bootstrap secrets import FILE",
        )
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise BootstrapError(f"{names[0]}: stdin is not UTF-8", "Store it as base64.") from None
    if not exact:
        text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError(f"{names[0]}: stdin is empty", f"To remove it: bootstrap secrets unset {names[0]}")
    return {names[0]: Secret(text, "stdin")}
