"""The errors that a person is meant to read: one line that says what, one that says what to do."""


class BootstrapError(Exception):
    """Something expected went wrong.

    `message` is one line that names the file, key or command; `hint` is one line that says what to type or
    change next. Neither ever holds a secret's value.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BootstrapError):
    """The command was typed in a way that cannot mean anything."""

    exit_code = 2


class NotConfiguredError(BootstrapError):
    """Something has to be written down or installed first; the hint says which command does it."""

    exit_code = 3


class RemoteRefusedError(BootstrapError):
    """A service elsewhere said no."""

    exit_code = 4


class UnreachableError(RemoteRefusedError):
    """A service elsewhere does not answer, or is too busy to: the next question would end like this one."""


class ProblemsFoundError(BootstrapError):
    """A check found differences or problems; nothing else went wrong."""

    exit_code = 5
