"""Who may ask: this workspace's own names and pages only, and for everything that reads, the run's token."""

import hmac
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSAL = "The token is missing or wrong: use the address that was printed at the start."

Refused = Callable[[HTTPConnection], Response]
"""Makes the answer, of status 401, for whoever comes without the token."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

_COOKIE = "bootstrap-collector-"
_MOST_COOKIES = 8

# What an answer says for itself, as pages do of their own scripts, goes before these.
_HEADERS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class HostGuard:
    """Refuses names and pages that are not ours.

    A foreign Host is a name that was pointed at this machine to get past the browser (DNS rebinding). A
    foreign Origin is another page, which has no business here even where it could not read the answer. Nor
    has a page that the browser calls foreign in Sec-Fetch-Site, which also comes where no Origin does
    (https://www.w3.org/TR/fetch-metadata/); only a link may lead here, and with an `ingest` request
    (its method and path) a page of the same site, whose Origin decides.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        port: int,
        ingest: Iterable[tuple[str, str]],
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._ingest = frozenset(ingest)
        hosts = {f"{name}:{port}" for name in _LOOPBACK} | {host.lower() for host in allowed_hosts}
        self._hosts = hosts
        self._origins = {f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        headers = HTTPConnection(scope).headers
        origins = headers.getlist("origin")
        if headers.get("host", "").lower() not in self._hosts:
            refusal = "This is not a name of the collector."
        elif self._is_foreign(scope, headers) or not self._origins.issuperset(map(str.lower, origins)):
            refusal = "Other pages may not talk to the collector."
        else:
            await self._app(scope, receive, _with_headers(send))
            return
        await JSONResponse({"error": refusal}, 403)(scope, receive, _with_headers(send))

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        """Whether a browser says that another page asks, and not a person who followed a link."""
        fetch = {name: headers.get(f"sec-fetch-{name}", "") for name in ("site", "mode", "dest")}
        match fetch["site"]:
            case "same-site" if (scope["method"], scope["path"]) in self._ingest:
                return False
            case "same-site" | "cross-site":
                followed = (fetch["mode"], fetch["dest"]) == ("navigate", "document")
                return not followed or scope["method"] not in {"GET", "HEAD"}
            case _:
                return False


class TokenGuard:
    """Refuses whoever does not know the token, except on the open paths and with `ingest` requests.

    The token comes as `Authorization: Bearer`, as a cookie, or as `?token=`, which sets the cookie; a browser
    is then sent on to the same address without it, so that it stays out of the history. The cookie comes with
    links from other sites, too (SameSite=Lax): the terminal of a workspace in a browser is one.

    Browsers send a cookie to every port of the name that set it: on a machine that several people use, a
    server of somebody else on another port of localhost is sent this one, too. So its value is not the token
    but derived from it, good for reading here while this collector runs and for nothing else. So is its name,
    as cookies do not know ports, and a collector in a container does not know its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        open_paths: Iterable[str],
        ingest: Iterable[tuple[str, str]],
        refused: Refused | None = None,
    ) -> None:
        self._app = app
        self._refused = refused or _refused
        self._token = token
        self._session = session_value(token)
        self._open_paths = frozenset(open_paths)
        # One path may be read with one method, and sent to with another.
        self._ingest = frozenset(ingest)
        self._cookie = cookie_name(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 or the redirect."""
        request = HTTPConnection(scope)
        in_query = any(self._matches(value) for value in request.query_params.getlist("token"))
        if in_query and scope["method"] == "GET" and is_browser(request):
            response: Response = RedirectResponse(_without_token(request), 303)
            self._set_cookie(request, response)
            await response(scope, receive, send)
        elif in_query:
            await self._app(scope, receive, self._with_cookie(request, send))
        elif self._is_open(scope) or self._knows(request):
            await self._app(scope, receive, send)
        else:
            response = self._refused(request)
            response.headers["WWW-Authenticate"] = "Bearer"
            await response(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return path in self._open_paths or (scope["method"], path) in self._ingest

    def _knows(self, request: HTTPConnection) -> bool:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        bearer = credentials.strip() if scheme.lower() == "bearer" else ""
        cookie = request.cookies.get(self._cookie, "")
        return self._matches(bearer) or _equal(cookie, self._session)

    def _matches(self, candidate: str) -> bool:
        return _equal(candidate, self._token)

    def _set_cookie(self, request: HTTPConnection, response: Response) -> None:
        others = [name for name in request.cookies if name.startswith(_COOKIE) and name != self._cookie]
        # Every run has its own, and every server on this machine is sent all of them.
        for name in others if len(others) >= _MOST_COOKIES else ():
            response.delete_cookie(name)
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="lax")

    def _with_cookie(self, request: HTTPConnection, send: Send) -> Send:
        carrier = Response()
        self._set_cookie(request, carrier)
        return _adding(send, [(name, value) for name, value in carrier.raw_headers if name == b"set-cookie"])


def cookie_name(token: str) -> str:
    """What the cookie is called, so that two collectors on one machine have one each."""
    return _COOKIE + hmac.digest(token.encode(), b"cookie name", "sha256").hex()[:12]


def _refused(_: HTTPConnection) -> Response:
    return JSONResponse({"error": REFUSAL}, 401)


def is_browser(request: HTTPConnection) -> bool:
    """Whether whoever asks shows pages to people."""
    return "text/html" in request.headers.get("accept", "")


def session_value(token: str) -> str:
    """What the cookie holds instead of the token, which cannot be found from it."""
    return hmac.digest(token.encode(), b"cookie", "sha256").hex()


def _equal(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _without_token(request: HTTPConnection) -> str:
    """The address within this site, without the token."""
    query = [(name, value) for name, value in QueryParams(request.url.query).multi_items() if name != "token"]
    # Two slashes at the start would name another site.
    path = "/" + quote(request.scope["path"].lstrip("/"))
    return path + ("?" + urlencode(query) if query else "")


def _with_headers(send: Send) -> Send:
    return _adding(send, _HEADERS)


def _adding(send: Send, headers: Iterable[tuple[bytes, bytes]]) -> Send:
    """A `send` that adds to the answer those headers that it has not."""

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            message["headers"] = own + [(name, value) for name, value in headers if name not in names]
        await send(message)

    return add
