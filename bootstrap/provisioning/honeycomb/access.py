"""The configuration key: where it opens, whose it is, and whether it may do what everything here needs."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from bootstrap.model.errors import NotConfiguredError, RemoteRefusedError
from bootstrap.model.secret import Secret
from bootstrap.provisioning.honeycomb.client import KEYS, Client, NotAllowedError, Patience
from bootstrap.provisioning.interface import Opening
from bootstrap.system import http
from bootstrap.system.endpoints import override

#: GET /1/auth's word for what everything here needs -> the one on Honeycomb's page of API keys
_NEEDED = {"columns": "Manage Queries and Columns", "boards": "Manage Public Boards"}


class Entrance(Struct, frozen=True):
    """Where keys are sent to, and which key opens."""

    #: region -> base URL
    endpoints: Mapping[str, str]
    #: the secret's name
    secret: str
    #: variables that may name loopback addresses instead of the project's region, and of the others
    here: str
    there: str
    #: says why a key's value is of no use, by its looks alone; empty where it may be
    unfit: Callable[[str], str]


class Access(Struct, frozen=True):
    """What GET /1/auth says of the key."""

    key: str
    team: str
    environment: str
    may: frozenset[str]

    @property
    def may_make_datasets(self) -> bool:
        """Whether a dataset can be made, and the list of them be read."""
        return "createDatasets" in self.may


class Door:
    """Opens one region's API with the key, which is read at once.

    Raises NotConfiguredError without a key that could open it.
    """

    def __init__(self, opening: Opening, entrance: Entrance) -> None:
        self._opening = opening
        self._entrance = entrance
        self.region: str = opening.project.telemetry["honeycomb"].region
        self._secret = self._key()
        #: the API
        self.client = Client(self._base, self._secret, self._patience)

    def _key(self) -> Secret:
        secret = self._opening.lookup(self._entrance.secret)
        if secret is None:
            raise NotConfiguredError(f"{self._entrance.secret} is not set", self._hint)
        if reason := self._entrance.unfit(secret.reveal()):
            raise NotConfiguredError(f"{self._entrance.secret} {reason}", self._hint)
        return secret

    @property
    def _hint(self) -> str:
        return f"Make a configuration key ({KEYS}), then: bootstrap secrets set {self._entrance.secret}"

    @property
    def _patience(self) -> Patience:
        opening = self._opening
        return Patience(opening.attempts, opening.timeout, opening.pause, opening.say)

    @property
    def _base(self) -> str:
        here = override(self._opening.environ, self._entrance.here)
        return here or self._entrance.endpoints[self.region]

    @cached_property
    def access(self) -> Access:
        """Who we are; raises RemoteRefusedError for a key that cannot do what everything here needs."""
        try:
            document = self.client.read("/1/auth")
        except NotAllowedError:
            raise self._elsewhere() or RemoteRefusedError(
                f"Honeycomb does not know {self._entrance.secret}: it is wrong, or was deleted", self._hint
            ) from None
        if not isinstance(document, dict):
            raise RemoteRefusedError("Honeycomb did not say whose key it is", "Type the same again.")
        environment = _table(document, "environment").get("slug")
        allowed = _table(document, "api_key_access")
        access = Access(
            str(document.get("id")),
            str(_table(document, "team").get("slug")),
            str(environment),
            frozenset(name for name in allowed if allowed[name]),
        )
        self._check(document, access, classic=not environment)
        return access

    def _check(self, document: Mapping[str, Any], access: Access, *, classic: bool) -> None:
        name = self._entrance.secret
        where = f"team {access.team}, environment {access.environment}"
        if classic:
            raise NotConfiguredError(
                f"{name} is a key of Honeycomb Classic (team {access.team}): queries and boards of "
                "environments need a key of an environment",
                self._hint,
            )
        if document.get("type") != "configuration":
            raise NotConfiguredError(f"{name} is no configuration key ({where}): it only sends", self._hint)
        if missing := [title for word, title in _NEEDED.items() if word not in access.may]:
            raise RemoteRefusedError(
                f"{name} lacks: {', '.join(missing)} ({where})",
                f"Allow it at {KEYS}, or make another key there.",
            )

    def _elsewhere(self) -> RemoteRefusedError | None:
        """The error that says which region knows the key; None where none says so."""
        for region, base in self._others():
            headers = {"X-Honeycomb-Team": self._secret.reveal()}
            try:
                known = http.get(f"{base}/1/auth", headers, timeout=self._opening.timeout).document
            except RemoteRefusedError:
                continue
            if isinstance(known, dict) and "api_key_access" in known:
                return RemoteRefusedError(
                    f"{self._entrance.secret} is a key of the region {region!r}, and the project is set "
                    "to another one",
                    f'In bootstrap.toml, under [telemetry.honeycomb]: region = "{region}"',
                )
        return None

    def _others(self) -> list[tuple[str, str]]:
        """The other regions; where ours has another address, nobody else without one."""
        environ, entrance = self._opening.environ, self._entrance
        there = override(environ, entrance.there)
        if there is None and override(environ, entrance.here):
            return []
        others = ((name, base) for name, base in entrance.endpoints.items() if name != self.region)
        return [(name, there or base) for name, base in others]


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
