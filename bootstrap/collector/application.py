"""The web application: every receiver's routes and the API behind their guards, on two ports."""

from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bootstrap.collector.access import HostGuard, Refused, TokenGuard, is_browser
from bootstrap.collector.reporting import complain

Unknown = Callable[[Request], Response]


def http_application(
    *,
    reading: Iterable[Route],
    open_paths: Iterable[str],
    ingest: Iterable[Route],
    token: str,
    port: int,
    hosts: Iterable[str],
    refused: Refused | None = None,
    unknown: Unknown | None = None,
) -> ASGIApp:
    """What answers on the HTTP port: whoever sends needs no token, whoever reads does.

    `refused` answers those without the token, `unknown` a browser at an address that is none; both answer
    as the API does where they are not given.
    """
    reading, ingest = list(reading), list(ingest)
    requests = _requests(ingest)
    # Whoever uses a wrong method there hears so.
    only_ingest = {route.path for route in ingest} - {route.path for route in reading}
    guarded = TokenGuard(
        _application([*reading, *ingest], unknown),
        token=token,
        open_paths=[*open_paths, *only_ingest],
        ingest=requests,
        refused=refused,
    )
    return HostGuard(guarded, port=port, ingest=requests, allowed_hosts=hosts)


def daemon_application(*, ingest: Iterable[Route], port: int, hosts: Iterable[str]) -> ASGIApp:
    """What answers on the X-Ray daemon's TCP port: nothing there reads what was stored."""
    ingest = list(ingest)
    return HostGuard(_application(ingest), port=port, ingest=_requests(ingest), allowed_hosts=hosts)


def _requests(routes: Iterable[Route]) -> list[tuple[str, str]]:
    """The methods and paths of routes."""
    return [(method, route.path) for route in routes for method in route.methods or ()]


def by_port(applications: dict[int, ASGIApp]) -> ASGIApp:
    """One application that is another one on every port."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        await applications[scope["server"][1]](scope, receive, send)

    return choose


def _application(routes: Iterable[Route], unknown: Unknown | None = None) -> ASGIApp:
    async def refused(request: Request, error: Exception) -> Response:
        """An unknown path or a wrong method, as JSON like everything else but what people look at."""
        if not isinstance(error, HTTPException):
            raise error
        if unknown and error.status_code == HTTPStatus.NOT_FOUND and is_browser(request):
            return unknown(request)
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)

    handlers = {HTTPException: refused, Exception: _failed}
    application = Starlette(routes=list(routes), exception_handlers=handlers)
    # An address with a slash too many is unknown, rather than a redirect that repeats its query.
    application.router.redirect_slashes = False
    return application


async def _failed(request: Request, error: Exception) -> Response:
    """A mistake of ours: one line for the person at the terminal, none of the details for the sender."""
    complain(f"{request.method} {request.url.path}: {type(error).__name__}: {error}")
    return JSONResponse({"error": "The collector failed; its terminal says more."}, 500)
