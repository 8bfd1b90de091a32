"""A board as Honeycomb has it: its panels, where they stand and what they show, and its tags."""

from collections.abc import Iterator, Sequence

from bootstrap.provisioning.honeycomb.provider import Document

#: rows of a panel that is put below others
_HEIGHT = 5


def given(panel: Document) -> Document:
    """A panel as Honeycomb takes it: without what only it may write."""
    query = {name: part for name, part in table(panel, "query_panel").items() if name != "dataset"}
    return {**panel, "query_panel": query} if query else panel


def below(panels: Sequence[Document], missing: list[Document]) -> list[Document]:
    """Put new panels under those that have a place."""
    ends = [_bottom(table(panel, "position")) for panel in panels]
    if not panels or not all(panel.get("position") for panel in panels):
        return missing
    for panel in missing:
        panel["position"] = {"x_coordinate": 0, "y_coordinate": max(ends), "height": _HEIGHT, "width": 12}
        ends.append(max(ends) + _HEIGHT)
    return missing


def _bottom(position: Document) -> int:
    return int(position.get("y_coordinate") or 0) + int(position.get("height") or _HEIGHT)


def shown_on(board: Document) -> Iterator[tuple[str, str]]:
    """Dataset and annotation of each panel that shows a query."""
    for panel in board.get("panels") or ():
        query = table(panel, "query_panel")
        if "query_annotation_id" in query:
            yield str(query.get("dataset") or ""), str(query["query_annotation_id"])


def tags_on(board: Document) -> dict[str, str]:
    """Its tags, key by key."""
    return {str(one.get("key")): str(one.get("value")) for one in board.get("tags") or ()}


def table(document: Document, key: str) -> Document:
    """Take one object out of another, whatever is there."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}
