"""Templates and static files: read once, and addressed by what is in them."""

import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bootstrap.collector.dashboard import wording
from bootstrap.collector.dashboard.facts import Fact

_FOLDER = Path(__file__).parent

#: nothing but what this server has; not even a style within the page
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_COLOURS = 8
"""How many colours of services the style sheet has."""

_SHORT = 200
"""Characters of a value that is linked."""


class Static:
    """The files of `static`, under an address that is another one once one of them has changed."""

    def __init__(self) -> None:
        paths = sorted(path for path in (_FOLDER / "static").iterdir() if path.is_file())
        self._files = {path.name: path.read_bytes() for path in paths}
        digest = hashlib.sha256(b"".join(name.encode() + data for name, data in self._files.items()))
        self.base = f"/static/{digest.hexdigest()[:12]}"

    def paths(self) -> list[str]:
        """The addresses of all files; there is nothing secret in them."""
        return [f"{self.base}/{name}" for name in self._files]

    def routes(self) -> list[Route]:
        """What answers at these addresses."""
        return [Route(path, self.file) for path in self.paths()]

    async def file(self, request: Request) -> Response:
        """One file, to be kept for good."""
        name = request.url.path.rpartition("/")[2]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(
            self._files[name],
            media_type="text/javascript" if name.endswith(".js") else kind,
            headers={"Cache-Control": "max-age=31536000, immutable"},
        )


class Renderer:
    """Makes HTML of the templates; whatever stands in a page is escaped, and nothing in it is invisible."""

    def __init__(self, static: Static) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalize,
            auto_reload=False,
        )
        functions = (wording.iso, wording.full, wording.clock, wording.ago, wording.duration, wording.offset)
        more = (wording.percent, wording.number, wording.counted, wording.plain, colour, listed)
        self._environment.filters.update({each.__name__: each for each in (*functions, *more)})
        self._environment.globals["static"] = static.base

    def html(self, template: str, values: Mapping[str, Any], *, part: str | None = None) -> str:
        """A whole page, or the block `part` of it alone."""
        found = self._environment.get_template(template)
        parts = {name: self._environment.get_template(f"{name}.html") for name in ("macros", "filter")}
        context = {**values, **{name: each.make_module(dict(values)) for name, each in parts.items()}}
        if part is None:
            return found.render(context)
        return "".join(found.blocks[part](found.new_context(context)))


def page(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that a browser shows, and lets do nothing else."""
    return HTMLResponse(
        html.encode(errors="replace"), status, headers={"Content-Security-Policy": POLICY, **(headers or {})}
    )


def _finalize(value: Any) -> Any:
    """What an expression in a template becomes, before it is escaped."""
    return wording.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache(maxsize=1_024)
def colour(service: str) -> str:
    """The class of a service's colour: the same in every list, and in every run."""
    return f"s{hashlib.blake2b(service.encode(errors='replace'), digest_size=2).digest()[0] % _COLOURS}"


def listed(facts: Iterable[Fact], *, links: bool = True) -> Markup:
    """A list of facts, where `links` lead to the traces with a value.

    By hand, because a page has thousands of them, most of them alike.
    """
    rows = [
        _row(fact, links) if len(fact.value) < _SHORT else _row.__wrapped__(fact, links) for fact in facts
    ]
    return Markup('<dl class="facts">\n{}</dl>').format(Markup().join(rows))


@lru_cache(maxsize=2_048)
def _row(fact: Fact, links: bool) -> Markup:  # noqa: FBT001 -- a cache knows places best
    name, value = escape(wording.visible(fact.name)), escape(wording.visible(fact.value))
    if links and fact.searchable and 0 < len(fact.value) < _SHORT:
        link = Markup('<a href="{}" title="Traces with this value">{}</a>')
        value = link.format(wording.visible(fact.address), value)
    return Markup("<div><dt>{}</dt><dd>{}</dd></div>\n").format(name, value)
