"""Resources made of plain values, for what planning and applying do with any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bootstrap.model.errors import BootstrapError, RemoteRefusedError
from bootstrap.provisioning.interface import Account, Found, Hold, Owner, Provider, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = Owner("github.com/acme/shop", "arn:aws:iam::123456789012:user/ann")
COLLEAGUE = Owner("github.com/acme/shop", "arn:aws:iam::123456789012:user/bob")
STRANGER = Owner("github.com/else/where", "arn:aws:iam::123456789012:user/ann")


class World(Provider):
    """What exists, and which calls fail: "create NAME" -> the error, once it was done if `late` has it."""

    name = "world"

    def __init__(self) -> None:
        self.there: dict[str, Found] = {}
        self.errors: dict[str, BootstrapError] = {}
        self.late: set[str] = set()
        self.calls: list[str] = []
        self.forgotten = 0

    def account(self) -> Account:
        return Account(provider=self.name, title="World", facts={}, owner=OURS)

    def forget(self) -> None:
        self.forgotten += 1

    def exists(self, name: str, owner: Owner | None = None, *, adopted: bool = False, **fields: Any) -> None:
        self.there[name] = Found(fields=fields, owner=owner, adopted=adopted)


class Thing(Resource):
    """One of them: its fields are as they were given."""

    provider = "world"
    vendors = frozenset({"world"})
    kind = "thing"

    def __init__(self, world: World, name: str, *after: str, hold: Hold | None = None, **fields: Any) -> None:
        self.world = world
        self.name = name
        self.after = tuple(f"thing {one}" for one in after)
        self.hold = hold
        self.fields = fields

    def wanted(self) -> Mapping[str, Any]:
        return self.fields

    def find(self) -> Found | None:
        self._called("find")
        return self.world.there.get(self.name)

    def holds(self, found: Found) -> Hold | None:
        assert found == self.world.there.get(self.name, found)
        self._called("holds")
        return self.hold

    def create(self, owner: Owner) -> None:
        self._called("create", early=True)
        if self.name in self.world.there:
            raise RemoteRefusedError(f"{self.name} exists already")
        self.world.exists(self.name, owner, **self.fields)
        self._called("create", early=False)

    def update(self, found: Found, names: frozenset[str]) -> None:
        call = f"update {','.join(sorted(names))}"
        self._called(call, early=True)
        fields = {**found.fields, **{name: self.fields[name] for name in names}}
        there = self.world.there[self.name]
        self.world.there[self.name] = Found(fields=fields, owner=there.owner, adopted=there.adopted)
        self._called(call, early=False)

    def adopt(self, found: Found, owner: Owner) -> None:
        assert owner == OURS
        self._called("adopt")
        self.world.there[self.name] = Found(fields=found.fields, owner=found.owner, adopted=True)

    def delete(self, found: Found) -> None:
        del found
        self._called("delete", early=True)
        self.world.there.pop(self.name, None)
        self._called("delete", early=False)

    def _called(self, call: str, *, early: bool | None = None) -> None:
        """`early`: before the deed; None for a call that has no other time."""
        text = f"{call} {self.name}"
        if early is not False:
            self.world.calls.append(text)
        error = self.world.errors.get(text)
        if error is not None and early is not (text in self.world.late):
            raise error
