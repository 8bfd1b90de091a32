"""A process that has imported the command line once, and becomes it in a child of its own for every call.

It listens on a Unix socket: `python -m tests.milestones.command_server SOCKET`. A request is one line of
JSON, {"argv", "cwd", "environ", "data", "effects"}, and so is its answer, {"code", "out", "err", "effects"}.
The child leads a session of its own and has no terminal, as under a supervisor.

With `effects` the child kills itself before its N-th effect, which is what Python announces before it changes
a file or starts a program (https://docs.python.org/3/library/audit_events.html); the answer says how many it
had. So no place where the process may die is left out, and the code that runs is the code that ships.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socketserver
import sys
import tempfile
from pathlib import Path
from typing import Any

_PACKAGES = ("bootstrap.cli.tag", "bootstrap.milestones", "bootstrap.system", "bootstrap.flows")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
#: effects on files; an `open` is one if it may write
_EFFECTS = {
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
    *("subprocess.Popen", "os.posix_spawn", "os.exec"),
}


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with contextlib.ExitStack() as stack:
            data, out, err, counter = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(4))
            data.write(asked["data"].encode())
            data.seek(0)
            child = os.fork()
            if child == 0:
                _become(asked, data.fileno(), out.fileno(), err.fileno(), counter.fileno())
            _, status = os.waitpid(child, 0)
            answer = {
                "code": os.waitstatus_to_exitcode(status),
                "out": _all(out),
                "err": _all(err),
                "effects": os.fstat(counter.fileno()).st_size,
            }
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _all(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode("utf-8", "surrogateescape"))


def _become(asked: dict[str, Any], data: int, out: int, err: int, counter: int) -> None:
    """Be the command line, and never come back."""
    code = 1
    try:
        os.setsid()
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["environ"])
        for number, descriptor in enumerate((data, out, err)):
            os.dup2(descriptor, number)
        sys.argv = ["bootstrap", *asked["argv"]]
        if asked["effects"] is not None:
            _die_at(asked["effects"], counter)
        from bootstrap.cli.root import root  # noqa: PLC0415 - it is imported already

        root(prog_name="bootstrap")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - a child must not go on as the server
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_at(last: int, counter: int) -> None:
    """Kill this process before its effect number `last` (0: never), and write a byte for each one before."""
    own = os.getpid()
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if not _is_effect(event, arguments) or os.getpid() != own:
            return
        seen += 1
        if seen == last:
            os.kill(own, signal.SIGKILL)
        os.write(counter, b".")

    sys.addaudithook(watch)


def _is_effect(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        path, _, flags = arguments
        return isinstance(flags, int) and bool(flags & _WRITING) and path != os.devnull
    return event in _EFFECTS


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """One child for each connection."""

    max_children = 200
    request_queue_size = 100


def main() -> None:
    """Import everything that a call may need, and wait for calls."""
    importlib.import_module("bootstrap.cli.root")
    for name in _PACKAGES:
        with contextlib.suppress(ModuleNotFoundError):
            package = importlib.import_module(name)
            for module in pkgutil.iter_modules(package.__path__, f"{name}."):
                importlib.import_module(module.name)
    gc.freeze()
    path = Path(sys.argv[1])
    with _Server(str(path.with_suffix(".new")), _Handler) as server:
        path.with_suffix(".new").rename(path)
        server.serve_forever(0.05)


if __name__ == "__main__":
    main()
