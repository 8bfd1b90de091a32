"""The project's board: a panel for each query, and whatever somebody has put beside them, which stays."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from bootstrap.model.errors import RemoteRefusedError
from bootstrap.provisioning.honeycomb.marks import Mark, is_of, merged, of_tags, tags_of
from bootstrap.provisioning.honeycomb.panels import below, given, shown_on, table, tags_on
from bootstrap.provisioning.honeycomb.provider import Document, Honeycomb, usual_slug
from bootstrap.provisioning.honeycomb.saved import Saved, found_as
from bootstrap.provisioning.interface import Fields, Found, Hold, Owner, Resource

_TEXT = "What the services of one project report: made by `bootstrap provision apply`."
#: what Honeycomb is given back as it was; it keeps filters that are not named
_KEPT = ("name", "description", "type", "panels", "tags")
_PANELS, _OLD = "panels", "superseded queries"


class _Panel(Struct, frozen=True):
    """One panel as Honeycomb has it, and which of our queries it shows; None for somebody else's."""

    document: Document
    saved: Saved | None


class Board(Resource):
    """The board that has the project's name."""

    provider = "honeycomb"
    vendors = frozenset({"honeycomb"})
    kind = "Honeycomb board"

    def __init__(self, honeycomb: Honeycomb, project: str, queries: Sequence[Saved]) -> None:
        self._honeycomb = honeycomb
        self._queries = queries
        self.name = project
        #: what it showed when it was looked at, and should no longer
        self._gone: list[Document] = []
        self.after = self._after = tuple(query.key for query in queries)

    def wanted(self) -> Fields:
        """Its name and text, our panels, and no older version of any query."""
        return {
            "name": self.name,
            "description": _TEXT,
            _PANELS: [_shown(one, one.query.fingerprint, one.query.style) for one in self._queries],
            _OLD: [],
        }

    def find(self) -> Found | None:
        """Look for the board with our mark, whatever it is called by now; else for one of this name."""
        own = self._honeycomb.owner
        there, mark = self._there()
        if there is None:
            return None
        self._gone = [one for _, one in self.gone()]
        self.after = (*self._after, *(f"{Saved.kind} {one['name']}" for one in self._gone))
        owner = mark.owner if mark is not None and not mark.adopted else None
        adopted = mark is not None and mark.adopted and mark.belongs_to(own.repository)
        return Found(self._fields(there), owner, adopted, there)

    def _there(self) -> tuple[Document | None, Mark | None]:
        own = self._honeycomb.owner
        boards = [(one, of_tags(tags_on(one), own)) for one in self._honeycomb.boards()]
        named = [(one, mark) for one, mark in boards if one.get("name") == self.name]
        ours = [(one, mark) for one, mark in [*named, *boards] if self._is_ours(one, mark)]
        return next(iter(ours or named), (None, None))

    def _is_ours(self, there: Document, mark: Mark | None) -> bool:
        repository = self._honeycomb.owner.repository
        return mark is not None and mark.belongs_to(repository) and is_of(tags_on(there), self.name)

    def gone(self) -> list[tuple[str, Document]]:
        """What our board shows and the manifest has no longer: dataset and annotation."""
        there, mark = self._there()
        if there is None or not self._is_ours(there, mark):
            return []
        others = (one for one in self._honeycomb.boards() if one["id"] != there["id"])
        elsewhere = {identifier for other in others for _, identifier in shown_on(other)}
        wanted = {saved.name for saved in self._queries}
        return [
            (dataset, one)
            for dataset, identifier in dict.fromkeys(shown_on(there))
            if dataset and identifier not in elsewhere
            for one in self._honeycomb.annotations(dataset)
            if one["id"] == identifier and one.get("name") not in wanted and self._made(one)
        ]

    def _made(self, annotation: Document) -> bool:
        """Whether we have made an annotation; a board's own are copies, mark and all."""
        owner = found_as(self._honeycomb.owner, annotation, {}).owner
        ours = owner is not None and owner.repository == self._honeycomb.owner.repository
        return ours and annotation.get("source") != "board"

    def _fields(self, there: Document) -> Fields:
        return {
            "name": there.get("name"),
            "description": there.get("description") or "",
            _PANELS: [
                *(shown for _, shown in sorted(self._our_panels(there), key=lambda pair: pair[0])),
                *({"query": one["name"], "specification": "(no longer)"} for one in self._gone),
            ],
            _OLD: [old["id"] for saved in self._queries for old in saved.superseded()],
        }

    def _our_panels(self, there: Document) -> Iterator[tuple[int, dict[str, Any]]]:
        """The first panel of each query, in the order in which they are wanted, wherever they stand."""
        seen: set[str] = set()
        for panel in self._panels(there):
            saved = panel.saved
            if saved is not None and saved.name not in seen:
                seen.add(saved.name)
                query = table(panel.document, "query_panel")
                specification = _specification(saved, query.get("query_annotation_id"))
                style = query.get("query_style", "graph")
                yield self._queries.index(saved), _shown(saved, specification, style)

    def _panels(self, there: Document) -> Iterator[_Panel]:
        """Every panel but those that have lost their query: its annotation is gone, or to go."""
        datasets = {name for saved in self._queries for name in (saved.dataset, usual_slug(saved.dataset))}
        listed = {
            one["id"]
            for dataset in {saved.dataset for saved in self._queries}
            for one in self._honeycomb.annotations(dataset)
        }
        gone = {one["id"] for one in self._gone}
        for document in there.get("panels") or ():
            query = table(document, "query_panel")
            identifier = query.get("query_annotation_id")
            if identifier in gone or (query.get("dataset") in datasets and identifier not in listed):
                continue
            shown = (saved for saved in self._queries if saved.lists(identifier) is not None)
            yield _Panel(document, next(shown, None))

    def holds(self, found: Found) -> Hold | None:
        """Others' panels."""
        others = sum(panel.saved is None for panel in self._panels(found.handle))
        if not others:
            return None
        words = "a panel that is" if others == 1 else f"{others} panels that are"
        return Hold(f"it has {words} not ours", "Move them to another board, then type the same again.")

    def create(self, owner: Owner) -> None:
        """Make it; Honeycomb lays it out."""
        document = {
            "type": "flexible",
            "name": self.name,
            "description": _TEXT,
            "layout_generation": "auto",
            "panels": [self._panel(saved) for saved in self._queries],
            "tags": merged((), tags_of(Mark(owner), self.name)),
        }
        self._honeycomb.client.call("POST", "/1/boards", document, repeatable=False)

    def _panel(self, saved: Saved, like: Document | None = None) -> Document:
        """A panel with the query as it is now, where and as it was."""
        there = saved.current()
        if there is None:
            raise RemoteRefusedError(f"{saved.key} is not there", "Type the same again.")
        shown = table(like or {}, "query_panel")
        query: Document = {"query_style": saved.query.style}
        query |= {name: shown[name] for name in ("query_style", "visualization_settings") if name in shown}
        query |= {"query_id": there["query_id"], "query_annotation_id": there["id"]}
        place = {"position": like["position"]} if like is not None and like.get("position") else {}
        return {"type": "query", **place, "query_panel": query}

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Lead the panels to the queries as they are now, then remove the annotations of older ones."""
        if names - {_OLD}:
            panels = self._new_panels(found.handle)
            self._put(found.handle, name=self.name, description=_TEXT, panels=panels)
        for saved in self._queries:
            for old in saved.superseded():
                saved.remove(old)

    def _new_panels(self, there: Document) -> list[Document]:
        panels: list[Document] = []
        seen: set[str] = set()
        for one in self._panels(there):
            if one.saved is None:
                panels.append(given(one.document))
                continue
            panel = self._panel(one.saved, one.document)
            if one.saved.name not in seen:
                panel["query_panel"]["query_style"] = one.saved.query.style
            seen.add(one.saved.name)
            panels.append(panel)
        missing = [self._panel(saved) for saved in self._queries if saved.name not in seen]
        return [*panels, *below(panels, missing)]

    def adopt(self, found: Found, owner: Owner) -> None:
        """Add our tags."""
        tags = merged(found.handle.get("tags") or (), tags_of(Mark(owner, adopted=True), self.name))
        self._put(found.handle, tags=tags)
        found.handle["tags"] = tags

    def _put(self, there: Document, **changed: Any) -> None:
        document = {name: there[name] for name in _KEPT if name in there} | changed
        document["tags"] = [{"key": one["key"], "value": one["value"]} for one in document.get("tags") or ()]
        document["panels"] = [given(panel) for panel in document.get("panels") or ()]
        # Somebody may have moved panels: only what has no places yet is laid out.
        placed = bool(document["panels"]) and all(panel.get("position") for panel in document["panels"])
        document["layout_generation"] = "manual" if placed else "auto"
        self._honeycomb.client.call("PUT", f"/1/boards/{quote(str(there['id']))}", document)

    def delete(self, found: Found) -> None:
        """Remove it."""
        self._honeycomb.client.call("DELETE", f"/1/boards/{quote(str(found.handle['id']))}")


def _shown(saved: Saved, specification: str, style: Any) -> dict[str, Any]:
    return {"query": saved.name, "specification": specification, "style": style}


def _specification(saved: Saved, identifier: Any) -> str:
    """What a panel asks: its query's fingerprint, and whether there is a newer one."""
    current, shown = saved.current(), saved.lists(identifier)
    if shown is None or current is None:
        return ""
    return saved.asks(shown) + ("" if shown["id"] == current["id"] else " (superseded)")
