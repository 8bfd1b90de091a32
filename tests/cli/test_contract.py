"""The contract that every command keeps: help, streams, exit codes, errors of two lines."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bootstrap.cli.commands import COMMANDS, PROVISION, SECRETS, SERVICE

ROOT = Path(__file__).parents[2]
MANIFEST = """
[project]
name = "small"

[services.api]
build = "api"
command = "exec sleep 60"
port = 4567
telemetry = ["honeycomb", "xray"]
environment = { PEER = "${url:api}" }

[services.other]
build = "other"
secrets = ["OTHER_KEY"]

[secrets.OTHER_KEY]
"""


@pytest.fixture
def project(repository: Any) -> Any:
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("api/Dockerfile", "FROM scratch\n")
    repository.write("other/Dockerfile", "FROM scratch\n")
    return repository


@pytest.mark.parametrize(
    "name",
    [
        *COMMANDS,
        *(f"secrets {verb}" for verb in SECRETS),
        *(f"service {verb}" for verb in SERVICE),
        *(f"provision {verb}" for verb in PROVISION),
    ],
)
def test_every_command_explains_itself_with_examples(bootstrap: Any, name: str, tmp_path: Path) -> None:
    result = bootstrap(*name.split(), "--help", cwd=tmp_path).check(
        0, "Examples:", f"bootstrap {name}", "--json", "-C DIR"
    )
    assert result.err == ""
    assert "\\b" not in result.out
    assert f"\n    bootstrap {name}" in result.out


def test_without_a_command_it_says_which_there_are(bootstrap: Any, tmp_path: Path) -> None:
    assert bootstrap(cwd=tmp_path).check(0).out == bootstrap("--help", cwd=tmp_path).check(0).out


def test_help_lists_every_command_and_no_other(bootstrap: Any, tmp_path: Path) -> None:
    out = bootstrap("--help", cwd=tmp_path).check(0).out
    listed = re.findall(r"^  ([a-z]+)  +\S", out.split("Commands:")[1], re.MULTILINE)
    assert listed == list(COMMANDS)
    files = {path.stem for path in (ROOT / "bootstrap" / "cli").iterdir()}
    assert set(COMMANDS) <= files


def test_documentation_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [
        name
        for name in COMMANDS
        if f"bootstrap {name}" not in readme and name not in {"down", "status", "logs"}
    ]
    assert missing == []
    assert "status, logs, down" in readme


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (["rnder"], 2, ("there is no command 'rnder': did you mean 'render'?", "See: bootstrap --help")),
        (["env"], 2, ("Missing argument 'SERVICE'", "See: bootstrap env --help")),
        (["env", "api", "--nope"], 2, ("No such option", "See: bootstrap env --help")),
        (["env", "nope"], 2, ("there is no service 'nope'", "Services: api, other")),
        (["env", "api", "--format", "shell"], 2, ("--format shell prints secrets", "--reveal")),
        (["-C", "nowhere", "env", "api"], 2, ("-C nowhere: is not a folder", "Name a folder")),
        (["-C", "/", "env", "api"], 3, ("/: there is no bootstrap.toml here", "bootstrap init")),
        (["render", "--check"], 5, ("12 generated files would change", "Run: bootstrap render")),
    ],
)
def test_an_error_is_one_line_and_one_line_of_hint(
    bootstrap: Any, project: Any, arguments: list[str], code: int, lines: tuple[str, str]
) -> None:
    result = bootstrap(*arguments, cwd=project.root).check(code)
    *_, line, hint = result.err.splitlines()
    assert line.startswith(f"bootstrap: {lines[0]}")
    assert hint.startswith("  ")
    assert lines[1] in hint
    assert "Traceback" not in result.err


def test_json_is_one_document_also_for_an_error(bootstrap: Any, project: Any) -> None:
    good = bootstrap("env", "api", "--json", cwd=project.root).check(0)
    assert [item["name"] for item in json.loads(good.out)][:2] == ["OTEL_SERVICE_NAME", "PORT"]
    bad = bootstrap("--json", "env", "nope", cwd=project.root).check(2)
    assert json.loads(bad.out)["error"]["exit_code"] == 2
    assert "nope" in bad.err


def test_dash_c_works_before_and_after_the_command(bootstrap: Any, project: Any, tmp_path: Path) -> None:
    before = bootstrap("-C", str(project.root), "env", "api", cwd=tmp_path).check(0)
    after = bootstrap("env", "api", "-C", str(project.root / "api"), cwd=tmp_path).check(0)
    assert before.out == after.out


def test_no_command_writes_colours_into_a_pipe(bootstrap: Any, project: Any) -> None:
    for arguments in (["doctor"], ["render", "--diff"], ["env", "api"], ["init", "--defaults"]):
        result = bootstrap(*arguments, cwd=project.root, env={"NO_COLOR": "", "TERM": "xterm-256color"})
        assert "\x1b" not in result.out + result.err


def test_control_characters_do_not_reach_the_terminal(bootstrap: Any, project: Any) -> None:
    text = MANIFEST.replace('"${url:api}"', '"\\u001b]0;owned\\u0007"')
    project.write("bootstrap.toml", text)
    out = bootstrap("env", "api", cwd=project.root).check(0).out
    assert "\\x1b]0;owned\\x07" in out
    assert "\x1b" not in out


def test_a_reader_that_stops_reading_is_no_error(project: Any) -> None:
    command = f"{sys.executable} -m bootstrap env api | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project.root, env=os.environ, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() in {"0", "141"}


def test_an_unexpected_error_leaves_a_report_without_secrets(bootstrap: Any, project: Any) -> None:
    secret = "plainly-fake-" + "x" * 12
    poison = project.write(
        "poison/jinja2/__init__.py", "import os\nraise RuntimeError(os.environ['ROLLBAR_TOKEN'])\n"
    )
    env = {"PYTHONPATH": str(poison.parents[1]), "ROLLBAR_TOKEN": secret}
    result = bootstrap("render", cwd=project.root, env=env).check(
        1, "something went wrong", "Please report it"
    )
    assert "RuntimeError: [masked]" in result.err
    assert "Python 3." in result.err
    assert secret not in result.out + result.err


@pytest.mark.parametrize(
    "words",
    [
        ("secrets", "CANARY"),
        ("secrets", "set", "OTHER_KEY", "CANARY"),
        ("secrets", "set", "OTHER_KEY=CANARY"),
        ("secrets", "get", "OTHER_KEY", "CANARY"),
        ("secrets", "list", "CANARY"),
        ("secrets", "use", "CANARY"),
        ("secrets", "hook", "CANARY"),
        ("secrets", "set", "OTHER_KEY", "--store", "CANARY"),
    ],
)
@pytest.mark.parametrize("value", ["hcaik_0123456789abcdef", "AKIAPLAINLYFAKE12345", "postgres://a:b@c/d"])
def test_a_value_typed_as_an_argument_is_not_repeated(
    bootstrap: Any, project: Any, words: tuple[str, ...], value: str
) -> None:
    result = bootstrap(*(word.replace("CANARY", value) for word in words), cwd=project.root).check(2)
    assert value not in result.out + result.err
    assert result.err.startswith("bootstrap: ")
