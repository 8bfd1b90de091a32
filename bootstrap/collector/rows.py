"""Records as the tables have them: masked, encoded, bounded, and what many have in common only once."""

import hashlib
from typing import NamedTuple

import msgspec

from bootstrap.collector.limits import MAX_PREPARED, TooMuchError
from bootstrap.collector.masking import Masker
from bootstrap.collector.records import NO_SCOPE, Attributes, Record, Scope, Span

#: characters of a name in lists; the record itself has all of it
LISTED_NAME = 200

_ROW_BYTES = 300
"""About what a row takes besides its body."""


class Row(NamedTuple):
    """A record as its table has it; `resource` and `scope` are digests of what another table has."""

    trace_id: str
    kind: str
    id: str
    parent_id: str | None
    service: str | None
    name: str
    start_ns: int
    end_ns: int | None
    error: bool
    body: bytes
    resource: bytes | None = None
    scope: bytes | None = None


class Batch:
    """Rows on their way into the store; nothing gets there past it.

    `shared` is what the rows refer to, by its digest; `size` is about the bytes of all of it.
    """

    def __init__(self, masker: Masker, limit: int = MAX_PREPARED) -> None:
        self.rows: list[Row] = []
        self.shared: dict[bytes, bytes] = {}
        self.size = 0
        self._masker = masker
        self._limit = limit
        # The object stands beside its digest, so that no other one can get its id meanwhile.
        self._digests: dict[int, tuple[object, bytes]] = {}

    def add(self, record: Record) -> None:
        """Mask and encode a record; ValueError if it cannot be written down, TooMuchError if it is too much.

        Spans that have the same resource or scope object cost it once.
        """
        try:
            row = self._row(record)
        except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError) as error:
            raise ValueError(f"not to be written down: {error}") from error
        self._grow(len(row.body) + _ROW_BYTES)
        self.rows.append(row)

    def _row(self, record: Record) -> Row:
        masked = record.masked(self._masker)
        if not isinstance(masked, Span):
            return Row(
                trace_id=masked.trace_id,
                kind="subsegment" if masked.is_subsegment else "segment",
                id=masked.segment_id,
                parent_id=masked.parent_id,
                # X-Ray names a segment after its service, a subsegment after what was called.
                service=None if masked.is_subsegment else masked.name[:LISTED_NAME],
                name=masked.name[:LISTED_NAME],
                start_ns=masked.start_ns,
                end_ns=masked.end_ns,
                error=masked.error,
                body=msgspec.json.encode(masked),
            )
        return Row(
            trace_id=masked.trace_id,
            kind="span",
            id=masked.span_id,
            parent_id=masked.parent_id,
            service=masked.service[:LISTED_NAME],
            name=masked.name[:LISTED_NAME],
            start_ns=masked.start_ns,
            end_ns=masked.end_ns,
            error=masked.status.code == "error",
            body=msgspec.json.encode(msgspec.structs.replace(masked, resource={}, scope=NO_SCOPE)),
            resource=self._share(masked.resource),
            scope=self._share(masked.scope),
        )

    def _share(self, value: Attributes | Scope) -> bytes:
        """Mask and encode what many rows refer to, once."""
        known = self._digests.get(id(value))
        if known:
            return known[1]
        masked = value.masked(self._masker) if isinstance(value, Scope) else self._masker.value(value)
        body = msgspec.json.encode(masked)
        digest = hashlib.blake2b(body, digest_size=16).digest()
        if digest not in self.shared:
            self._grow(len(body))
            self.shared[digest] = body
        self._digests[id(value)] = (value, digest)
        return digest

    def _grow(self, size: int) -> None:
        self.size += size
        if self.size > self._limit:
            raise TooMuchError(f"The request would take more than {self._limit} bytes in the store.")
