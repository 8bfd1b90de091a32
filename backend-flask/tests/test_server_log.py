"""What gunicorn writes about requests that it cannot read or serve."""

import socket

from receivers import PATIENCE
from servers import Serve

SECRET = "made-up-and-never-to-be-logged"
UNREADABLE = {
    "request line": f"token={SECRET}\r\n\r\n",
    "method": f"GE\x01T /x?token={SECRET} HTTP/1.1\r\n\r\n",
    "version": f"GET /?token={SECRET} x y HTTP/1.1\r\n\r\n",
    "header without a colon": f"GET / HTTP/1.1\r\nX-Honeycomb-Team {SECRET}\r\n\r\n",
    "header with a quote": f"GET / HTTP/1.1\r\nX-Honeycomb-Team '{SECRET}\r\n\r\n",
    "length": f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n",
}


def test_no_part_of_an_unreadable_request_is_logged(serve: Serve) -> None:
    server = serve("gunicorn", environ={"PORT": "0"})
    for raw in UNREADABLE.values():
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
            client.sendall(raw.encode())
            assert client.recv(12) == b"HTTP/1.1 400"
    assert server.stop() == 0
    said = [line for line in server.log() if "Invalid request from ip=127.0.0.1: Invalid HTTP" in line]
    assert len(said) == len(UNREADABLE)
    assert SECRET not in "".join(server.log())
