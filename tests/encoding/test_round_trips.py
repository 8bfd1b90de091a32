"""Every format against its real readers: each value comes back byte for byte, or is refused by name."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import dotenv
import pytest

from bootstrap.encoding.formats import FORMATS
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.encoding.conftest import Compose, Engine

    Read = Callable[[str], dict[str, str]]

#: generating the values alone takes minutes in a soak
pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]

SHELLS = {
    "sh": ["sh"],
    "bash": ["bash"],
    "bash-posix": ["bash", "--posix"],
    "dash": ["dash"],
    "zsh": ["zsh", "-f"],
}
EVAL = ["-c", 'eval "$(cat "$1")" && exec env -0', "shell"]
SOURCE = ["-c", 'set -a && . "$1" && exec env -0', "shell"]
FISH = ["fish", "--no-config", "-c"]
PARSE = "process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(process.argv[1]))))"
SERVICE = "services:\n  s:\n    image: x\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "values"


def output(path: Path, text: str, *command: str) -> bytes:
    """What a program prints that reads `text` as the file `path`."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    path.write_bytes(text.encode())
    done = subprocess.run(command, cwd=path.parent, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def variables(printed: bytes) -> dict[str, str]:
    """What `env -0` has printed of ours."""
    pairs = (line.partition("=") for line in printed.decode().split("\0"))
    return {name: value for name, _, value in pairs if name.startswith("V_")}


def check(form: str, values: list[str], read: Read) -> None:
    """Hand over all values that this format holds, and compare what comes back."""
    held = [value for value in values if FORMATS[form].holds("V", value)]
    for batch in batches(held):
        pairs = {f"V_{number}": value for number, value in enumerate(batch)}
        found = read(FORMATS[form](list(pairs.items())))
        assert found.keys() == pairs.keys()
        assert [(pairs[name], found[name]) for name in pairs if found[name] != pairs[name]] == []
    logging.getLogger(__name__).info("%s: %d of %d values came back", form, len(held), len(values))
    # One line is all that docker run --env-file holds, and of few values more than half have more by chance.
    assert len(held) > len(values) // 4


def batches(values: list[str]) -> Iterator[list[str]]:
    """Few enough for one environment: a quarter of what Linux gives to all variables and arguments."""
    batch: list[str] = []
    size = 0
    for value in values:
        size += len(value.encode()) + 20
        if batch and size > 500_000:
            yield batch
            batch, size = [], len(value.encode()) + 20
        batch.append(value)
    yield batch


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_evaluate(shell: str, corpus: list[str], path: Path) -> None:
    command = [*SHELLS[shell], *EVAL, str(path)]
    check("shell", corpus, lambda text: variables(output(path, text, *command)))


@pytest.mark.parametrize(
    "script", ["source $argv[1]", 'eval "$(cat $argv[1])"', "eval (cat $argv[1] | string collect)"]
)
def test_fish_evaluates(script: str, corpus: list[str], path: Path) -> None:
    command = [*FISH, f"{script}; and exec env -0", str(path)]
    check("fish", corpus, lambda text: variables(output(path, text, *command)))


def test_compose_reads_an_env_file(corpus: list[str], compose: Compose) -> None:
    check("compose-env", corpus, lambda text: in_env_file(compose, text))


def in_env_file(compose: Compose, text: str) -> dict[str, str]:
    return compose.environment(SERVICE + "    env_file: [values.env]\n", **{"values.env": text})


def test_compose_reads_what_is_pasted(corpus: list[str], compose: Compose) -> None:
    head = SERVICE + "    environment:\n"
    check("compose-yaml", corpus, lambda text: compose.environment(head + textwrap.indent(text, " " * 6)))


def test_docker_reads_an_env_file(corpus: list[str], docker: Engine) -> None:
    check("docker-env", corpus, docker.environment)


@pytest.mark.parametrize("interpolate", [True, False])
def test_python_dotenv_reads(corpus: list[str], path: Path, *, interpolate: bool) -> None:
    check("python-dotenv", corpus, lambda text: in_python(path, text, interpolate=interpolate))


def in_python(path: Path, text: str, *, interpolate: bool = True) -> dict[str, str]:
    path.write_bytes(text.encode())
    return {name: value or "" for name, value in dotenv.dotenv_values(path, interpolate=interpolate).items()}


def test_dotenv_run_hands_on(corpus: list[str], path: Path) -> None:
    command = [sys.executable, "-m", "dotenv", "--file", str(path), "run", "--", "env", "-0"]
    check("python-dotenv", corpus, lambda text: variables(output(path, text, *command)))


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_source_what_all_read(shell: str, words: list[str], path: Path) -> None:
    command = [*SHELLS[shell], *SOURCE, str(path)]
    check("dotenv", words, lambda text: variables(output(path, text, *command)))


def test_python_dotenv_reads_what_all_read(words: list[str], path: Path) -> None:
    check("dotenv", words, lambda text: in_python(path, text))


def test_compose_reads_what_all_read(words: list[str], compose: Compose) -> None:
    check("dotenv", words, lambda text: in_env_file(compose, text))


def test_docker_reads_what_all_read(words: list[str], docker: Engine) -> None:
    check("dotenv", words, docker.environment)


def test_node_reads_what_all_read(words: list[str], path: Path) -> None:
    script = "for (const [k, v] of Object.entries(process.env)) process.stdout.write(`${k}=${v}\\0`)"
    command = ["node", f"--env-file={path}", "-e", script]
    check("dotenv", words, lambda text: variables(output(path, text, *command)))


@pytest.mark.parametrize("form", ["json", "devcontainer"])
def test_python_parses(form: str, corpus: list[str]) -> None:
    check(form, corpus, lambda text: json.loads(text.encode()))


@pytest.mark.parametrize("form", ["json", "devcontainer"])
def test_node_parses(form: str, corpus: list[str], path: Path) -> None:
    check(form, corpus, lambda text: json.loads(output(path, text, "node", "-e", PARSE, str(path))))


@pytest.mark.parametrize("form", FORMATS)
def test_a_refusal_names_the_variable_and_the_formats_that_hold_its_value(
    form: str, corpus: list[str]
) -> None:
    for value in corpus[:2000]:
        if FORMATS[form].holds("API_KEY", value):
            continue
        with pytest.raises(BootstrapError, match=r"^API_KEY: ") as caught:
            FORMATS[form]([("FIRST", "x"), ("API_KEY", value)])
        named = re.findall(r"[a-z-]+", caught.value.hint.removeprefix("Use --format").replace(" or ", " "))
        assert named == [other for other in FORMATS if FORMATS[other].holds("API_KEY", value)]
        assert "json" in named
