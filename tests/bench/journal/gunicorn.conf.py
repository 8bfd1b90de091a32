"""Serves the journal's app with the settings of the backend's own gunicorn.conf.py."""

import runpy
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_SETTINGS = (
    *("bind", "workers", "worker_class", "threads", "keepalive", "timeout", "graceful_timeout"),
    *("preload_app", "worker_tmp_dir", "control_socket_disable", "post_worker_init"),
)

wsgi_app = "tests.bench.journal.app:app"
chdir = str(_ROOT)
_backend = runpy.run_path(str(_ROOT / "backend-flask" / "gunicorn.conf.py"))
globals().update({name: _backend[name] for name in _SETTINGS if name in _backend})
