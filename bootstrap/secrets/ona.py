"""Ona's secrets of one user, by its command line as far as public scripts show it; never tried for real."""

import re
import shutil
from collections.abc import Iterable
from typing import ClassVar

import msgspec

from bootstrap.encoding.names import check_value
from bootstrap.model.errors import BootstrapError, NotConfiguredError, RemoteRefusedError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Place, SecretStore
from bootstrap.system.process import Answer, run

#: the same program under its new name and its old one
_PROGRAMS = ("ona", "gitpod")
# 3 to 127 letters, digits and underscores, as Ona's API has it; only the first character is our own rule.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,126}", re.ASCII)


class _Entry(msgspec.Struct):
    """One secret in Ona's list."""

    id: str
    name: str


class Store(SecretStore):
    """The secrets that Ona gives to all of a user's environments, whatever their repository."""

    name = "ona"
    title = "your Ona secrets"
    readable = False
    caution = (
        "Ona gives your secrets to all of your environments, whatever their repository, and to nobody their"
        " values back. Nobody has tried this store on the real Ona."
    )

    #: seconds to wait for the program
    patience: ClassVar[float] = 60.0

    def __init__(self, place: Place) -> None:
        self._environ = place.environ
        self._listed: list[_Entry] | None = None
        self.delayed = bool(place.environ.get("GITPOD_ENVIRONMENT_ID"))

    def unavailable(self) -> str | None:
        """Name what is missing: the program, or what it answers instead of the list."""
        if self._program() is None:
            return "there is no `ona` or `gitpod` command on the PATH; Ona's environments have one"
        try:
            self._list()
        except BootstrapError as error:
            return f"{error.message}. {error.hint}"
        return None

    def get(self, name: str) -> Secret | None:
        """Raise NotConfiguredError: no command is known that gives a value back."""
        raise NotConfiguredError(
            f"{name}: cannot be read back from Ona",
            "Inside an environment of Ona, its variable has the value.",
        )

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:  # noqa: ARG002 - none of them
        """Give nothing: there is nothing to be had for whoever looks through all layers."""
        return {}

    def names(self) -> frozenset[str]:
        """Every secret of the user: Ona does not tell for which repository it was meant."""
        return frozenset(entry.name for entry in self._list())

    def check(self, name: str, value: Secret) -> None:
        """Refuse what Ona would refuse, and what nobody knows whether it keeps."""
        text = value.reveal()
        check_value(name, text)
        why = None
        if not _NAME.fullmatch(name):
            why = "Ona takes names of 3 to 127 letters, digits and _ only"
        elif text != text.strip() or not text:
            why = "is empty, or begins or ends with a blank or line break, which Ona might drop"
        if why:
            raise BootstrapError(
                f"{name}: {why}",
                "Use another store (--store), or store it as base64 and decode it in the service.",
            )

    def _write(self, name: str, value: Secret) -> None:
        """Ona updates by id, and makes a second secret of a name only where there is none."""
        known = [entry.id for entry in self._list() if entry.name == name]
        self._listed = None
        how = ["update", known[0]] if known else ["create", "--name", name, "--env-var"]
        self._ask(*how, "--value-from-file", "/dev/stdin", data=value.reveal().encode())

    def _forget(self, name: str) -> Fate:
        known = [entry.id for entry in self._list() if entry.name == name]
        self._listed = None
        for number in known:
            self._ask("delete", number)
        return Fate.REMOVED if known else Fate.ABSENT

    def _list(self) -> list[_Entry]:
        """Ask once, until something is written."""
        if self._listed is None:
            text = self._ask("list", "--format", "json").output
            try:
                self._listed = msgspec.json.decode(text or "[]", type=list[_Entry])
            except msgspec.MsgspecError as error:
                raise BootstrapError(
                    "ona: its list of secrets has no form that is known here", "Choose another store."
                ) from error
        return self._listed

    def _program(self) -> str | None:
        path = self._environ.get("PATH", "")
        return next((name for name in _PROGRAMS if shutil.which(name, path=path)), None)

    def _ask(self, *arguments: str, data: bytes = b"") -> Answer:
        """Run `ona user secret`. Raises RemoteRefusedError, in words of our own after a value was given."""
        program = self._program() or _PROGRAMS[0]
        answer = run(
            [program, "user", "secret", *arguments], environ=self._environ, data=data, timeout=self.patience
        )
        if answer.code == 0:
            return answer
        lines = [] if data else answer.errors.strip().splitlines()
        raise RemoteRefusedError(
            f"{program}: `user secret {arguments[0]}` failed (exit code {answer.code})"
            f"{f': {lines[0]}' if lines else ''}",
            f"See whether you are logged in: {program} whoami",
        )
