"""What the WSGI middlewares here have in common."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    Middleware = Callable[[WSGIApplication], WSGIApplication]

Headers = list[tuple[str, str]]


def wrap(app: Flask, middleware: "Middleware") -> None:
    """Put `middleware` around everything that serves `app` so far; the last one is the outermost."""
    app.wsgi_app = middleware(app.wsgi_app)  # type: ignore[method-assign,assignment] # as Flask says


def watching(start_response: "StartResponse", seen: Callable[[int, Headers], None]) -> "StartResponse":
    """Tell `seen` the status and the headers of the answer, to which it may add, then pass them on."""

    def respond(status: str, headers: Headers, exc_info: Any = None, /) -> Any:
        seen(int(status[:3]), headers)
        return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

    return respond


# Of what a client sent and telemetry keeps: while a vendor is away thousands of them wait.
MOST_CHARACTERS = 1_000


def path_of(environ: "WSGIEnvironment") -> str:
    """The path as text, cut if it is long: WSGI hands over its bytes as if they were latin-1."""
    path = str(environ["PATH_INFO"]).encode("latin-1").decode(errors="replace")
    return path if len(path) <= MOST_CHARACTERS else path[:MOST_CHARACTERS] + " [cut]"
