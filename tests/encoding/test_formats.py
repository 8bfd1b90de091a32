"""The table that `bootstrap env --format` offers, and what single formats refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bootstrap.encoding.formats import FORMATS
from bootstrap.model.errors import BootstrapError

if TYPE_CHECKING:
    from tests.encoding.conftest import Engine

#: what is read by a shell, or given to programs of the user's; the others fill containers, or are data
STEERED = ["shell", "fish", "python-dotenv", "dotenv", "devcontainer"]


def refusal(form: str, name: str, value: str) -> BootstrapError:
    with pytest.raises(BootstrapError) as caught:
        FORMATS[form]([("FIRST", "x"), (name, value)])
    assert caught.value.message.startswith(f"{name}: ")
    return caught.value


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_gives_nothing_to_read(form: str) -> None:
    assert FORMATS[form]([]) == ("{}\n" if form in {"json", "devcontainer"} else "")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("value", "what", "instead"),
    [
        (b"\xff".decode("utf-8", "surrogateescape"), "not UTF-8", "base64"),
        ("\0", "NUL", "base64"),
        ("x" * 128 * 1024, "128 KiB", "in a file"),
    ],
)
def test_what_no_environment_holds_is_refused_by_every_format(
    form: str, value: str, what: str, instead: str
) -> None:
    error = refusal(form, "API_KEY", value)
    assert what in error.message
    assert instead in error.hint


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "name",
    [
        "",
        "1A",
        "A B",
        "A\n",
        "A=B",
        "A.B",
        "A-B",
        "#A",
        "export A",
        "-A",
        "A;id",
        "$(id)",
        "<<",
        "\xc4",
        "A\0",
    ],
)
def test_what_is_no_name_is_refused_by_every_format(form: str, name: str) -> None:
    with pytest.raises(BootstrapError, match="is not the name of a variable"):
        FORMATS[form]([(name, "x")])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS", "https_proxy"])
def test_a_name_that_steers_programs_is_refused_where_a_user_s_program_gets_it(form: str, name: str) -> None:
    if form in STEERED:
        assert "changes how shells and programs behave" in refusal(form, name, "x").message
    else:
        assert name in FORMATS[form]([(name, "x")])


@pytest.mark.parametrize(
    ("form", "value", "why", "hint"),
    [
        (
            *("docker-env", "two\nlines", "has several lines, and `docker run --env-file` reads one"),
            "Use --format shell, fish, compose-env, compose-yaml, python-dotenv, json or devcontainer.",
        ),
        (
            *("docker-env", "a\r", "ends in a carriage return, which `docker run --env-file` drops"),
            "Use --format shell, fish, compose-env, compose-yaml, python-dotenv, json or devcontainer.",
        ),
        (
            *("python-dotenv", "a${B}c", "holds ${, which python-dotenv expands, also in quotes"),
            "Use --format shell, fish, compose-env, compose-yaml, docker-env, json or devcontainer.",
        ),
        (
            *("python-dotenv", "a ${B}\n", "holds ${, which python-dotenv expands, also in quotes"),
            "Use --format shell, fish, compose-env, compose-yaml, json or devcontainer.",
        ),
        (
            *(
                "python-dotenv",
                "a #\\",
                "needs quotes and ends in a backslash, which not every python-dotenv reads",
            ),
            "Use --format shell, fish, compose-env, compose-yaml, docker-env, json or devcontainer.",
        ),
        (
            *("dotenv", "é\n${", "holds what the readers of .env files do not read alike"),
            "Use --format shell, fish, compose-env, compose-yaml, json or devcontainer.",
        ),
    ],
)
def test_a_refusal_says_which_formats_hold_this_value(form: str, value: str, why: str, hint: str) -> None:
    error = refusal(form, "API_KEY", value)
    assert (error.message, error.hint) == (f"API_KEY: {why}", hint)


@pytest.mark.parametrize(
    "value",
    ["=", "=ls", "a:=b", "~", "a:~", "a b", "a#b", "a'", 'a"', "a$b", "a\\b", "a&b", "\xe9", "(a)", "*"],
)
def test_dotenv_refuses_what_one_reader_reads_differently(value: str) -> None:
    refusal("dotenv", "API_KEY", value)


@pytest.mark.parametrize(
    "value", ["", "a", "a=", "a==", "x-team=Key,b=1", "postgres://u:p@h:5432/d", "+/%", ":", "-n"]
)
def test_dotenv_writes_the_rest_as_it_is(value: str) -> None:
    assert FORMATS["dotenv"]([("API_KEY", value)]) == f"API_KEY={value}\n"


def test_python_dotenv_gets_a_last_backslash_without_quotes() -> None:
    # Releases before 1.2.4 would take the quote behind it for an escaped one, and the next line with it.
    assert FORMATS["python-dotenv"]([("A", "C:\\'x'\\"), ("B", "b\\")]) == "A=C:\\'x'\\\nB=b\\\n"


@pytest.mark.parametrize("form", ["docker-env", "dotenv"])
def test_docker_reads_the_longest_line_that_is_written(form: str, docker: Engine) -> None:
    longest = "x" * (64 * 1024 - 1 - len("V="))
    text = FORMATS[form]([("V", longest)])
    assert docker.environment(text + "W=y\n") == {"V": longest, "W": "y"}
    assert docker.refusal(text.replace("=", "=x")).endswith("token too long")
    error = refusal(form, "V", longest + "x")
    assert error.message.endswith("is longer than the 64 KiB line that `docker run --env-file` reads")
    assert "shell" in error.hint


def test_what_programs_parse_is_readable() -> None:
    assert FORMATS["json"]([("A", "\xe9\n"), ("PATH", "")]) == '{\n  "A": "\xe9\\n",\n  "PATH": ""\n}\n'
    assert json.loads(FORMATS["devcontainer"]([("A", "x")])) == {"A": "x"}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_what_it_is_for(form: str) -> None:
    assert FORMATS[form].title.startswith(("for ", "to "))
