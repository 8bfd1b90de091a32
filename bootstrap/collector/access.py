"""Who may ask: this workspace's own names and pages only, and for everything that reads, the run's token."""

import secrets
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class HostGuard:
    """Refuses names and pages that are not ours.

    A foreign Host is a name that was pointed at this machine to get past the browser (DNS rebinding). A
    foreign Origin is another page, which has no business here even where it could not read the answer.
    """

    def __init__(self, app: ASGIApp, *, port: int, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        hosts = {f"{name}:{port}" for name in _LOOPBACK} | {host.lower() for host in allowed_hosts}
        self._hosts = hosts
        self._origins = {f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        headers = HTTPConnection(scope).headers
        origins = headers.getlist("origin")
        if headers.get("host", "").lower() not in self._hosts:
            refusal = "This is not a name of the collector."
        elif any(origin.lower() not in self._origins for origin in origins):
            refusal = "Other pages may not talk to the collector."
        else:
            await self._app(scope, receive, _with_headers(send))
            return
        await JSONResponse({"error": refusal}, 403)(scope, receive, _with_headers(send))


class TokenGuard:
    """Refuses whoever does not know the token, except on the open paths.

    The token comes as `Authorization: Bearer`, as a cookie, or as `?token=`, which sets the cookie; a browser
    is then sent on to the same address without it, so that it stays out of the history.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, open_paths: Iterable[str]) -> None:
        self._app = app
        self._token = token
        self._open_paths = frozenset(open_paths)
        # Cookies do not know ports: the name keeps two collectors on one machine apart.
        self._cookie = f"bootstrap-collector-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 or the redirect."""
        request = HTTPConnection(scope)
        in_query = any(self._matches(value) for value in request.query_params.getlist("token"))
        if in_query and scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            response: Response = RedirectResponse(_without_token(request), 303)
            self._set_cookie(response)
            await response(scope, receive, send)
        elif in_query:
            await self._app(scope, receive, self._with_cookie(send))
        elif scope["path"] in self._open_paths or self._knows(request):
            await self._app(scope, receive, send)
        else:
            refusal = {
                "error": "The token is missing or wrong: use the address that was printed at the start."
            }
            response = JSONResponse(refusal, 401, headers={"WWW-Authenticate": "Bearer"})
            await response(scope, receive, send)

    def _knows(self, request: HTTPConnection) -> bool:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        bearer = credentials.strip() if scheme.lower() == "bearer" else ""
        return self._matches(bearer) or self._matches(request.cookies.get(self._cookie, ""))

    def _matches(self, candidate: str) -> bool:
        """Compare in constant time."""
        return secrets.compare_digest(candidate.encode(), self._token.encode())

    def _set_cookie(self, response: Response) -> None:
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")

    def _with_cookie(self, send: Send) -> Send:
        carrier = Response()
        self._set_cookie(carrier)
        return _adding(send, [(name, value) for name, value in carrier.raw_headers if name == b"set-cookie"])


def _without_token(request: HTTPConnection) -> str:
    """The address within this site, without the token."""
    query = [(name, value) for name, value in QueryParams(request.url.query).multi_items() if name != "token"]
    # Two slashes at the start would name another site.
    path = "/" + quote(request.scope["path"].lstrip("/"))
    return path + ("?" + urlencode(query) if query else "")


def _with_headers(send: Send) -> Send:
    return _adding(send, _HEADERS)


def _adding(send: Send, headers: Iterable[tuple[bytes, bytes]]) -> Send:
    """A `send` that adds headers to the answer."""

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return add
