"""Exits with 0 when the service on this machine answers its health check, for images that have no curl."""

import http.client
import os
import sys


def is_healthy(port: int) -> bool:
    """Ask once, and wait no longer than three seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/api/health-check")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_healthy(int(os.environ.get("PORT") or 4567)))
