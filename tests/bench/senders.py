"""Sends telemetry from a process of its own, and says in JSON how that went: python -m tests.bench.senders.

- export PORT CONNECTIONS REQUESTS: that many export requests over that many connections that stay open.
- pace PORT RATE SECONDS: segments at an even pace, which is kept to a few milliseconds.
- burst PORT COUNT: segments through the X-Ray SDK's own emitter, as fast as it can.
"""

import http.client
import json
import sys
import threading
import time
from queue import Empty, SimpleQueue
from socket import AF_INET, SOCK_DGRAM, socket

from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter

from tests.bench.telemetry import ExportRequests, datagrams, segment

_PATIENCE = 60.0
_TICK = 0.002


def export(port: int, connections: int, requests: int) -> dict[str, object]:
    """Send requests; each connection sends its next one when it has the answer to the last."""
    made = ExportRequests()
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for _ in range(requests):
        waiting.put(made.body())
    answers: list[tuple[int, float]] = []
    threads = [threading.Thread(target=_send, args=(port, waiting, answers)) for _ in range(connections)]
    start = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "start": start,
        "end": time.time(),
        "accepted": sum(status == http.HTTPStatus.OK for status, _ in answers),
        "seconds": [seconds for _, seconds in answers],
    }


def _send(port: int, waiting: SimpleQueue[bytes], answers: list[tuple[int, float]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    while True:
        try:
            body = waiting.get_nowait()
        except Empty:
            connection.close()
            return
        start = time.perf_counter()
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        response.read()
        answers.append((response.status, time.perf_counter() - start))


def pace(port: int, rate: int, seconds: int) -> dict[str, object]:
    """Send segments; `end` says whether the pace was kept."""
    ready = list(datagrams(rate * seconds))
    with socket(AF_INET, SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", port))
        start, sent = time.time(), 0
        while sent < len(ready):
            due = min(len(ready), int((time.time() - start) * rate) + 1)
            for datagram in ready[sent:due]:
                udp.send(datagram)
            sent = due
            time.sleep(_TICK)
    return {"start": start, "end": time.time(), "sent": sent}


def burst(port: int, count: int) -> dict[str, object]:
    """Send segments that are finished already, one after the other."""
    ready = [segment() for _ in range(count)]
    emitter = UDPEmitter()
    emitter.set_daemon_address(f"127.0.0.1:{port}")
    start = time.time()
    for each in ready:
        emitter.send_entity(each)
    return {"start": start, "end": time.time(), "sent": count}


def main() -> None:
    """Do what the arguments say."""
    name = sys.argv[1]
    port, *rest = map(int, sys.argv[2:])
    match name, rest:
        case "export", [connections, requests]:
            done = export(port, connections, requests)
        case "pace", [rate, seconds]:
            done = pace(port, rate, seconds)
        case "burst", [count]:
            done = burst(port, count)
        case _:
            sys.exit(__doc__)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
