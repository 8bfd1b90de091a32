"""Writes what the documentation takes from the code: docs/cli.md and docs/bootstrap.schema.json."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bootstrap.cli.root import root
from bootstrap.cli.session import OPTIONS
from bootstrap.config.schema import schema

HERE = Path(__file__).parent

_HEAD = """\
# The command line

Made from the commands' own `--help` by `make docs`.

Data goes to stdout, words to stderr. `--json` prints one JSON document (one a line where it follows) and
nothing else on stdout, `-C DIR` works from anywhere, no command needs a terminal, and `NO_COLOR` is honoured.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | the command was typed wrong |
| 3 | something has to be configured first; the hint says which command does it |
| 4 | a remote service refused |
| 5 | differences or problems were found |
| 130 | interrupted |

`bootstrap run` passes its command's code through, and uses 125 to 127 for its own.
"""


def cli() -> str:
    """Every command's help, the root's first."""
    return "\n".join([_HEAD, *_sections("bootstrap", root)])


def _sections(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100)
    yield f"## `{name}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            below = command.get_command(context, verb)
            if below is not None:
                yield from _sections(f"{name} {verb}", below)


def generated() -> dict[Path, str]:
    """Every generated page with its text."""
    return {
        HERE / "cli.md": cli(),
        HERE / "bootstrap.schema.json": json.dumps(schema(OPTIONS), indent=2) + "\n",
    }


def main() -> int:
    """Write the pages; with --check only say whether they are fresh."""
    check = "--check" in sys.argv
    pages = generated()
    stale = [path for path in pages if not path.exists() or path.read_text("utf-8") != pages[path]]
    for path in stale:
        print(f"{path.name} {'is stale: run make docs' if check else 'written'}")
        if not check:
            path.write_text(pages[path], encoding="utf-8")
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main())
