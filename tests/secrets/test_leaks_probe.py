"""The probe finds what leaks: each of its checks fails where there is something to be found."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.secrets.leak_probe import Probe
from tests.secrets.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

MARK = os.urandom(8).hex()
VALUE = f'"{MARK}" \\ it\'s $HOME/+\nline two of é {MARK}'
SLEEP = (sys.executable, "-c", "import sys; sys.stdin.read()")


@pytest.fixture
def probe() -> Probe:
    return Probe([VALUE], [MARK])


def test_it_finds_every_spelling(probe: Probe) -> None:
    for leaked in (
        VALUE,
        MARK,
        VALUE.splitlines()[1],
        json.dumps({"key": VALUE}),
        json.dumps(json.dumps(VALUE)),
        repr(VALUE),
        quote(VALUE, safe=""),
        *(base64.b64encode(f"{'x' * before}{VALUE}yz".encode()).decode() for before in range(3)),
        *(base64.urlsafe_b64encode(f"{'x' * before}{MARK}".encode()).decode() for before in range(3)),
    ):
        assert probe.finds(f"before {leaked} after".encode())
        assert not probe.finds(leaked.encode()[: len(MARK) // 2])


def test_it_finds_files_names_and_objects_and_nothing_else(probe: Probe, tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write("harmless", "nothing")
    assert probe.in_files(tmp_path) == probe.in_git(shop.root) == []
    leaked = shop.write("a/.hidden", f"KEY={MARK}")
    assert probe.in_files(tmp_path) == [str(leaked)]
    assert probe.in_files(tmp_path, but=[leaked]) == []
    subprocess.run(["git", "hash-object", "-w", "a/.hidden"], cwd=shop.root, check=True, capture_output=True)
    leaked.unlink()
    assert len(probe.in_git(shop.root)) == 1
    shop.write(f"a/{MARK}", "")
    assert probe.in_files(tmp_path) == ["the name of a file"]


@pytest.mark.parametrize(
    ("arguments", "environ", "found"),
    [
        ((*SLEEP, VALUE), {}, {f"arguments of {sys.executable}"}),
        (SLEEP, {"KEY": VALUE}, {f"environment of {sys.executable}"}),
        (("/usr/bin/gp", *SLEEP[1:], VALUE), {}, set()),
        (SLEEP, {}, set()),
    ],
    ids=["arguments", "environment", "gp", "nothing"],
)
def test_it_finds_arguments_and_environments(
    probe: Probe, arguments: tuple[str, ...], environ: dict[str, str], found: set[str]
) -> None:
    with probe.watching() as seen:
        child = subprocess.Popen(
            arguments, executable=sys.executable, env={**os.environ, **environ}, stdin=subprocess.PIPE
        )
        deadline = time.monotonic() + (20 if found else 0.2)
        while seen != found and time.monotonic() < deadline:
            time.sleep(0.01)
        child.communicate(timeout=20)
    assert seen == found
