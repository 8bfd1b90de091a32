"""Request bodies: bounded in size and time, and unpacked without trusting what they claim to be."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Iterator

from starlette.requests import ClientDisconnect, Request

MAX_BODY = 8 * 1024 * 1024
"""Bytes, packed and unpacked; a batch of the SDKs' usual 512 spans takes about one."""

HELD_BYTES = 8 * MAX_BODY
"""Bytes of all the bodies that are here at one time."""

_MAX_DISCARDED = 20 * MAX_BODY
_MAX_SECONDS = 30
_HURRY_SECONDS = 1
# Senders write one; each further one costs a copy of what is behind it, and may be of 20 bytes.
_MAX_MEMBERS = 100


class BodyError(Exception):
    """A body that cannot be taken: the HTTP status that says so, and one sentence."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Room:
    """Counts the bytes of the bodies that are held at one time.

    Where there is none left, the body that has been arriving for longest gives its place up, if that is
    longer than a moment: whoever sends slowly does not keep the others out.
    """

    def __init__(self, size: int = HELD_BYTES) -> None:
        self.left = size
        #: of bodies that are not whole yet, the oldest first
        self.arriving: list[Share] = []

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """Lend room to one body; it is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            share.give_back()

    def make(self, size: int, now: float) -> None:
        """Take room from those that have been arriving for long, the longest first, as far as needed."""
        for share in [share for share in self.arriving if share.since + _HURRY_SECONDS < now]:
            if size <= self.left:
                return
            share.give_up()


class Share:
    """The room of one body."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0
        self._loop = asyncio.get_running_loop()
        self._deadline = asyncio.timeout(_MAX_SECONDS)
        self._given_up = False
        self.since = self._loop.time()

    @contextlib.asynccontextmanager
    async def arrival(self) -> AsyncIterator[None]:
        """While the body arrives; BodyError 408 if that takes too long, or longer than there is room for."""
        self._room.arriving.append(self)
        try:
            async with self._deadline:
                yield
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            self._room.arriving.remove(self)

    def take(self, size: int) -> None:
        """Take bytes; BodyError 503 where there is no room."""
        if self._given_up:
            raise self._too_slow()
        if size > self._room.left:
            self._room.make(size, self._loop.time())
        if size > self._room.left:
            raise BodyError(503, "Too many requests are on their way; try again.")
        self._room.left -= size
        self._taken += size

    def give_up(self) -> None:
        """Give the room back before the body is here."""
        self._given_up = True
        self.give_back()
        self._deadline.reschedule(self._loop.time())

    def give_back(self) -> None:
        """Let others have it."""
        self._room.left += self._taken
        self._taken = 0

    def _too_slow(self) -> BodyError:
        if self._given_up:
            return BodyError(408, "The body came so slowly that there was no room for it any more.")
        return BodyError(408, f"The body took longer than {_MAX_SECONDS} seconds.")


async def read_body(request: Request, share: Share) -> bytes:
    """The body as sent; BodyError 413 if it is too large, 408 if it takes too long, 400 if it is cut off.

    `share` is told of the bytes before they are kept.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > _MAX_DISCARDED:
        raise _too_large()
    try:
        async with share.arrival():
            return await _read(request, share)
    except ClientDisconnect:
        raise BodyError(400, "The connection closed before the body was complete.") from None


async def _read(request: Request, share: Share) -> bytes:
    """Collect the body; too much of it is read and dropped: who still sends hears no answer."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _MAX_DISCARDED:
            break
        if size > MAX_BODY:
            parts.clear()
        else:
            share.take(len(part))
            parts.append(part)
    if size > MAX_BODY:
        raise _too_large()
    return b"".join(parts)


def _too_large() -> BodyError:
    return BodyError(413, f"The body is larger than {MAX_BODY} bytes.")


def unpack(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Encoding (empty, identity or gzip); BodyError 415, 413 or 400."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            return _gunzip(body)
        case _:
            raise BodyError(415, "The only Content-Encoding taken is gzip.")


def _gunzip(body: bytes) -> bytes:
    """Unpack all members of a gzip stream, stopping at the limits."""
    parts: list[bytes] = []
    room = MAX_BODY
    while body:
        if len(parts) == _MAX_MEMBERS:
            raise BodyError(413, f"The gzip stream has more than {_MAX_MEMBERS} members.")
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            # One byte more than there is room for tells "full" from "too much"; zero would mean "no limit".
            part = member.decompress(body, room + 1)
        except zlib.error:
            raise BodyError(400, "The body is not valid gzip.") from None
        if len(part) > room:
            raise BodyError(413, f"The unpacked body is larger than {MAX_BODY} bytes.")
        if not member.eof:
            raise BodyError(400, "The gzip stream is cut off.")
        parts.append(part)
        room -= len(part)
        body = member.unused_data
    return b"".join(parts)
