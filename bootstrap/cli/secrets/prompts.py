"""Asking a person for secrets."""

from collections.abc import Iterable, Mapping

import click

from bootstrap.cli import output
from bootstrap.model.project import SecretSpec
from bootstrap.model.secret import Secret


def ask(names: Iterable[str], specs: Mapping[str, SecretSpec]) -> dict[str, Secret]:
    """Ask for each at a hidden prompt; an empty answer skips it."""
    output.words("What you type is not shown. Enter alone skips one.")
    values = {}
    for name in names:
        spec = specs.get(name, SecretSpec(name))
        about = ". ".join(filter(None, (spec.description, spec.documentation)))
        if about:
            output.words(output.clean_value(f"{name}: {about}"))
        typed = click.prompt(name, default="", show_default=False, hide_input=True, err=True)
        if typed:
            values[name] = Secret(typed, "prompt")
    return values
