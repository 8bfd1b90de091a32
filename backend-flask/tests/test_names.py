"""Vendors whose names cannot be resolved, until they can."""

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from outage import GUNICORN, VENDORS, Backend, reporting
from receivers import AllVendors

REQUESTS = 240
# In a mount namespace a process has hosts of its own; a user who is not root needs a user namespace, too.
NAMESPACES = (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"])
WITH_OWN_NAMES = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'


class Names:
    """Names that a server started with `argv` asks for, and finds once they are `known`."""

    def __init__(self, folder: Path, namespace: Sequence[str]) -> None:
        self._hosts, self._resolver = folder / "hosts", folder / "resolv.conf"
        self._hosts.write_text("127.0.0.1 localhost\n")
        self._resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self._prefix = [*namespace, "sh", "-c", WITH_OWN_NAMES, "sh", str(self._hosts), str(self._resolver)]

    def argv(self, *command: str) -> list[str]:
        return [*self._prefix, *command]

    def become_known(self) -> None:
        with self._hosts.open("a") as hosts:
            hosts.writelines(f"127.0.0.1 {vendor}.test\n" for vendor in VENDORS)


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    if shutil.which("unshare"):
        for namespace in NAMESPACES:
            argv = Names(tmp_path_factory.mktemp("names"), namespace).argv("true")
            if subprocess.run(argv, capture_output=True, check=False).returncode == 0:
                return namespace
    pytest.skip("this system gives no process a hosts file of its own")


def with_names(failing: Sequence[str], domain: str, vendors: AllVendors) -> dict[str, str]:
    """Where all vendors are: those that fail by name."""
    return {
        variable: value.replace("127.0.0.1", f"{vendor}.{domain}") if vendor in failing else value
        for vendor, receiver in vendors.by_name.items()
        for variable, value in receiver.environ.items()
    }


def live_without(failing: Sequence[str], backend: Backend) -> None:
    """Serve while these names are unknown."""
    others = [vendor for vendor in VENDORS if vendor not in failing]
    backend.traffic.send(REQUESTS)
    backend.wait_for(backend.traffic.greet(), others)
    accounts = backend.accounts()
    assert not any(accounts[vendor].dropped for vendor in others)
    assert not any(accounts[vendor].sent for vendor in failing)
    assert accounts["xray"].dropped or "xray" not in failing


def live_until_known(folder: Path, namespace: Sequence[str], failing: Sequence[str]) -> None:
    folder.mkdir()
    names = Names(folder, namespace)
    with reporting(names.argv(*GUNICORN), partial(with_names, failing, "test")) as backend:
        live_without(failing, backend)
        names.become_known()
        backend.wait_for_anything(failing)
        before = backend.settle()
        backend.traffic.send(REQUESTS)
        backend.wait_for(backend.traffic.greet())
        after = backend.settle()
        assert all(after[vendor].dropped == before[vendor].dropped for vendor in VENDORS)
        backend.check_log()


@pytest.mark.slow
def test_names_that_nobody_knows() -> None:
    with reporting(vendors_environ=partial(with_names, VENDORS, "invalid")) as backend:
        live_without(VENDORS, backend)
        backend.check_log()


def test_all_names_become_known(namespace: Sequence[str], tmp_path: Path) -> None:
    live_until_known(tmp_path / "all", namespace, VENDORS)


@pytest.mark.slow
def test_one_name_becomes_known(namespace: Sequence[str], tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        for case in [
            pool.submit(live_until_known, tmp_path / vendor, namespace, [vendor]) for vendor in VENDORS
        ]:
            case.result()
