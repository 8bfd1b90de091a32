"""Every generated file of every scenario, as expected; `make golden` writes the expectations anew."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.conftest import Bootstrap
    from tests.rendering.conftest import Compose, Scenario

ROOT = Path(__file__).parents[2]
SCENARIOS = Path(__file__).parent / "scenarios"
NAMES = sorted(folder.name for folder in SCENARIOS.iterdir())
#: what rendering writes for itself
OWN = {".bootstrap/written.json", ".bootstrap/workspace"}


def files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_renders_to_its_expected_files(name: str, scenario: Scenario) -> None:
    made = files_below(scenario(name).root)
    made = {path: text for path, text in made.items() if path not in {*OWN, "bootstrap.toml"}}
    expected = SCENARIOS / name / "expected"
    if os.environ.get("BOOTSTRAP_GOLDEN") == "write":
        shutil.rmtree(expected, ignore_errors=True)
        for path, text in made.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_bytes(text.encode())
    wanted = files_below(expected)
    assert made.keys() == wanted.keys()
    for path, text in made.items():
        assert text == wanted[path], path


def test_this_repository_is_its_own_first_user(bootstrap: Bootstrap) -> None:
    bootstrap("render", "--check", cwd=ROOT).check(0)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_what_its_readers_parse(name: str, scenario: Scenario) -> None:
    root = scenario(name).root
    for path, text in files_below(root).items():
        assert text.endswith("\n") or path == ".bootstrap/workspace"
        assert "\r" not in text or path == "bootstrap.toml"
        if path.endswith(".yml"):
            yaml.safe_load(text)
        if path.endswith(".json"):
            json.loads("\n".join(line for line in text.split("\n") if not line.startswith("// ")))


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_secrets_assigns_nothing(name: str, scenario: Scenario) -> None:
    """A description is a comment, however many lines it has."""
    text = scenario(name).read(".env.example")
    assigned = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*=", line) for line in assigned)


def test_compose_reads_hostile_values_as_they_were_meant(scenario: Scenario, compose: Compose) -> None:
    services = compose.services(scenario("hostile").root, {"A_KEY": 'it\'s $a "plainly fake" value'})
    environment: dict[str, Any] = services["web"]["environment"]
    assert environment["DOLLARS"] == "$ $$ $HOME ${HOME} ${HOME:-x} $(id) `id`"
    assert environment["QUOTES"] == "it's \"quoted\" \\ and '\\'' so on"
    assert environment["LINES"] == "one\n\ttwo\r\n # three\u2028four\u0085"
    assert environment["BLANKS"] == "  around  "
    assert environment["EMPTY"] == ""
    assert (environment["TEXTS"], environment["NUMBER"]) == ("yes", "0x10")
    assert environment["URL"] == "http://localhost:8000/?a=$b&c='d'\"e\"\\n#f${nothing:web}"
    assert environment["PEER"] == "db:5432"
    assert environment["RENAMED"] == 'it\'s $a "plainly fake" value'
    assert "B_KEY" not in environment
    assert "A_KEY" not in environment
    assert services["web"]["command"] == ["sh", "-c", "echo \"$HOME\" 'it''s'"]
    assert services["web"]["labels"] == {"a.label": "$literal # no comment", "yes": "no", "12:30": "12:30"}
    assert services["web"]["networks"].keys() == {"default", "extra", "xray-daemon"}
    assert services["web"]["networks"]["extra"] == {"aliases": ["it's"]}
    assert services["web"]["depends_on"].keys() == {"db", "cache"}
    assert {volume["type"] for volume in services["db"]["volumes"]} == {"volume", "bind"}
