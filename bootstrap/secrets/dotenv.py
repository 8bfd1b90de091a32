"""The project's own `.env`, as python-dotenv reads it without interpolation; nothing is written there."""

import io
import os
import re
import stat
from collections.abc import Iterable, Sequence
from typing import Any

from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.remark import Mark, Remark
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place, SecretStore
from bootstrap.system import git
from bootstrap.system.files import file_error
from bootstrap.system.worktree import root_of

_NAME = ".env"


class Store(SecretStore):
    """Reads `.env` beside the manifest, unless git tracks it, or it is not a file of this user."""

    name = "dotenv"
    title = "the project's own .env"
    writable = False
    silent = True

    def __init__(self, place: Place) -> None:
        self._root = place.root
        self._path = place.root / _NAME

    def unavailable(self) -> str | None:
        """Look whether there is a file that may be read."""
        try:
            self._read()
        except BootstrapError as error:
            return f"{error.message}. {error.hint}"
        return None

    def get(self, name: str) -> Secret | None:
        """Read one value; a name without `=` counts as not set."""
        return self.get_many([name]).get(name)

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:
        """Read the file once. Raises BootstrapError where a line that cannot be read names one of them."""
        wanted = frozenset(names)
        bindings = self._bindings()
        values = _values(bindings)
        for binding in bindings:
            if binding.error:
                self._refuse(binding, wanted)
        return {name: Secret(values[name], self.name) for name in wanted if values.get(name)}

    def names(self) -> frozenset[str]:
        """Everything in the file that has a value, secret or not."""
        return frozenset(name for name, value in _values(self._bindings()).items() if value)

    def remarks(self) -> tuple[Remark, ...]:
        """Say what is not as it should be, and does not keep the file from being read."""
        mode = stat.S_IMODE(self._path.lstat().st_mode) if self._path.exists() else 0
        if not mode & 0o077:
            return ()
        text = f"{self._path}: others on this machine may read it (mode {mode:04o})"
        return (Remark(self.name, Mark.NOTE, text, f"chmod 600 {self._path}"),)

    def _bindings(self) -> Sequence[Any]:
        from dotenv.parser import parse_stream  # noqa: PLC0415 - 10 ms, and only for who uses it

        try:
            # As open() does where python-dotenv reads the file itself, every line end becomes a newline.
            return list(parse_stream(io.StringIO(self._read().decode(), newline=None)))
        except UnicodeDecodeError:
            reason = "is not UTF-8"
        except BootstrapError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a foreign parser raises may quote what it has read
            reason = f"cannot be read by python-dotenv ({type(error).__name__})"
        raise BootstrapError(f"{self._path}: {reason}", "Mend the file.")

    def _read(self) -> bytes:
        """The file's bytes; raises NotConfiguredError where it should not be read."""
        self._refuse_tracked()
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotConfiguredError(f"there is no {self._path}", "Use another store (--store).") from None
        except OSError as error:
            problem = file_error("read", self._path, error)
            raise NotConfiguredError(problem.message, problem.hint) from error
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise NotConfiguredError(f"{self._path} is not a file of yours", "Move it away.")
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read()
        finally:
            os.close(handle)

    def _refuse_tracked(self) -> None:
        """What is committed is no secret, and in somebody else's repository no value of ours."""
        if root_of(self._root) is None:
            return
        if not git.installed():
            raise NotConfiguredError("only git can tell whether it tracks .env", "Install git.")
        answer = git.run(self._root, "ls-files", "-z", "--", _NAME)
        if answer.stdout:
            raise NotConfiguredError(
                f"git tracks {self._path}",
                "git rm --cached .env, name it in .gitignore, and replace what was in it",
            )
        if answer.returncode != 0:
            raise NotConfiguredError(f"git cannot tell whether it tracks {self._path}", "See: git status")

    def _refuse(self, binding: Any, wanted: Iterable[str]) -> None:
        """Raise BootstrapError where the text of a broken line names one of the secrets."""
        text = binding.original.string
        names = [name for name in wanted if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
        if names:
            line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
            raise BootstrapError(
                f"{self._path}, line {line}: names {min(names)}, and is not NAME=VALUE",
                "Mend the line: a value with quotes, blanks or # needs quotes around it.",
            )


def _values(bindings: Iterable[Any]) -> dict[str, str]:
    """The last value of each name, as in python-dotenv; empty where there is no `=`."""
    return {binding.key: binding.value or "" for binding in bindings if binding.key is not None}
