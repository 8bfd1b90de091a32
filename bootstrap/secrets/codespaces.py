"""GitHub's Codespaces secrets of one user: `gh` takes values on standard input and never gives them back."""

import contextlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from bootstrap.encoding.names import check_value
from bootstrap.model.errors import BootstrapError, NotConfiguredError, RemoteRefusedError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Place, SecretStore
from bootstrap.system.process import Answer, run

_HOST = "github.com"
_SECRETS = "user/codespaces/secrets"
_PAGE = "per_page=100"
_SCOPE = "codespace:secrets"
# https://docs.github.com/en/codespaces: names, and 48 KB a value
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_RESERVED = "GITHUB_"
_LONGEST = 48_000
_LOGGED_OUT = 4  # gh's exit code for it
_SETTINGS = "https://github.com/settings/codespaces"
#: the tokens that gh takes from the environment before those of its own login
_TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")


class Store(SecretStore):
    """The secrets that GitHub gives to this user's codespaces of this repository.

    A name exists once for a user, whatever the number of repositories that see it: one that is another
    repository's is not touched, and one that several share stays shared.
    """

    name = "codespaces"
    title = "your Codespaces secrets"
    readable = False
    caution = "GitHub never gives a value back: what is set here can be replaced and removed, and not read."

    #: seconds to wait for `gh`
    patience: ClassVar[float] = 60.0

    def __init__(self, place: Place) -> None:
        self._place = place
        self._slug = place.repository.slug or ""
        self._granted: dict[str, dict[str, int]] = {}
        self._listed: frozenset[str] | None = None
        self.delayed = bool(place.environ.get("CODESPACES") or place.environ.get("CODESPACE_NAME"))

    def unavailable(self) -> str | None:
        """Name what is missing: a GitHub repository, `gh`, its login, or the right to manage secrets."""
        if not self._place.repository.identity.startswith(f"{_HOST}/") or self._slug.count("/") != 1:
            return f"the remote `origin` of this clone is not on {_HOST}, and Codespaces are"
        if shutil.which("gh", path=self._place.environ.get("PATH", "")) is None:
            return "there is no `gh` command on the PATH; see https://cli.github.com"
        try:
            self._gh("api", f"{_SECRETS}/public-key")
        except BootstrapError as error:
            return f"{error.message}. {error.hint}"
        return None

    def get(self, name: str) -> Secret | None:
        """Raise NotConfiguredError: GitHub never gives a value back."""
        raise NotConfiguredError(
            f"{name}: cannot be read back from Codespaces",
            "Inside a codespace, the environment has its value.",
        )

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:  # noqa: ARG002 - none of them
        """Give nothing: there is nothing to be had for whoever looks through all layers."""
        return {}

    def names(self) -> frozenset[str]:
        """The secrets that this repository's codespaces get."""
        return frozenset(name for name in self._names() if self._is_granted(name))

    def check(self, name: str, value: Secret) -> None:
        """Refuse what GitHub would refuse, what `gh` would change, and what belongs to another repository."""
        text = value.reveal()
        check_value(name, text)
        why = _bad_name(name) or _bad_value(text)
        if why:
            raise BootstrapError(
                f"{name}: {why}",
                "Use another store (--store), or store it as base64 and decode it in the service.",
            )
        others = self._repositories(name)
        if others and not self._is_granted(name):
            raise BootstrapError(
                f"{name}: is a secret of {', '.join(sorted(others))} already, and you have one of each name",
                f"To share one value, give {self._slug} access at {_SETTINGS}, then set it again here.",
            )

    def _write(self, name: str, value: Secret) -> None:
        # gh replaces the whole list of repositories, so those that have it already are named again.
        others = {slug for slug in self._repositories(name) if slug.lower() != self._slug.lower()}
        repositories = ",".join(sorted({*others, self._slug}))
        with self._changing(name) as names:
            self._gh("secret", "set", name, "--user", "--repos", repositories, data=value.reveal().encode())
            names.add(name)

    def _forget(self, name: str) -> Fate:
        """Remove the secret, or this repository from it where others have it, too."""
        if not self._is_granted(name):
            return Fate.ABSENT
        own = self._repositories(name)
        with self._changing(name) as names:
            if len(own) == 1:
                self._gh("secret", "delete", name, "--user")
                names.discard(name)
            else:
                (number,) = (own[slug] for slug in own if slug.lower() == self._slug.lower())
                self._gh("api", "--method", "DELETE", f"{_SECRETS}/{name}/repositories/{number}")
        return Fate.REMOVED

    def _is_granted(self, name: str) -> bool:
        return any(slug.lower() == self._slug.lower() for slug in self._repositories(name))

    def _names(self) -> frozenset[str]:
        if self._listed is None:
            self._listed = frozenset(entry["name"] for entry in self._pages(_SECRETS, "secrets"))
        return self._listed

    def _repositories(self, name: str) -> dict[str, int]:
        """Which repositories have the secret, and their numbers; none where there is no such secret."""
        if name not in self._names():
            return {}
        if name not in self._granted:
            entries = self._pages(f"{_SECRETS}/{name}/repositories", "repositories")
            self._granted[name] = {entry["full_name"]: entry["id"] for entry in entries}
        return self._granted[name]

    @contextlib.contextmanager
    def _changing(self, name: str) -> Iterator[set[str]]:
        """Give the names of all secrets, to be kept up to date; if the block fails, GitHub is asked anew."""
        names = set(self._names())
        self._granted.pop(name, None)
        self._listed = None
        yield names
        self._listed = frozenset(names)

    def _pages(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        """Everything in a list of GitHub's; gh prints one JSON document a page, one after the other."""
        text = self._gh("api", "--paginate", f"{path}?{_PAGE}").output.strip()
        decoder = json.JSONDecoder()
        position = 0
        try:
            while position < len(text):
                page, position = decoder.raw_decode(text, position)
                yield from page[key]
        except (ValueError, KeyError, TypeError) as error:
            raise BootstrapError("gh: its answer has no form that is known here", "Update gh.") from error

    def _gh(self, *arguments: str, data: bytes = b"") -> Answer:
        environ = {
            **{name: text for name, text in self._place.environ.items() if name not in ("GH_DEBUG", "DEBUG")},
            "GH_HOST": _HOST,
            "GH_PROMPT_DISABLED": "1",
            "GH_NO_UPDATE_NOTIFIER": "1",
            "NO_COLOR": "1",
        }
        answer = run(["gh", *arguments], environ=environ, data=data, timeout=self.patience)
        if answer.code != 0:
            raise self._failure(answer)
        return answer

    def _failure(self, answer: Answer) -> BootstrapError:
        """Say in words why `gh` failed; it has sent the value only encrypted, and prints none."""
        own = next((name for name in _TOKENS if self._place.environ.get(name)), None)
        login = f"{f'unset {own}; ' if own else ''}gh auth login -h {_HOST} -s {_SCOPE}"
        if answer.code == _LOGGED_OUT:
            return NotConfiguredError("gh: is not logged in", f"Type: {login}")
        if "HTTP 403" in answer.errors or "auth refresh" in answer.errors:
            token = f"the token in {own}" if own else "its login"
            refresh = login if own else f"gh auth refresh -h {_HOST} -s {_SCOPE}"
            return RemoteRefusedError(f"gh: {token} may not manage Codespaces secrets", f"Type: {refresh}")
        lines = answer.errors.strip().splitlines()
        return RemoteRefusedError(
            f"gh: failed (exit code {answer.code}){f': {lines[0]}' if lines else ''}",
            f"See what is there at {_SETTINGS}",
        )


def _bad_name(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "Codespaces takes names of A-Z, digits and _ only, not starting with a digit"
    return (
        f"GitHub keeps names that start with {_RESERVED} for itself" if name.startswith(_RESERVED) else None
    )


def _bad_value(text: str) -> str | None:
    if not text:
        return "is empty, which counts as not set"
    if text[-1] in "\r\n":
        return "ends with a line break, which gh would drop"
    return f"is longer than {_LONGEST} bytes" if len(text.encode()) > _LONGEST else None
