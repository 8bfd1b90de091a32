"""`bootstrap secrets import`."""

import sys

import click

from bootstrap.cli import output
from bootstrap.cli.secrets.shared import (
    Report,
    look_at,
    next_command,
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
from bootstrap.flows.secrets import incoming
from bootstrap.flows.secrets.keep import check_names, is_name, keep
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.system.files import file_error


@verb()
@click.argument("file", required=False, type=click.Path(), metavar="[FILE]")
@click.option("--environment", is_flag=True, help="Take what this shell exports instead of a file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(incoming.FORMATS),
    help="How FILE is written; the default goes by its name.",
)
@click.option("--name", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--undeclared", is_flag=True, help="Also names that bootstrap.toml does not declare.")
@click.option("--dry-run", is_flag=True, help="Only say what would be kept.")
@store_option(help="Keep them there, this time.")
@profile_option()
def command(
    session: Session,
    file: str | None,
    *,
    environment: bool,
    form: str | None,
    names: tuple[str, ...],
    undeclared: bool,
    dry_run: bool,
    store: str | None,
    aws_profile: str | None,
) -> int:
    r"""
    Keep the values of FILE (a .env file or JSON; - is stdin), or of this shell's exports.

    Only what bootstrap.toml declares is kept, unless --undeclared or --name says otherwise. A .env file is
    read as python-dotenv reads it, without interpolation.

    \b
    Examples:
      bootstrap secrets import .env
      bootstrap secrets import --environment
      bootstrap secrets import keys.json --dry-run
      vault kv get -format=json app | jq .data | bootstrap secrets import - --format json
    """
    if environment == (file is not None):
        raise UsageError("one source is needed", "Name a FILE, or - for stdin, or --environment.")
    if environment and undeclared:
        raise UsageError(
            "a shell exports much that is no secret", "Name what you want instead: --environment --name NAME"
        )
    source = "this shell" if environment else "stdin" if file == "-" else str(file)
    found = dict(session.environ) if environment else _read(session, str(file), form)
    specs = secret_specs(session.project)
    chosen = incoming.choose(found, source, declared=specs, names=names, undeclared=undeclared)
    check_names(tuple(chosen.values), specs, undeclared=bool(names) or undeclared, typed=False)
    _say_left(chosen, environment=environment)
    if dry_run or not chosen.values:
        return _only_say(session, chosen)
    target = store_for(session, store, aws_profile)
    warn(target)
    settle(session, target, store)
    report = Report(session, target, total=len(chosen.values))
    report.follow(
        keep(session.place, target, chosen.values),
        tuple(chosen.values),
    )
    look_at(session, {name: chosen.values[name] for name in report.done})
    shadowed(session, report.done, chosen.values)
    return report.finish(
        next_command(session, report.done), undeclared=[name for name in chosen.undeclared if is_name(name)]
    )


def _read(session: Session, file: str, form: str | None) -> dict[str, str]:
    try:
        data = sys.stdin.buffer.read() if file == "-" else (session.start / file).read_bytes()
    except FileNotFoundError:
        raise BootstrapError(f"there is no {file} in {session.start}", "Check the path.") from None
    except OSError as error:
        raise file_error("read", file, error) from error
    source = "stdin" if file == "-" else file
    return incoming.read(data, form or ("json" if file.endswith(".json") else "dotenv"), source)


def _say_left(chosen: incoming.Incoming, *, environment: bool) -> None:
    if chosen.undeclared and not environment:
        output.words(f"Not declared, left out: {_listed(chosen.undeclared)} (--undeclared keeps them)")
    if chosen.empty:
        output.words(f"Empty, left out: {_listed(chosen.empty)}")


def _listed(names: tuple[str, ...]) -> str:
    """What cannot be the name of a secret may be a part of one: in a torn file, for example."""
    shown = [name for name in names if is_name(name)]
    others = len(names) - len(shown)
    return ", ".join([*shown, f"{others} with other names"] if others else shown)


def _only_say(session: Session, chosen: incoming.Incoming) -> int:
    if session.as_json:
        output.json_document(
            {
                "would_keep": list(chosen.values),
                "undeclared": [name for name in chosen.undeclared if is_name(name)],
            }
        )
    else:
        output.words(f"Would be kept: {', '.join(chosen.values)}" if chosen.values else "Nothing to keep.")
    return 0
