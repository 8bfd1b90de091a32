"""Asking a person for secrets."""

import sys
from collections.abc import Iterable, Mapping

import click

from bootstrap.cli import output
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import SecretSpec
from bootstrap.model.secret import Secret

#: bytes that a terminal keeps of one line, silent about the rest: N_TTY_BUF_SIZE in Linux, else MAX_CANON
_LINE = 4095 if sys.platform == "linux" else 1023


def ask(names: Iterable[str], specs: Mapping[str, SecretSpec]) -> dict[str, Secret]:
    """Ask for each at a hidden prompt; an empty answer skips it.

    Raises BootstrapError for what is no text, and for a line of which the terminal may have dropped the end.
    """
    output.words("What you type is not shown. Enter alone skips one.")
    values = {}
    for name in names:
        spec = specs.get(name, SecretSpec(name))
        about = ". ".join(filter(None, (spec.description, spec.documentation)))
        if about:
            output.words(output.clean_value(f"{name}: {about}"))
        try:
            typed = click.prompt(name, default="", show_default=False, hide_input=True, err=True)
        except UnicodeDecodeError:
            raise BootstrapError(f"{name}: what was typed is not UTF-8", "Store it as base64.") from None
        if len(typed.encode(errors="replace")) >= _LINE:
            raise BootstrapError(
                f"{name}: a terminal drops what is beyond {_LINE} bytes of a line, so its end may be lost",
                f"Give it on stdin: bootstrap secrets set {name} < FILE",
            )
        if typed:
            values[name] = Secret(typed, "prompt")
    return values
