"""How a receiver takes a request: a bounded body, worked on by few threads at once."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bootstrap.collector.receiving.bodies import HELD_BYTES, Room, read_body, unpack

_WORKED_ON_AT_ONCE = 2

_Result = TypeVar("_Result")


class Intake:
    """Reads bodies, no more than `held` bytes of them at one time, and has them worked on."""

    def __init__(self, held: int = HELD_BYTES) -> None:
        self._room = Room(held)
        # More at once would only divide the same processor, and multiply the memory.
        self._working = asyncio.Semaphore(_WORKED_ON_AT_ONCE)

    async def take(self, request: Request, work: Callable[[bytes], _Result]) -> _Result:
        """Call `work` with the unpacked body, on a worker thread; BodyError, and whatever `work` raises."""
        encoding = request.headers.get("content-encoding", "")
        with self._room.share() as share:
            body = await read_body(request, share)
            async with self._working:
                return await run_in_threadpool(lambda: work(unpack(body, encoding)))
