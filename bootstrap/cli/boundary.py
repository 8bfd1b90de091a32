"""The error boundary: one line of what, one line of what next, and the exit code."""

import errno
import os
import platform
import re
import sys
import traceback
from importlib.metadata import version

import click

from bootstrap.cli import output
from bootstrap.model.errors import BootstrapError
from bootstrap.model.masking import Mask
from bootstrap.model.secret import handled

INTERRUPTED = 130
#: what a full disk, a closed terminal or a gone reader answer
_OUTPUT = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF)
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|HEADERS|_URL$", re.IGNORECASE)
#: what can be neither a command, an option, a store nor the name of a secret
_VALUE = re.compile(r"(?!--?[a-z])(?![a-z_-]{1,20}$)(?![A-Z_]+$)\S.{5,}|.*[^\w-].{5,}", re.DOTALL)


def report(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong on stderr, with `as_json` also as JSON on stdout; return the exit code."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if isinstance(error, BootstrapError):
        return _say(error.message, error.hint, error.exit_code, as_json=as_json)
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else "bootstrap"
        # Click lists choices one below the other, and an error is one line.
        message = " ".join(_without_values(error.format_message(), path).split()).rstrip(".")
        return _say(message, f"See: {path} --help", 2, as_json=as_json)
    if isinstance(error, click.ClickException):
        return _say(error.format_message(), "", error.exit_code, as_json=as_json)
    if isinstance(error, OSError) and error.errno in _OUTPUT:
        _let_go_of_output()
        return _say(f"cannot write its output: {os.strerror(error.errno).lower()}", "", 1, as_json=False)
    _unexpected(error)
    return 1


def _let_go_of_output() -> None:
    """Let what could not be written lead nowhere: at its exit Python would try again, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _without_values(message: str, path: str) -> str:
    """Leave out what somebody may have typed as the value of a secret, where the parser would repeat it."""
    if " secrets" in path:
        for word in sys.argv[1:]:
            if _VALUE.fullmatch(word):
                message = message.replace(word, "...")
    return message


def _say(message: str, hint: str, code: int, *, as_json: bool) -> int:
    mask = Mask(handled())  # no message should hold one; should one ever do, it is not shown
    message, hint = mask(message), mask(hint)
    output.error(message, hint)
    if as_json:
        output.json_document({"error": {"message": message, "hint": hint, "exit_code": code}})
    return code


def _unexpected(error: BaseException) -> None:
    """Leave a report that can be pasted as it is: no secret that this process has seen is in it."""
    mask = Mask({*handled(), *(value for name, value in os.environ.items() if _SECRET_NAME.search(name))})
    text = mask("".join(traceback.format_exception(error)))
    output.error(
        "something went wrong that should not have", "Please report it, with everything below this line."
    )
    output.words(
        f"bootstrap {version('workspace-bootstrap')} {' '.join(sys.argv[1:2])} ...\n"
        f"Python {platform.python_version()}, {platform.platform()}\n\n{text}"
    )
