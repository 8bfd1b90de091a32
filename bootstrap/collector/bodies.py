"""Request bodies: bounded in size and time, and unpacked without trusting what they claim to be."""

import asyncio
import contextlib
import zlib
from collections.abc import Callable, Iterator

from starlette.requests import ClientDisconnect, Request

MAX_BODY = 8 * 1024 * 1024
"""Bytes, packed and unpacked; a batch of the SDKs' usual 512 spans takes about one."""

HELD_BYTES = 8 * MAX_BODY
"""Bytes of all the bodies that are here at one time."""

_MAX_DISCARDED = 20 * MAX_BODY
_MAX_SECONDS = 30


class BodyError(Exception):
    """A body that cannot be taken: the HTTP status that says so, and one sentence."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Room:
    """Counts the bytes of the bodies that are held at one time."""

    def __init__(self, size: int = HELD_BYTES) -> None:
        self._left = size

    @contextlib.contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Lend a function that takes bytes, or raises BodyError 503; they are given back at the end."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self._left:
                raise BodyError(503, "Too many requests are on their way; try again.")
            self._left -= size
            taken += size

        try:
            yield take
        finally:
            self._left += taken


async def read_body(request: Request, take: Callable[[int], None]) -> bytes:
    """The body as sent; BodyError 413 if it is too large, 408 if it takes too long, 400 if it is cut off.

    `take` is told of the bytes before they are kept.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > _MAX_DISCARDED:
        raise _too_large()
    try:
        async with asyncio.timeout(_MAX_SECONDS):
            return await _read(request, take)
    except TimeoutError:
        raise BodyError(408, f"The body took longer than {_MAX_SECONDS} seconds.") from None
    except ClientDisconnect:
        raise BodyError(400, "The connection closed before the body was complete.") from None


async def _read(request: Request, take: Callable[[int], None]) -> bytes:
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
            take(len(part))
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
    """Unpack all members of a gzip stream, stopping at the limit."""
    parts: list[bytes] = []
    room = MAX_BODY
    while body:
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
