"""Nothing leaks: two values go through every command, every store, and every failure that can be provoked."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from bootstrap.secrets import STORES
from tests.secrets import keyring_session
from tests.secrets.leak_probe import Probe
from tests.secrets.leak_sweep import Sweep
from tests.secrets.parameter_store import front, moto
from tests.stand_ins.honeycomb import Honeycomb, ingest_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AWS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE0000TESTS", "AWS_SECRET_ACCESS_KEY": "plainly-fake"}


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


def anywhere(_sweep: Sweep) -> Iterator[None]:
    yield


def in_gitpod(sweep: Sweep) -> Iterator[None]:
    sweep.shop.enter_gitpod(sweep.programs)
    yield


def in_codespaces(sweep: Sweep) -> Iterator[None]:
    sweep.shop.enter(sweep.programs, {"CODESPACES": "true", "CODESPACE_NAME": "acme-shop"})
    with sweep.programs.change("gh") as state:
        state["repositories"] = {"acme/shop": 101}
    yield


def in_ona(sweep: Sweep) -> Iterator[None]:
    sweep.shop.enter(sweep.programs, {"GITPOD_ENVIRONMENT_ID": "acme-shop"})
    yield


def at_a_desktop(sweep: Sweep) -> Iterator[None]:
    with keyring_session.session() as session:
        session.start()
        del sweep.shop.environ["PYTHON_KEYRING_BACKEND"]
        sweep.shop.environ |= {
            name: session.environ[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
        }
        yield


def in_aws(sweep: Sweep) -> Iterator[None]:
    with moto() as backend, front(backend) as opened:
        opened.reset()
        sweep.shop.environ |= {**AWS, "AWS_ENDPOINT_URL_SSM": opened.url}
        yield


def with_an_env_file(sweep: Sweep) -> Iterator[None]:
    sweep.shop.write(".gitignore", ".env\n")
    sweep.shop.write(".env", f"WORKER_KEY={sweep.values['WORKER_KEY']}\n").chmod(0o600)
    yield


def in_a_shell(sweep: Sweep) -> Iterator[None]:
    sweep.shop.environ |= sweep.values
    yield


PLACES: dict[str, Callable[[Sweep], Iterator[None]]] = {
    "gitpod": in_gitpod,
    "codespaces": in_codespaces,
    "ona": in_ona,
    "keyring": at_a_desktop,
    "file": anywhere,
    "ssm": in_aws,
    "dotenv": with_an_env_file,
    "environment": in_a_shell,
}
READ_ONLY = {"dotenv", "environment"}
WRITE_ONLY = {"codespaces", "ona"}


def test_no_store_is_left_out() -> None:
    # gitpod-user is the store gitpod with another --scope, and makes no variables.
    assert set(PLACES) | {"gitpod-user"} == set(STORES)


@pytest.mark.parametrize("store", PLACES)
def test_nothing_leaks_from_a_store_that_works(sweep: Sweep, store: str) -> None:
    with (
        contextlib.contextmanager(PLACES[store])(sweep),
        sweep.probe.watching(environ=store != "environment") as seen,
    ):
        sweep.step("secrets", "use", store, code=0)
        if store in READ_ONLY:
            sweep.set(code=3)
        else:
            sweep.step(
                "secrets", "import", "-", "--format", "json", data=json.dumps(sweep.values), code=0
            ).check(0, "WORKER_KEY: ", "DATABASE_URL: ")
        sweep.step("secrets", "list", "--json", code=0)
        sweep.step("secrets", "check", "--json", code=0)
        sweep.step("env", "worker", "--json", code=0)
        sweep.step("secrets", "get", "WORKER_KEY", code=0, asked=True)
        copy = ("secrets", "copy", "--from", store, "--to", "environment" if store == "file" else "file")
        sweep.step(*copy, "--dry-run", code=2 if store in WRITE_ONLY else 3 if store == "file" else 0)
        sweep.step("secrets", "unset", "WORKER_KEY", "--json", code=3 if store in READ_ONLY else 0)
    assert seen == set()
    sweep.look_everywhere()


@pytest.mark.parametrize("store", sorted(PLACES.keys() - READ_ONLY - {"file"}))
def test_nothing_leaks_on_the_way_from_one_store_to_another(sweep: Sweep, store: str) -> None:
    sweep.shop.choose("file", **sweep.values)
    with contextlib.contextmanager(PLACES[store])(sweep), sweep.probe.watching() as seen:
        there = sweep.step("secrets", "copy", "--from", "file", "--to", store, code=0)
        assert "2 of 2 are in" in there.err
        back = ("secrets", "copy", "--from", store, "--to", "file", "WORKER_KEY", "--json")
        sweep.step("secrets", "unset", "WORKER_KEY", "--store", "file", code=0)
        sweep.step(*back, code=2 if store in WRITE_ONLY else 0)
        # What is not in the store is asked for, and what it cannot take is refused.
        sweep.step("secrets", "copy", "--from", "file", "--to", store, "WORKR_KEY", code=1)
        sweep.shop.keep("file", DATABASE_URL=f" {sweep.values['DATABASE_URL']} \n" + "x" * 50_000)
        refused = sweep.shop("secrets", "copy", "--from", "file", "--to", store, "DATABASE_URL", "--json")
        sweep.look(refused)
        assert refused.code == (0 if store == "keyring" else 1)
    assert seen == set()
    sweep.look_everywhere()


def test_nothing_leaks_while_vendors_are_asked(sweep: Sweep) -> None:
    with Honeycomb() as honeycomb, Honeycomb() as other:
        # It quotes the key in what it answers, and the other one does not know it.
        key = ingest_key()
        honeycomb.add(key, "createDatasets", environment=key)
        sweep.probe = Probe([key], [key[6:30], key[-24:]])
        sweep.shop.environ["BOOTSTRAP_HONEYCOMB_ENDPOINT"] = honeycomb.url
        sweep.shop.choose("file", HONEYCOMB_API_KEY=key, WORKER_KEY="plainly-fake")
        with sweep.probe.watching() as seen:
            for options in ([], ["--json"]):
                asked = sweep.step("secrets", "check", "--online", *options, code=0)
                assert "works" in asked.out
            sweep.shop.environ["BOOTSTRAP_HONEYCOMB_ENDPOINT"] = other.url
            sweep.step("secrets", "check", "--online", code=5)
    # Now nobody answers there.
    sweep.step("secrets", "check", "--online", "--json", code=4)
    assert seen == set()
    sweep.look_everywhere()


def test_nothing_leaks_from_any_other_command(sweep: Sweep) -> None:
    sweep.shop.choose("file", **sweep.values)
    with sweep.probe.watching() as seen:
        sweep.step("secrets", "list", code=0)
        sweep.step("secrets", "list", "--missing", code=0)
        sweep.step("secrets", "check", code=0)
        sweep.step("secrets", "use", "--json", code=0)
        sweep.step("env", "api", code=0)
        sweep.step("env", "api", "--format", "json", code=2)
        sweep.step("env", "api", "--format", "json", "--reveal", code=0, asked=True)
        sweep.step("secrets", "export", "--format", "docker-env", code=1)
        sweep.step("secrets", "export", code=0, asked=True)
        sweep.step("init", "--defaults", "--json", code=0)
        sweep.step("render", code=0)
        sweep.shop.git("add", "--all")
        sweep.step("secrets", "hook", "install", code=0)
        sweep.step("secrets", "scan", "--staged", "--json", code=0)
        sweep.step("status", code=0)
    # doctor finds that nothing listens where an engine should be; its code is not the point
    sweep.look(sweep.shop("doctor", "--json"))
    sweep.look(sweep.shop("doctor"))
    assert seen == set()
    sweep.look_everywhere()


def test_a_scan_shows_no_value_that_it_finds(sweep: Sweep) -> None:
    sweep.shop.choose("file", **sweep.values)
    leaks = [sweep.shop.write(f"leak-{name}.txt", value) for name, value in sweep.values.items()]
    sweep.step("secrets", "scan", code=5)
    sweep.step("secrets", "scan", "--json", code=5)
    for leak in leaks:
        leak.unlink()
    sweep.look_everywhere()
