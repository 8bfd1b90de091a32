"""The X-Ray daemon on this machine: a strict stand-in for its program, started as a run starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.config.manifest import parse
from bootstrap.flows import daemons
from bootstrap.flows.environment import as_stored, scrubbed
from bootstrap.flows.routing import Decision, record
from bootstrap.flows.run import host_environment
from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.system import ports
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from bootstrap.workspaces import detect
from tests.stand_ins.sts import key_id, secret_key, session_token

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.flows.environment import Lookup

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
PROJECT = parse(
    {
        "project": {"name": "shop", "region": "eu-west-1"},
        "services": {"web": {"build": "web", "telemetry": ["xray", "honeycomb"]}},
    },
    OPTIONS,
)
DECISIONS = [Decision("honeycomb", "Honeycomb", "local", ""), Decision("xray", "X-Ray", "cloud", "")]

# The flags of version 3.6 that we use, its search for a configuration, and nothing else.
PROGRAM = f"""#!{sys.executable} -I
import argparse, json, os, pathlib, signal, socket, sys
parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
for flag in ("-c", "-n", "-b", "-t"):
    parser.add_argument(flag, required=True)
parser.add_argument("-o", action="store_true", required=True)
given = parser.parse_args()
assert pathlib.Path(given.c).read_text() == "Version: 2\\n"
udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
for bound, address in ((udp, given.b), (tcp, given.t)):
    host, port = address.split(":")
    assert host == "127.0.0.1"
    bound.bind((host, int(port)))
told = {{"environ": dict(os.environ), "region": given.n, "udp": given.b, "tcp": given.t}}
told["beside"] = os.listdir()
pathlib.Path(__file__).with_name("told.json").write_text(json.dumps(told))
tcp.listen()
signal.pause()
"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "project", {"XDG_STATE_HOME": str(tmp_path / "state")})


def install(folder: Path) -> dict[str, str]:
    """Put the stand-in on a PATH of its own."""
    folder.mkdir()
    (folder / "xray").write_text(PROGRAM, encoding="utf-8")
    (folder / "xray").chmod(0o755)
    return {"PATH": str(folder)}


def keys(*, temporary: bool) -> dict[str, str]:
    token = {"AWS_SESSION_TOKEN": session_token()} if temporary else {}
    prefix = "ASIA" if temporary else "AKIA"
    return {"AWS_ACCESS_KEY_ID": key_id(prefix), "AWS_SECRET_ACCESS_KEY": secret_key(), **token}


def among(values: dict[str, str]) -> Lookup:
    return lambda name: Secret(values[name], "test") if name in values else None


def test_only_what_goes_to_the_cloud_takes_a_daemon() -> None:
    assert daemons.needed(DECISIONS) is VENDORS["xray"].daemon
    assert daemons.needed(DECISIONS[:1]) is None
    assert daemons.needed([Decision("xray", "X-Ray", "local", "")]) is None


@pytest.mark.parametrize("temporary", [False, True])
def test_it_has_our_keys_and_nothing_that_lies_around(
    state: State, tmp_path: Path, *, temporary: bool
) -> None:
    daemon, values = daemons.needed(DECISIONS), keys(temporary=temporary)
    assert daemon is not None
    ambient = {
        "AWS_PROFILE": "work",
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/other",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_XRAY": "http://127.0.0.1:9",
        "AWS_SESSION_TOKEN": "stale",
        "AWS_XRAY_DAEMON_ADDRESS": "elsewhere:2000",
        "HTTPS_PROXY": "http://proxy.example.com",
    }
    environ = install(tmp_path / "bin") | ambient
    made, address = daemons.launch(daemon, PROJECT, state, as_stored(among(values)), environ)
    assert set(made.hidden) == set(values.values())
    assert not any(value in repr(made) for value in values.values())
    assert made.port is not None
    # As the process engine starts it.
    running = subprocess.Popen(
        made.command, env={**scrubbed(environ, PROJECT), **made.environment}, cwd=made.directory
    )
    try:
        assert ports.wait_accepting(made.port, 20)
    finally:
        running.terminate()
        running.wait(20)
    told = json.loads((tmp_path / "bin" / "told.json").read_text(encoding="utf-8"))
    assert (told["region"], told["udp"], told["tcp"]) == ("eu-west-1", address, address)
    assert {name: told["environ"].get(name) for name in values} == values
    assert ("AWS_SESSION_TOKEN" in told["environ"]) == temporary
    assert {name: value for name, value in told["environ"].items() if value == ambient.get(name)} == {
        "HTTPS_PROXY": "http://proxy.example.com"
    }
    assert told["environ"]["AWS_EC2_METADATA_DISABLED"] == "true"
    assert told["environ"]["AWS_SHARED_CREDENTIALS_FILE"] == told["environ"]["AWS_CONFIG_FILE"] == "/dev/null"
    # A cfg.yaml in the folder that it starts in could send segments elsewhere.
    assert told["beside"] == ["xray-daemon.yaml"]


def test_two_daemons_have_two_ports(state: State, tmp_path: Path) -> None:
    daemon = VENDORS["xray"].daemon
    assert daemon is not None
    environ = install(tmp_path / "bin")
    made = {daemons.launch(daemon, PROJECT, state, as_stored(among({})), environ)[1] for _ in range(3)}
    assert all(address.startswith("127.0.0.1:") for address in made)


def test_one_that_is_not_there_is_named(state: State) -> None:
    daemon = VENDORS["xray"].daemon
    assert daemon is not None
    with pytest.raises(NotConfiguredError, match="no program 'xray'") as caught:
        daemons.launch(daemon, PROJECT, state, as_stored(among({})), {"PATH": ""})
    assert "https://docs.aws.amazon.com/xray" in caught.value.hint


def test_services_and_later_commands_are_told_where_it_is(state: State) -> None:
    record(state, DECISIONS, "127.0.0.1:2345")
    seen = host_environment(
        PROJECT, "web", detect(dict(os.environ)), state, as_stored(among({"HONEYCOMB_API_KEY": "x"}))
    )
    variables = {item.name: item.text for item in seen}
    assert variables["AWS_XRAY_DAEMON_ADDRESS"] == "127.0.0.1:2345"
    assert variables["AWS_REGION"] == "eu-west-1"
    assert not any(name.startswith("OTEL_EXPORTER") for name in variables)
