"""One environment at Honeycomb, opened with the configuration key: whose it is, and what is there.

What several resources look at is read once: the boards, and for each dataset its columns and annotations.
"""

import contextlib
import threading
from concurrent.futures import Future
from functools import cached_property
from typing import Any
from urllib.parse import quote

from bootstrap.provisioning.honeycomb.access import Access, Door, Entrance
from bootstrap.provisioning.honeycomb.client import Client, NotFoundError
from bootstrap.provisioning.interface import Account, Opening, Owner, Provider

Document = dict[str, Any]


class Honeycomb(Provider):
    """Reads and changes one environment. Safe for threads."""

    name = "honeycomb"

    def __init__(self, opening: Opening, entrance: Entrance) -> None:
        opening.repository.check_remote("what is made carries the name of")
        self._door = Door(opening, entrance)
        self._repository = opening.repository.identity
        self._lock = threading.Lock()
        self._read: dict[str, Future[Any]] = {}
        #: dataset -> its slug, once it is known: no slug ever changes
        self._slugs: dict[str, str] = {}
        #: slug -> annotations that were made meanwhile: a list may not have them yet
        self._made: dict[str, list[Document]] = {}

    @property
    def client(self) -> Client:
        """The API."""
        return self._door.client

    @property
    def access(self) -> Access:
        """Who we are."""
        return self._door.access

    @cached_property
    def owner(self) -> Owner:
        """Our mark."""
        return Owner(self._repository, self.access.key)

    def account(self) -> Account:
        """Say which team and environment it is, and as which key."""
        access = self.access
        remarks = () if access.may_make_datasets else (_NO_DATASETS,)
        facts = {
            "team": access.team,
            "environment": access.environment,
            "identity": f"key {access.key}",
            "region": self._door.region,
        }
        return Account(self.name, "Honeycomb", facts, self.owner, remarks)

    def forget(self) -> None:
        """Read everything anew from now on."""
        with self._lock:
            self._read.clear()

    def _once(self, path: str) -> Any:
        """GET a path, once for everybody who asks meanwhile; None where there is nothing."""
        with self._lock:
            future = self._read.get(path)
            mine = future is None
            if future is None:
                future = self._read[path] = Future()
        if mine:
            try:
                future.set_result(self.client.read(path))
            except NotFoundError:
                future.set_result(None)
            except BaseException as error:  # noqa: BLE001 - everybody who waits is told
                future.set_exception(error)
        return future.result()

    def slug(self, dataset: str) -> str:
        """What a dataset is called in paths: as Honeycomb makes it of most names, or as its list says."""
        if dataset not in self._slugs:
            usual = usual_slug(dataset)
            if self._once(_columns_path(usual)) is not None:
                self._slugs[dataset] = usual
            elif self.access.may_make_datasets:
                every = _documents(self._once("/1/datasets"))
                return next((str(one["slug"]) for one in every if one.get("name") == dataset), usual)
        return self._known(dataset)

    def _known(self, dataset: str) -> str:
        return self._slugs.get(dataset, usual_slug(dataset))

    def columns(self, dataset: str) -> list[Document] | None:
        """Every column of a dataset; None where there is no such dataset."""
        found = self._once(_columns_path(self.slug(dataset)))
        return None if found is None else _documents(found)

    def make_dataset(self, document: Document) -> None:
        """Make a dataset; one of that name, or slug, is as good."""
        made = self.client.call("POST", "/1/datasets", document)
        self._slugs[str(document["name"])] = str(made["slug"])

    def annotations(self, dataset: str) -> list[Document]:
        """Every annotation of a dataset's queries: the oldest first, and those of boards, too."""
        slug = self._known(dataset)  # without waiting for the columns
        found = self._once(_annotations_path(slug))
        if found is None and (other := self.slug(dataset)) != slug:
            slug, found = other, self._once(_annotations_path(other))
        found = _documents(found)
        known = {one["id"] for one in found}
        with self._lock:
            found += (one for one in self._made.get(slug, ()) if one["id"] not in known)
        return sorted(found, key=lambda one: (str(one.get("created_at", "")), one["id"]))

    def query(self, dataset: str, identifier: str) -> Document:
        """The specification of a query; an empty one where there is none."""
        found = self._once(f"/1/queries/{quote(self.slug(dataset))}/{quote(identifier)}")
        return found if isinstance(found, dict) else {}

    def boards(self) -> list[Document]:
        """Every board of the environment."""
        return _documents(self._once("/1/boards"))

    def make_annotation(self, dataset: str, document: Document) -> None:
        """Name a query."""
        slug = self.slug(dataset)
        made = self.client.call("POST", f"/1/query_annotations/{quote(slug)}", document, repeatable=False)
        with self._lock:
            self._made.setdefault(slug, []).append(made)

    def remove_annotation(self, dataset: str, identifier: str) -> None:
        """Take a query's name away; the query itself stays, and Honeycomb lets nobody delete it."""
        slug = self.slug(dataset)
        with contextlib.suppress(NotFoundError):  # somebody was faster
            self.client.call("DELETE", f"/1/query_annotations/{quote(slug)}/{quote(identifier)}")
        with self._lock:
            self._made[slug] = [one for one in self._made.get(slug, ()) if one["id"] != identifier]


_NO_DATASETS = (
    "this key lacks Create Datasets: a dataset that is missing is made by its service's first trace"
)


def usual_slug(name: str) -> str:
    """What Honeycomb makes of a dataset's name."""
    return "".join(letter if letter.isalnum() or letter in "_.~-" else "-" for letter in name.lower())


def _columns_path(slug: str) -> str:
    return f"/1/columns/{quote(slug)}"


def _annotations_path(slug: str) -> str:
    return f"/1/query_annotations/{quote(slug)}?include_board_annotations=true"


def _documents(value: Any) -> list[Document]:
    """The objects of a list, whatever the answer really is."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
