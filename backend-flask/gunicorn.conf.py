"""How gunicorn serves this app; gunicorn reads this file from the folder it starts in."""

import gc
import logging
import os
import re
from typing import Any

wsgi_app = "app:create_app()"
bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '4567'}"

# One process with a few threads: requests mostly wait. More processes: WEB_CONCURRENCY=2.
worker_class = "gthread"
threads = 4

# Each worker builds its own app, so that the threads which send telemetry start after the fork.
preload_app = False

# For development: a changed source file restarts the worker.
reload = (os.environ.get("FLASK_DEBUG") or "0").lower() not in {"0", "false", "no"}

# These would set a path prefix, and any client on this machine, or behind a forwarded port, could send them.
forwarder_headers = ""

# Compose kills after ten seconds. A worker waits two for its requests, then sends the rest of its telemetry.
graceful_timeout = 8
_SECONDS_FOR_REQUESTS = 2


def post_worker_init(worker: Any) -> None:
    """Look for garbage more rarely, and not among what the app is made of, which holds most objects."""
    worker.cfg.set("graceful_timeout", _SECONDS_FOR_REQUESTS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def worker_exit(_server: Any, worker: Any) -> None:
    """Send the last telemetry here: at the very end, a client that stalls would hold it up."""
    from observability import shut_down  # noqa: PLC0415 - this file may be read from elsewhere

    app = getattr(worker, "wsgi", None)  # there is none where it failed to load
    if app is not None:
        shut_down(app)


def _without_requests(record: logging.LogRecord) -> bool:
    """Cut what gunicorn quotes of requests that it cannot read or serve: it may hold anybody's secret."""
    message = re.sub(r"(Invalid request .*?)['\"].*", r"\1...", record.getMessage(), flags=re.DOTALL)
    record.msg, record.args = re.sub(r"\?\S+", "?...", message), ()
    return True


logging.getLogger("gunicorn.error").addFilter(_without_requests)

# The control socket is one file for all gunicorns of a user.
control_socket_disable = True
