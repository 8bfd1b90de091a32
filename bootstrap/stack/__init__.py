"""Runs a project's services: one engine a file, and the table of them."""

from bootstrap.stack.compose.engine import ComposeEngine
from bootstrap.stack.interface import Engine
from bootstrap.stack.process import ProcessEngine

#: in the order in which `auto` looks for one that works
ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (ComposeEngine, ProcessEngine)}
