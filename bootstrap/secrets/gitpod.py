"""Gitpod's variables: `gp env`, which takes values as arguments, prints them back, and changes some."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar, Literal

from bootstrap.encoding.names import check_value
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Place, SecretStore
from bootstrap.system.files import file_error
from bootstrap.system.process import Answer, run

#: whom a variable is for: the workspaces of this repository, or all of this user's
Scope = Literal["repo", "user"]

# The server's own limits (UserEnvVar.validate in gitpod-protocol); it counts UTF-16 units.
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_LONGEST_NAME = 255
_LONGEST_VALUE = 32767
_RESERVED = "GITPOD_"

_ENTRY = re.compile(r'^export ([a-zA-Z_][a-zA-Z0-9_]*)="', re.ASCII | re.MULTILINE)
_BARE_QUOTE = re.compile(r'(?<!\\)"')
_OTHERWISE = "Use another store (--store), or store it as base64 and decode it in the service."


class Store(SecretStore):
    """The variables that Gitpod gives to this repository's workspaces; those of the user are read, too.

    What is read is what the server would give to the next start: this repository's value before the user's.
    """

    name = "gitpod"
    title = "Gitpod's variables"
    delayed = True
    caution = (
        "`gp env` takes a value as an argument: while it runs, any process of this workspace can read it."
    )

    #: seconds to wait for `gp`, which itself gives up after 60
    patience: ClassVar[float] = 65.0

    def __init__(self, place: Place, scope: Scope = "repo") -> None:
        self._place = place
        self._scope = scope
        self._known: dict[str, Secret] | None = None

    def unavailable(self) -> str | None:
        """Name what is missing: the workspace, its repository, `gp`, or the server's answer."""
        environ = self._place.environ
        if not environ.get("GITPOD_WORKSPACE_ID"):
            return "this is no Gitpod workspace, and `gp env` works in one only"
        if shutil.which("gp", path=environ.get("PATH", "")) is None:
            return "there is no `gp` command on the PATH; a new terminal of the workspace has it"
        if environ.get("GITPOD_HEADLESS") == "true":
            return "this is a prebuild, which has no variables of anybody's"
        if self._opened_for_another():
            return (
                "this workspace was opened for another repository, and `gp env` keeps that one's variables;"
                f" open one for {self._place.repository.identity}"
            )
        try:
            self._visible()
        except BootstrapError as error:
            return f"{error.message}. {error.hint}"
        return None

    def get(self, name: str) -> Secret | None:
        """Read what the next start of the workspace would see."""
        return self._visible().get(name)

    def names(self) -> frozenset[str]:
        """Everything that the next start would see, the user's own variables among it."""
        return frozenset(self._visible())

    def check(self, name: str, value: Secret) -> None:
        """Refuse what `gp` would change and what the server would refuse."""
        text = value.reveal()
        check_value(name, text)
        why = _bad_name(name) or _bad_value(text)
        if why:
            raise BootstrapError(f"{name}: {why}", _OTHERWISE)

    def _write(self, name: str, value: Secret) -> None:
        self._known = None
        answer = self._gp("--scope", self._scope, f"{name}={value.reveal()}")
        if answer.code == 0:
            return
        if "for security reasons" in answer.errors + answer.output:
            raise NotConfiguredError(
                f"{name}: a workspace may change your variables, and may not make new ones",
                f"Make it once at {self.page} (scope */**); from then on it can be set from here.",
            )
        # No word of gp's is repeated: it has just been given the value.
        raise BootstrapError(
            f"{name}: gp env failed (exit code {answer.code})",
            "See whether `gp env --export >/dev/null` works; if not, restart the workspace.",
        )

    def _remove(self, name: str) -> None:
        self._known = None
        answer = self._gp("--unset", name)
        if answer.code != 0 and "cannot delete" not in answer.errors + answer.output:
            raise _failure(answer)
        if name in self._visible():
            raise BootstrapError(
                f"{name}: is one of your own variables, and gp removes this repository's only",
                f"Remove it at {self.page}",
            )

    def _visible(self) -> dict[str, Secret]:
        """Ask once, until something is written."""
        if self._known is None:
            answer = self._gp("--export")
            if answer.code != 0:
                raise _failure(answer)
            values = parse_exports(answer.output)
            self._known = {name: Secret(value, self.name) for name, value in values.items() if value}
        return self._known

    def _gp(self, *arguments: str) -> Answer:
        """Run `gp env`; its log files, which everybody may read, go into a folder that nobody else may.

        An error does not carry along what caused it: that knows the arguments.
        """
        folder = self._place.session.directory
        try:
            scratch = tempfile.TemporaryDirectory(prefix="gp-", dir=folder, ignore_cleanup_errors=True)
        except OSError as error:
            raise file_error("make a folder in", folder, error) from error
        with scratch as path:
            try:
                environ = {**self._place.environ, "TMPDIR": path}
                return run(["gp", "env", *arguments], environ=environ, timeout=self.patience)
            except BootstrapError as error:
                message, hint = error.message, error.hint
        raise BootstrapError(message, hint)

    def _opened_for_another(self) -> bool:
        """Whether `gp` works for another repository than this clone's, as its supervisor would say."""
        opened = _context(self._place.environ.get("GITPOD_WORKSPACE_CONTEXT", ""))
        if opened is not None:
            return self._place.repository.identity != opened
        root = self._place.environ.get("GITPOD_REPO_ROOT", "")
        here = Path(os.path.realpath(self._place.root))
        return bool(root) and not here.is_relative_to(os.path.realpath(root))

    @property
    def page(self) -> str:
        """Where a person sees and changes their own variables."""
        return f"{self._place.environ.get('GITPOD_HOST') or 'https://gitpod.io'}/user/variables"


