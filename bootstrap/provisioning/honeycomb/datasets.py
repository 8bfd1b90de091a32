"""A service's dataset and the columns that queries need: others' events live in them, so that they stay."""

from urllib.parse import quote

from bootstrap.model.errors import NotConfiguredError
from bootstrap.provisioning.honeycomb.client import KEYS, ConflictError
from bootstrap.provisioning.honeycomb.marks import Mark, join, split
from bootstrap.provisioning.honeycomb.provider import Document, Honeycomb, usual_slug
from bootstrap.provisioning.honeycomb.queries import COLUMNS
from bootstrap.provisioning.interface import Fields, Found, Hold, Owner, Resource

#: characters of a description at most
_DATASET, _COLUMN = 1024, 255


class Dataset(Resource):
    """The dataset of one service: Honeycomb makes it of the first trace, too, and everybody's are alike."""

    provider = "honeycomb"
    vendors = frozenset({"honeycomb"})
    kind = "Honeycomb dataset"
    shared = True

    def __init__(self, honeycomb: Honeycomb, dataset: str) -> None:
        self._honeycomb = honeycomb
        self._dataset = dataset
        self.name = usual_slug(dataset)

    def wanted(self) -> Fields:
        """It only has to be there."""
        return {}

    def find(self) -> Found | None:
        """Its columns can be read where there is one, and even a key that may list no datasets reads them."""
        return None if self._honeycomb.columns(self._dataset) is None else Found({})

    def holds(self, found: Found) -> Hold:
        """It holds everybody's traces."""
        del found
        return Hold("its traces would be lost with it", "Delete it in Honeycomb, if you want to.")

    def create(self, owner: Owner) -> None:
        """Make it, if this key may."""
        if not self._honeycomb.access.may_make_datasets:
            raise NotConfiguredError(
                f"there is no dataset {self.name!r}, and this key may not make one",
                f"Allow Create Datasets at {KEYS}, or send a trace: bootstrap up, then bootstrap verify",
            )
        text = "Traces of one service."
        description = join(text, Mark(owner), _DATASET)
        self._honeycomb.make_dataset({"name": self._dataset, "description": description})

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Do nothing: there is nothing that could differ."""

    def adopt(self, found: Found, owner: Owner) -> None:
        """Do nothing: it is everybody's already."""

    def delete(self, found: Found) -> None:
        """Do nothing: see `holds`."""


class Column(Resource):
    """One column, of the type that the queries calculate with."""

    provider = "honeycomb"
    vendors = frozenset({"honeycomb"})
    kind = "Honeycomb column"
    shared = True

    def __init__(self, honeycomb: Honeycomb, dataset: Dataset, name: str, column: str) -> None:
        self._honeycomb = honeycomb
        self._dataset = name
        self._column = column
        self._type, self._text = COLUMNS[column]
        self.name = f"{dataset.name}/{column}"
        self.after = (dataset.key,)

    def wanted(self) -> Fields:
        """The type alone: who made the column may describe and hide it as they like."""
        return {"type": self._type}

    def find(self) -> Found | None:
        """Look for it among the dataset's columns."""
        every = self._honeycomb.columns(self._dataset) or ()
        there = next((one for one in every if one.get("key_name") == self._column), None)
        if there is None:
            return None
        _, mark = split(str(there.get("description") or ""), self._honeycomb.owner)
        owner = mark.owner if mark is not None and not mark.adopted else None
        adopted = mark is not None and mark.adopted and mark.belongs_to(self._honeycomb.owner.repository)
        return Found({"type": there.get("type")}, owner, adopted, there)

    def holds(self, found: Found) -> Hold:
        """It holds a part of everybody's traces."""
        del found
        return Hold("what traces say in it would be lost", "Delete it in Honeycomb, if you want to.")

    def create(self, owner: Owner) -> None:
        """Make it; a trace that came in meanwhile has made it, too."""
        document = {
            "key_name": self._column,
            "type": self._type,
            "description": join(self._text, Mark(owner), _COLUMN),
        }
        try:
            self._honeycomb.client.call("POST", self._path(), document)
        except ConflictError:
            self._honeycomb.forget()
            found = self.find()
            if found is None or found.fields != self.wanted():
                raise

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Change its type."""
        del names
        mark = Mark(found.owner or self._honeycomb.owner, adopted=found.owner is None)
        self._put(found.handle, type=self._type, description=self._described(found.handle, mark))

    def adopt(self, found: Found, owner: Owner) -> None:
        """Put the mark behind its description."""
        self._put(found.handle, description=self._described(found.handle, Mark(owner, adopted=True)))

    def _described(self, there: Document, mark: Mark) -> str:
        text, _ = split(str(there.get("description") or ""), self._honeycomb.owner)
        return join(text, mark, _COLUMN)

    def _put(self, there: Document, **changed: object) -> None:
        kept = {name: there[name] for name in ("key_name", "type", "description", "hidden") if name in there}
        path = f"{self._path()}/{quote(str(there['id']))}"
        self._honeycomb.client.call("PUT", path, {**kept, **changed})

    def _path(self) -> str:
        return f"/1/columns/{quote(self._honeycomb.slug(self._dataset))}"

    def delete(self, found: Found) -> None:
        """Do nothing: see `holds`."""
