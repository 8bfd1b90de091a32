"""A Click program with one command, which does nothing."""

import click


@click.command()
def command() -> None:
    """Do nothing."""
