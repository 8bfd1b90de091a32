"""Does what wrk does with mix.lua: python client.py PORT CONNECTIONS SECONDS "METHOD PATH [JSON]" ...

Each connection sends its next request when it has the answer to the last one. Prints one line of JSON.
"""

import asyncio
import itertools
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """What all connections share: whose turn it is, and what they have seen."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.requests = [_on_the_wire(line) for line in lines]
        self.sent = [0] * len(lines)
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self._turns = itertools.cycle(range(len(lines)))

    async def connect(self, port: int, end: float) -> None:
        """Keep one connection busy until `end`, in seconds of time.perf_counter."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (start := time.perf_counter()) < end:
            index = next(self._turns)
            self.sent[index] += 1
            writer.write(self.requests[index])
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            self.latencies.append(time.perf_counter() - start)
            self.statuses[head[9:12].decode()] += 1
        writer.close()
        await writer.wait_closed()


def _on_the_wire(line: str) -> bytes:
    method, path, *rest = line.split(" ", 2)
    body = "".join(rest)
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n{body}".encode()


async def _run(port: int, connections: int, seconds: float, lines: Sequence[str]) -> None:
    client = Client(lines)
    start = time.perf_counter()
    await asyncio.gather(*(client.connect(port, start + seconds) for _ in range(connections)))
    percentiles = statistics.quantiles(client.latencies, n=100)
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - start,
                "sent": client.sent,
                "failed": 0,
                "p50": percentiles[49],
                "p99": percentiles[98],
                "statuses": client.statuses,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
