"""Becomes another program; kept apart and small because `run` pays for every import."""

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from typing import NoReturn

from bootstrap.model.errors import BootstrapError


class CannotRunError(BootstrapError):
    """The command could not be started at all (125 to 127 as in env(1) and nohup(1))."""

    exit_code = 125


class NotExecutableError(CannotRunError):
    """The command was found and is no program that this user may run."""

    exit_code = 126


class CommandNotFoundError(CannotRunError):
    """No such command."""

    exit_code = 127


def execute(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by `argv`, found on the PATH of `environ`, with exactly `environ`.

    The caller flushes its streams first. Raises a CannotRunError when there is nothing to become.
    """
    if not argv:
        raise CannotRunError("no command was given", "Name one after `--`.")
    # Python ignores these two, and what is ignored stays so in the next program: `yes | head` needs them.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        os.execvpe(argv[0], list(argv), environ)  # noqa: S606  no shell is the point
    except (OSError, ValueError) as error:
        for number, handler in before.items():
            signal.signal(number, handler)
        raise explain(argv[0], error) from error


def explain(command: str, error: OSError | ValueError) -> CannotRunError:
    """Say why `command` could not be started."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = "Install it, or check the spelling and the PATH; for a script, check its first line."
        return CommandNotFoundError(f"{command}: command not found", hint)
    if isinstance(error, ValueError):
        hint = "Look for a NUL or an undecodable byte in the arguments or the environment."
        return CannotRunError(f"{command}: cannot be passed to the system: {error}", hint)
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    if isinstance(error, PermissionError) or error.errno == errno.ENOEXEC:
        hint = "Make it executable (chmod +x), or start it through its interpreter."
        return NotExecutableError(f"{command}: cannot be executed: {reason}", hint)
    return CannotRunError(f"{command}: cannot be started: {reason}", "")
