"""What Rollbar says about a token, asked so that no item can come of it."""

import re
from collections.abc import Iterator, Mapping

from bootstrap.model.errors import BootstrapError
from bootstrap.model.remark import Remark
from bootstrap.system import http
from bootstrap.system.endpoints import override
from bootstrap.vendors.interface import Values
from bootstrap.vendors.keys import remarks
from bootstrap.vendors.keys.remarks import (
    FORBIDDEN,
    OK,
    UNAUTHORIZED,
    fine,
    first_problem,
    note,
    problem,
    unanswered,
    unknown,
)

POSTS = "ROLLBAR_ACCESS_TOKEN"
READS = "ROLLBAR_READ_TOKEN"
#: a loopback address to ask instead
ENDPOINT = "BOOTSTRAP_ROLLBAR_ENDPOINT"
_BASE = "https://api.rollbar.com"
_SCOPES = {POSTS: "post_server_item", READS: "read"}
_WHOLE = re.compile(r"[0-9a-f]{32}|[0-9a-zA-Z]{96}", re.ASCII)
# Rollbar has no code for it: "... read scope is required but the access token only has post_server_item."
_HAS = re.compile(r"only has\b(.*)", re.DOTALL)
_WORD = re.compile(r"post_server_item|post_client_item|read|write")


def inspect(values: Values) -> Iterator[Remark]:
    """Say what a token is for; it does not show its scope."""
    for name, scope in _SCOPES.items():
        if _WHOLE.fullmatch(values.get(name, "")):
            yield fine(name, f"is an access token; its scope has to be {scope}")
    if values.get(READS) and values.get(READS) == values.get(POSTS):
        yield note(READS, f"is the same token as {POSTS}: services could read every item, too", _hint(READS))


def ask(values: Values, environ: Mapping[str, str]) -> Iterator[Remark]:
    """Ask for the project's environments: a token of any other scope is refused with the scopes that it has.

    A GET creates nothing, where posting an empty item to see what happens would rely on Rollbar to refuse it.
    https://docs.rollbar.com/reference/list-all-environments
    """
    for name in _SCOPES:
        if _WHOLE.fullmatch(values.get(name, "")):
            yield _ask(name, values[name], environ)


def ready(values: Values, environ: Mapping[str, str]) -> Remark:
    """Say whether the token that services post with is taken; one that may read is not known to post."""
    posts = {POSTS: values.get(POSTS, "")}
    return remarks.ready(ask(posts, environ), first_problem((), POSTS))


def _ask(name: str, token: str, environ: Mapping[str, str]) -> Remark:
    try:
        base = override(environ, ENDPOINT) or _BASE
        answer = http.get(f"{base}/api/1/environments", {"X-Rollbar-Access-Token": token})
    except BootstrapError as error:
        return unknown(name, error.message, error.hint)
    if answer.status == OK and isinstance(answer.document, dict):
        return _may_read(name)
    if answer.status not in (UNAUTHORIZED, FORBIDDEN):
        return unanswered(name, "Rollbar", answer.status)
    scopes = _scopes(answer.document)
    if not scopes:
        return problem(name, "Rollbar does not know this token: it is wrong, or was deleted", _hint(name))
    has = ", ".join(scopes)
    if _SCOPES[name] in scopes:
        return fine(name, f"works; its scope: {has}")
    return problem(name, f"works, and its scope is {has}: it has to be {_SCOPES[name]}", _hint(name))


def _may_read(name: str) -> Remark:
    if name == READS:
        return fine(name, "works; it may read")
    return note(
        name,
        "works, and may read every item; whether it may also post, only an item would show",
        f"{_hint(name)} - a service needs no more than that",
    )


def _scopes(document: object) -> list[str]:
    """Take the scopes out of Rollbar's words. Nothing else of them is shown: they may quote the token."""
    words = document.get("message") if isinstance(document, dict) else None
    found = _HAS.search(words) if isinstance(words, str) else None
    return list(dict.fromkeys(_WORD.findall(found[1]))) if found else []


def _hint(name: str) -> str:
    return (
        f"Make a token with the scope {_SCOPES[name]} (Project > Settings > Project Access Tokens), then: "
        f"bootstrap secrets set {name}"
    )
