"""Runs a project's services: one engine a file, and the table of them."""

from bootstrap.stack.interface import Engine
from bootstrap.stack.process import ProcessEngine

ENGINES: dict[str, type[Engine]] = {ProcessEngine.name: ProcessEngine}
