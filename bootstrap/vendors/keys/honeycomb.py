"""Honeycomb's kinds of keys, and what GET /1/auth and /2/auth say about one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bootstrap.model.errors import BootstrapError
from bootstrap.model.remark import Mark, Remark
from bootstrap.system import http
from bootstrap.system.endpoints import override
from bootstrap.vendors.interface import Values
from bootstrap.vendors.keys import remarks
from bootstrap.vendors.keys.remarks import (
    OK,
    UNAUTHORIZED,
    fine,
    first_problem,
    note,
    problem,
    unanswered,
    unknown,
)

SENDS = "HONEYCOMB_API_KEY"
MANAGES = "HONEYCOMB_CONFIGURATION_KEY"
#: loopback addresses to ask instead of the project's region, and instead of the other one
HERE, THERE = "BOOTSTRAP_HONEYCOMB_ENDPOINT", "BOOTSTRAP_HONEYCOMB_OTHER_ENDPOINT"

_HINTS = {
    SENDS: "Make an ingest key (Environment > API keys), then: bootstrap secrets set HONEYCOMB_API_KEY",
    MANAGES: "Make a configuration key (Environment > API keys), then: "
    "bootstrap secrets set HONEYCOMB_CONFIGURATION_KEY",
}
#: GET /1/auth's word for a permission -> the one on Honeycomb's page of API keys
_NEEDED = {"columns": "Manage Queries and Columns", "boards": "Manage Public Boards"}
_DATASETS = "Create Datasets"
_PERMISSIONS = {"events": "Send Events", "createDatasets": _DATASETS, "queries": "Run Queries", **_NEEDED}

_WITHOUT_DATASETS = {
    SENDS: "Traces of a service that is new to Honeycomb are refused until its dataset is made.",
    MANAGES: "`bootstrap verify` cannot look at the datasets that traces arrive in.",
}


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of key, and why it is of no use where another kind is needed."""

    pattern: str
    title: str
    #: why it sends no traces of ours; empty where it does
    cannot_send: str = ""
    #: why it makes no queries and boards; empty where it does
    cannot_manage: str = ""
    management: bool = False
    #: whether all of it is there, so that Honeycomb can be asked about it
    whole: bool = True

    def unfit(self, name: str) -> str:
        """Say why the key is of no use as the secret `name`; empty where it is."""
        return self.cannot_send if name == SENDS else self.cannot_manage


_CLASSIC = "it needs a dataset header with every call, and nothing here sends one"
_PART = "the whole key is shown once, when it is made"
_TEAM = "it manages a team's keys and environments, and neither sends traces nor makes boards"

CONFIGURATION = Kind(pattern=r"[a-zA-Z0-9]{20,23}", title="a configuration key")
#: https://docs.honeycomb.io/api/authentication - the first that fits
_KINDS = (
    Kind(
        pattern=r"hc[a-z]ik_[a-z0-9]{58}",
        title="an ingest key",
        cannot_manage="it sends traces, and makes no queries and no boards",
    ),
    CONFIGURATION,
    Kind(
        pattern=r"[a-f0-9]{32}|hc[a-z]ic_[a-z0-9]{58}",
        title="a key of Honeycomb Classic",
        cannot_send=_CLASSIC,
        cannot_manage=_CLASSIC,
    ),
    Kind(
        pattern=r"hc[a-z]mk_[a-z0-9]{26}:[a-z0-9]{32}",
        title="a management key",
        cannot_send=_TEAM,
        cannot_manage=_TEAM,
        management=True,
    ),
    *(
        Kind(
            pattern=rf"hc[a-z]{letters}_[a-z0-9:]*",
            title=title,
            cannot_send=_PART,
            cannot_manage=_PART,
            whole=False,
        )
        for letters, title in (
            ("lk", "the id of a configuration key"),
            ("mk", "the id of a management key"),
            ("i[ck]", "a part of an ingest key"),
        )
    ),
)


def kind_of(value: str) -> Kind | None:
    """Say which kind of key a value looks like."""
    return next((kind for kind in _KINDS if re.fullmatch(kind.pattern, value, re.ASCII)), None)


def cannot_manage(value: str) -> str:
    """Say why a key makes no queries and boards, by its looks alone; empty where it may."""
    kind = kind_of(value)
    return "" if kind is None or not kind.cannot_manage else f"is {kind.title}: {kind.cannot_manage}"


def inspect(values: Values) -> Iterator[Remark]:
    """Say for each key which kind it is, and whether that kind serves its purpose."""
    for name in (SENDS, MANAGES):
        kind = kind_of(values.get(name, ""))
        if kind is None:
            continue
        if reason := kind.unfit(name):
            yield problem(name, f"is {kind.title}: {reason}", _HINTS[name])
        elif name == SENDS and kind is CONFIGURATION:
            yield note(name, f"is {kind.title}, which may do more than a service needs", _HINTS[name])
        else:
            yield fine(name, f"is {kind.title}")


