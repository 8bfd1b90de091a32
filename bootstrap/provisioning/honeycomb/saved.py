"""A saved query and its annotation, which carries its name, its text and our mark.

Honeycomb lets nobody change or delete a query, nor lead an annotation to another one. What has changed is
made anew beside it: query and annotation; the board's panel follows, and then the old annotation goes.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from bootstrap.provisioning.honeycomb.marks import Mark, join, split
from bootstrap.provisioning.honeycomb.provider import Document, Honeycomb
from bootstrap.provisioning.honeycomb.queries import SavedQuery, fingerprint, normal
from bootstrap.provisioning.interface import Fields, Found, Owner, Resource

#: characters of an annotation's description at most
_DESCRIPTION = 1023
#: a query's own place in Fields, beside the parts of its specification
_TEXT = "description"


class Saved(Resource):
    """One query about one dataset."""

    provider = "honeycomb"
    vendors = frozenset({"honeycomb"})
    kind = "Honeycomb query"
    #: somebody else's that asks the same is as good: a board only shows it
    shared = True
    remains = "its name and text go; the query itself stays, for Honeycomb lets nobody delete one"

    def __init__(self, honeycomb: Honeycomb, dataset: str, query: SavedQuery, after: Iterable[str]) -> None:
        self._honeycomb = honeycomb
        self.dataset = dataset
        self.query = query
        self.name = f"{dataset}: {query.title}"
        self.after = tuple(after)

    def wanted(self) -> Fields:
        """What it asks, part by part, and its text."""
        return {**self.query.specification, _TEXT: self.query.text}

    def find(self) -> Found | None:
        """Look at its annotation; at the query itself only where no mark of ours says which it is."""
        there = self.current()
        if there is None:
            return None
        text, mark = self.read(there)
        return found_as(self._honeycomb.owner, there, {**self._asked(there, mark), _TEXT: text})

    def _asked(self, there: Document, mark: Mark | None) -> Fields:
        wanted = self.query.specification
        if mark is not None and mark.query == self.query.fingerprint:
            return wanted
        return normal(self._honeycomb.query(self.dataset, str(there.get("query_id"))), wanted)

    def asks(self, there: Document) -> str:
        """The fingerprint of what an annotation's query asks."""
        _, mark = self.read(there)
        return fingerprint(self._asked(there, mark))

    def current(self) -> Document | None:
        """The annotation that counts: one of ours before others', of this specification before older ones."""

        def rank(there: Document) -> tuple[bool, bool]:
            _, mark = self.read(there)
            if mark is None or not self.is_ours(mark):
                return (True, True)
            return (False, mark.query != self.query.fingerprint)

        return min(self.same_name(), key=rank, default=None)  # the oldest of those that are alike

    def superseded(self) -> list[Document]:
        """What this repository has made under the same name, and what does not count any more.

        A copy of a board has copies of its annotations, mark and all: those of boards are not ours to remove.
        """
        current = self.current()
        return [
            there
            for there in self.same_name()
            if there is not current
            and there.get("source") != "board"
            and (mark := self.read(there)[1]) is not None
            and not mark.adopted
            and self.is_ours(mark)
        ]

    def same_name(self) -> list[Document]:
        """Every annotation of this name, whoever made it; the oldest first."""
        every = self._honeycomb.annotations(self.dataset)
        return [there for there in every if there.get("name") == self.name]

    def read(self, there: Document) -> tuple[str, Mark | None]:
        """An annotation's text, and its mark."""
        return split(str(there.get("description") or ""), self._honeycomb.owner)

    def is_ours(self, mark: Mark | None) -> bool:
        """Whether a mark says that this repository has made or adopted what bears it."""
        return mark is not None and mark.belongs_to(self._honeycomb.owner.repository)

    def create(self, owner: Owner) -> None:
        """Make the query, then its annotation."""
        self._make(Mark(owner, query=self.query.fingerprint))

    def _make(self, mark: Mark) -> None:
        path = f"/1/queries/{quote(self._honeycomb.slug(self.dataset))}"
        made = self._honeycomb.client.call("POST", path, dict(self.query.specification))
        self._honeycomb.make_annotation(self.dataset, self._document(str(made["id"]), self.query.text, mark))

    def _document(self, query: str, text: str, mark: Mark) -> Document:
        return {"name": self.name, "query_id": query, "description": join(text, mark, _DESCRIPTION)}

    def explained(self, names: frozenset[str]) -> str:
        """A query cannot be changed."""
        if names <= {_TEXT}:
            return ""
        return "made anew and shown in the old one's place, for no query can be changed"

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Change the text; what asks something else is made anew, for whoever had it made."""
        mark = Mark(
            found.owner or self._honeycomb.owner, adopted=found.owner is None, query=self.query.fingerprint
        )
        if names - {_TEXT}:
            self._make(mark)
        else:
            self._put(found.handle, self._document(str(found.handle["query_id"]), self.query.text, mark))

    def adopt(self, found: Found, owner: Owner) -> None:
        """Put the mark behind the annotation's text."""
        text, _ = self.read(found.handle)
        asked = fingerprint({name: found.fields[name] for name in self.query.specification})
        mark = Mark(owner, adopted=True, query=asked)
        self._put(found.handle, self._document(str(found.handle["query_id"]), text, mark))

    def _put(self, there: Document, document: Document) -> None:
        slug, identifier = self._honeycomb.slug(self.dataset), str(there["id"])
        path = f"/1/query_annotations/{quote(slug)}/{quote(identifier)}"
        self._honeycomb.client.call("PUT", path, document)

    def delete(self, found: Found) -> None:
        """Remove the annotation, and older ones of the same owner; the query stays without a name."""
        every = [found.handle, *self.superseded()]
        for there in every:
            _, mark = self.read(there)
            if mark is not None and mark.owner == found.owner:
                self.remove(there)

    def remove(self, there: Document) -> None:
        """Take one annotation away."""
        self._honeycomb.remove_annotation(self.dataset, str(there["id"]))

    def lists(self, identifier: Any) -> Document | None:
        """The annotation of this id, if it has this query's name."""
        return next((one for one in self.same_name() if one["id"] == identifier), None)


def found_as(own: Owner, there: Document, fields: Fields) -> Found:
    """An annotation with `fields`, and what our mark on it says."""
    _, mark = split(str(there.get("description") or ""), own)
    if mark is None:
        return Found(fields, handle=there)
    adopted = mark.adopted and mark.belongs_to(own.repository)
    return Found(fields, None if mark.adopted else mark.owner, adopted, there)