def parse_exports(text: str) -> dict[str, str]:
    r"""Read what `gp env --export` prints: `export NAME="VALUE"` lines, with nothing escaped but `"` as `\"`.

    That is enough to read every value back: a quote inside one has its backslash before it, so no value holds
    what an entry begins with, and the last quote before the next entry is the closing one. Raises
    BootstrapError for anything else.
    """
    starts = list(_ENTRY.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    whole = not text[: starts[0].start() if starts else None].strip()
    values = {}
    for start, end in zip(starts, ends, strict=False):
        body = text[start.end() : end]
        whole = whole and body.endswith('"\n') and not _BARE_QUOTE.search(body[:-2])
        values[start[1]] = body[:-2].replace('\\"', '"')
    if not whole:
        raise BootstrapError(
            "gp env: its answer has no form that is known here",
            "Update this program, or choose another store.",
        )
    return values


def _bad_name(name: str) -> str | None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        return f"Gitpod takes names of letters, digits and _ only, up to {_LONGEST_NAME}"
    return (
        f"Gitpod keeps names that start with {_RESERVED} for itself" if name.startswith(_RESERVED) else None
    )


def _bad_value(text: str) -> str | None:
    # The server's JavaScript counts a byte order mark as blank, too; Python's few more do no harm.
    if not text.replace("\ufeff", "").strip():
        return "is empty or blank, which Gitpod refuses"
    if text[0] in "\"'" or text[-1] in "\"'":
        return "begins or ends with a quote, which gp env would strip"
    if "\\ " in text:
        return "holds a backslash before a blank, which gp env would drop"
    units = len(text.encode("utf-16-le")) // 2
    return f"is longer than Gitpod's {_LONGEST_VALUE} characters" if units > _LONGEST_VALUE else None


def _context(text: str) -> str | None:
    """The repository in the workspace's description of itself, named as `Repository.identity` names it."""
    try:
        repository = json.loads(text)["repository"]
        return f"{repository['host']}/{repository['owner']}/{repository['name']}".lower()
    except (ValueError, KeyError, TypeError):
        return None


def _failure(answer: Answer) -> BootstrapError:
    """Say in words why `gp env` could not read or delete; older ones print that to their standard output."""
    said = answer.errors + answer.output
    if "connecting to supervisor" in said:
        return BootstrapError(
            "gp env: does not reach this workspace's supervisor", "Restart the workspace, then try again."
        )
    if "missing repository" in said or "repository info is missing" in said:
        return BootstrapError(
            "gp env: this workspace was opened without a repository", "Open it from the repository's page."
        )
    lines = answer.errors.strip().splitlines()
    return BootstrapError(
        f"gp env: failed (exit code {answer.code}){f': {lines[-1]}' if lines else ''}",
        "See whether `gp env --export >/dev/null` works; if not, restart the workspace.",
    )