def ask(
    endpoints: Mapping[str, str], region: str, values: Values, environ: Mapping[str, str]
) -> Iterator[Remark]:
    """Ask Honeycomb about each key that is whole; a key that one region does not know, the other may."""
    for name in (SENDS, MANAGES):
        key = values.get(name, "")
        kind = kind_of(key)
        if kind is not None and kind.whole:
            try:
                yield _ask(_Question(name, kind, key), _bases(endpoints, region, environ))
            except BootstrapError as error:
                yield unknown(name, error.message, error.hint)


def ready(endpoints: Mapping[str, str], region: str, values: Values, environ: Mapping[str, str]) -> Remark:
    """Say whether the key that services send with is taken. A dataset that nobody may make can be there."""
    sends = {SENDS: values.get(SENDS, "")}
    kind = kind_of(sends[SENDS])
    looks = first_problem(inspect(sends), SENDS)
    if kind is None or kind.cannot_send:
        return remarks.ready((), looks)
    remark = remarks.ready(ask(endpoints, region, sends, environ), looks)
    if remark.mark is Mark.NOTE:
        return replace(remark, mark=Mark.OK, text=f"{remark.text}. {remark.hint}", hint="")
    return remark


class _Question(Struct, frozen=True):
    """One key, and what it is to be used for."""

    name: str
    kind: Kind
    key: str

    def ask(self, base: str) -> http.Answer:
        """Put it to one region. Raises BootstrapError where nobody answers."""
        if self.kind.management:
            return http.get(f"{base}/2/auth", {"Authorization": f"Bearer {self.key}"})
        return http.get(f"{base}/1/auth", {"X-Honeycomb-Team": self.key})

    def __repr__(self) -> str:
        return f"_Question({self.name})"


def _bases(endpoints: Mapping[str, str], region: str, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Whom to ask, the project's region first; where that has another address, nobody else without one."""
    other = next(name for name in endpoints if name != region)
    here, there = override(environ, HERE), override(environ, THERE)
    found = [(region, here or endpoints[region])]
    if there or not here:
        found.append((other, there or endpoints[other]))
    return found


def _ask(question: _Question, bases: list[tuple[str, str]]) -> Remark:
    (_, here), *others = bases
    answer = question.ask(here)
    if answer.status == UNAUTHORIZED:
        return _elsewhere(question, others)
    if answer.status != OK or not isinstance(answer.document, dict):
        return unanswered(question.name, "Honeycomb", answer.status)
    if question.kind.management:
        return _management(question, answer.document)
    return _access(question.name, answer.document)


def _elsewhere(question: _Question, others: list[tuple[str, str]]) -> Remark:
    """Tell a key of another region from one that nobody knows."""
    for region, base in others:
        if _knows(question, base):
            return problem(
                question.name,
                f"is a key of the region {region!r}, and the project is set to the other one",
                f'In bootstrap.toml, under [telemetry.honeycomb]: region = "{region}"',
            )
    return problem(
        question.name, "Honeycomb does not know this key: it is wrong, or was deleted", _HINTS[question.name]
    )


def _knows(question: _Question, base: str) -> bool:
    try:
        return question.ask(base).status == OK
    except BootstrapError:
        return False  # the project's own region has said no, and that is what counts


def _management(question: _Question, document: Mapping[str, Any]) -> Remark:
    scopes = _table(_table(document, "data"), "attributes").get("scopes")
    listed = ", ".join(map(str, scopes)) if isinstance(scopes, list) else ""
    return problem(
        question.name,
        f"works, as a management key (scopes: {listed or 'none'}); {question.kind.unfit(question.name)}",
        _HINTS[question.name],
    )


def _access(name: str, document: Mapping[str, Any]) -> Remark:
    """Compare what a key may do with what it is for."""
    access = _table(document, "api_key_access")
    environment = _table(document, "environment").get("slug")
    team = _table(document, "team").get("slug")
    if not environment:
        return problem(name, f"is a key of Honeycomb Classic (team {team}): {_CLASSIC}", _HINTS[name])
    where = f"team {team}, environment {environment}"
    ingest = document.get("type") == "ingest"
    needed = _NEEDED if name == MANAGES else {} if ingest else {"events": "Send Events"}
    if missing := [title for word, title in needed.items() if not access.get(word)]:
        return problem(
            name,
            f"works ({where}), and lacks: {', '.join(missing)}",
            "Allow it at Environment > API keys, or make another key there.",
        )
    if not access.get("createDatasets"):
        return note(name, f"works ({where}), and lacks: {_DATASETS}", _WITHOUT_DATASETS[name])
    allowed = [
        title for word, title in _PERMISSIONS.items() if access.get(word) or (ingest and word == "events")
    ]
    return fine(name, f"works ({where}); it may: {', '.join(allowed)}")


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Take one object out of another, whatever the answer really is."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}
