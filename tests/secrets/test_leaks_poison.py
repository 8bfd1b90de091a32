"""Nothing leaks when foreign code fails: libraries that quote values, torn files, a server of nonsense."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.secrets.leak_sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AWS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE0000TESTS", "AWS_SECRET_ACCESS_KEY": "plainly-fake"}
REPORT = "something went wrong that should not have"


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """An HTTP server on loopback that has one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def poisoned_keyring(sweep: Sweep) -> None:
    quoted = repr(sweep.values["DATABASE_URL"])
    core = f"""
class Keyring:
    priority = 9
    def get_password(self, service, name):
        if name == "HONEYCOMB_API_KEY":
            raise RuntimeError("not to be told: " + {quoted})
    def set_password(self, service, name, value):
        raise RuntimeError(f"cannot keep {{name}}={{value!r}}")
    delete_password = set_password
def init_backend(limit): pass
def get_keyring(): return Keyring()
def recommended(backend): return True
"""
    backends = {
        f"keyring/backends/{name}.py": f"class {kind}: pass\n"
        for name, kind in (("chainer", "ChainerBackend"), ("fail", "Keyring"), ("null", "Keyring"))
    }
    errors = "class InitError(Exception): pass\nclass KeyringLocked(Exception): pass\n"
    sweep.shop.environ |= sweep.poison(
        {
            "keyring/__init__.py": "",
            "keyring/core.py": core,
            "keyring/errors.py": errors,
            "keyring/backends/__init__.py": "",
            **backends,
        }
    )
    sweep.shop.choose("keyring")
    sweep.set(code=1).check(1)
    sweep.step("secrets", "list", code=1).check(1, "HONEYCOMB_API_KEY: the keyring failed (RuntimeError)")
    sweep.step("secrets", "get", "HONEYCOMB_API_KEY", "--json", code=1)


def poisoned_boto3(sweep: Sweep) -> None:
    client = """
class Client:
    def get_parameters(self, **_): return {"Parameters": [], "InvalidParameters": []}
    def put_parameter(self, **given): raise RuntimeError(f"cannot put {given}")
class Session:
    def __init__(self, **_): pass
    def client(self, *_, **__): return Client()
"""
    sweep.shop.environ |= {**AWS, **sweep.poison({"boto3/__init__.py": client})}
    sweep.shop.choose("ssm")
    sweep.set(code=1).check(1, REPORT, "RuntimeError: cannot put", "[masked]")


def poisoned_dotenv(sweep: Sweep) -> None:
    parser = "def parse_stream(stream): raise RuntimeError('cannot read ' + stream.read())\n"
    sweep.shop.environ |= sweep.poison({"dotenv/__init__.py": "", "dotenv/parser.py": parser})
    text = f"WORKER_KEY={sweep.values['WORKER_KEY']}\n"
    sweep.step("secrets", "import", "-", "--json", data=text, code=1).check(1, "(RuntimeError)")
    sweep.shop.write(".gitignore", ".env\n")
    sweep.shop.write(".env", text).chmod(0o600)
    sweep.step("secrets", "get", "WORKER_KEY", "--store", "dotenv", code=1).check(1, "(RuntimeError)")


def torn_env_file(sweep: Sweep) -> None:
    sweep.shop.write(".gitignore", ".env\n")
    sweep.shop.write(".env", f"WORKER_KEY {sweep.values['WORKER_KEY']} x\n").chmod(0o600)
    sweep.shop.choose("dotenv")
    sweep.step("secrets", "list", "--json", code=1).check(1, "line 1: names WORKER_KEY")
    sweep.step("secrets", "import", ".env", code=1).check(1, "line 1: is not NAME=VALUE")


def torn_imports(sweep: Sweep) -> None:
    sweep.shop.choose("file")
    plain, other = sweep.values["WORKER_KEY"], sweep.values["DATABASE_URL"]
    for text in (f"{plain}\n", f"{plain} {plain}\n", f'WORKER_KEY="{plain}\n', f"{other}\n"):
        sweep.step("secrets", "import", "-", data=text, code=1)
    sweep.step("secrets", "import", "-", data=f"{plain}=x\n", code=0)
    sweep.step("secrets", "import", "-", "--json", data=f"{plain}=x\n", code=0)
    sweep.step("secrets", "import", "-", "--undeclared", "--json", data=f"{plain}=x\n", code=2)
    for document in (f'{{"WORKER_KEY": "{plain}', f'["{plain}"]', f'{{"{plain}": 1}}'):
        sweep.step("secrets", "import", "-", "--format", "json", data=document, code=1)


def parameter_store_that_answers_nonsense(sweep: Sweep) -> None:
    body = f'{{"Parameters": [{{"Value": "{sweep.values["WORKER_KEY"]}'.encode()
    with answering(body) as url:
        sweep.shop.environ |= {**AWS, "AWS_ENDPOINT_URL_SSM": url}
        sweep.shop.choose("ssm")
        sweep.step("secrets", "list", "--json", code=4)


TROUBLES: list[Callable[[Sweep], None]] = [
    poisoned_keyring,
    poisoned_boto3,
    poisoned_dotenv,
    torn_env_file,
    torn_imports,
    parameter_store_that_answers_nonsense,
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_nothing_leaks(sweep: Sweep, trouble: Callable[[Sweep], None]) -> None:
    with sweep.probe.watching() as seen:
        trouble(sweep)
    assert seen == set()
    sweep.look_everywhere()
