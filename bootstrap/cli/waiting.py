"""A word for who waits for another program, the network, or somebody's keyring."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.cli import output

_PATIENCE = 1.0


@contextmanager
def waiting(whom: str) -> Iterator[None]:
    """Say on stderr, after a second, who has not answered yet."""
    timer = threading.Timer(_PATIENCE, output.words, (f"Waiting for {whom} ...",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
