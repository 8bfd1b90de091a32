"""Which names shells leave to others: each identifier in their own programs is tried."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap.encoding.formats import FORMATS
from bootstrap.encoding.names import check_variable
from bootstrap.model.errors import BootstrapError

SHELLS = {
    "bash-posix": ["bash", "--norc", "--posix"],
    "bash-interactive": ["bash", "--norc", "-i"],
    "dash": ["dash"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config"],
}


def identifiers(program: str) -> set[str]:
    """Whatever looks like a name in a program or its modules, also in wide characters."""
    found: set[str] = set()
    for file in [Path(shutil.which(program) or "").resolve(), *modules(program)]:
        data = file.read_bytes()
        found.update(match.decode() for match in re.findall(rb"[A-Za-z_][A-Za-z0-9_]{1,40}", data))
        wide = (match[::4].decode() for match in re.findall(rb"(?:[A-Za-z0-9_]\0\0\0){2,40}", data))
        found.update(name for name in wide if not name[0].isdigit())
    # Linkers keep RANDOM as the end of SRANDOM.
    ends = {name[start:] for name in found for start in range(1, len(name) - 2)}
    return found | {name for name in ends if re.fullmatch(r"[A-Z][A-Z0-9_]*", name)}


def modules(program: str) -> list[Path]:
    if program != "zsh":
        return []
    command = ["zsh", "-f", "-c", "print -l $^module_path/**/*.so"]
    return [Path(line) for line in subprocess.check_output(command, text=True).splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_sets_every_name_that_is_not_refused(shell: str, tmp_path: Path) -> None:
    program = SHELLS[shell][0]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    form = "fish" if program == "fish" else "shell"
    names = sorted(name for name in identifiers(program) if FORMATS[form].holds(name, ""))
    assert len(names) > 500
    script = tmp_path / "script"
    for value in ("it's x::1", ""):
        lines = FORMATS[form]([(name, value) for name in names])
        # What the shell itself has for the name can differ from what it exports.
        seen = "".join(f"printf '%s\\0' \"seen_{name}=${name}\"\n" for name in names)
        script.write_text(f"{lines}{seen}exec env -0\n")
        done = subprocess.run(
            [*SHELLS[shell], script], cwd=tmp_path, capture_output=True, check=False, timeout=120
        )
        records = set(done.stdout.decode().split("\0"))
        wrong = [name for name in names if not {f"{name}={value}", f"seen_{name}={value}"} <= records]
        assert wrong == []


@pytest.mark.parametrize(
    "name",
    [
        "PORT",
        "DATABASE_URL",
        "VERSION",
        "STATUS",
        "HOSTNAME",
        "LANG",
        "TZ",
        "DB_PASSWORD",
        "x1",
        "PATHS",
        "MY_PATH",
        "PSQL",
        "_X",
    ],
)
def test_what_only_sounds_like_a_shell_s_own_is_nobody_s(name: str) -> None:
    assert FORMATS["shell"].holds(name, "x")
    assert FORMATS["fish"].holds(name, "x")


@pytest.mark.parametrize("form", ["shell", "fish", "dotenv"])
@pytest.mark.parametrize(
    "name",
    [
        "UID",
        "PPID",
        "RANDOM",
        "SECONDS",
        "USERNAME",
        "OPTIND",
        "TMOUT",
        "COLUMNS",
        "PWD",
        "SHLVL",
        "READNULLCMD",
    ],
)
def test_a_shell_s_own_name_is_refused_where_a_shell_reads(form: str, name: str) -> None:
    assert not FORMATS[form].holds(name, "x")
    assert FORMATS["docker-env"].holds(name, "x")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "PATH",
            "path",
            "IFS",
            "ENV",
            "BASH_ENV",
            "BASH_FUNC_ls",
            "SHELLOPTS",
            "PS1",
            "PS4",
            "PROMPT_COMMAND",
        ),
        *("CDPATH", "LD_PRELOAD", "ld_preload", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "PYTHONPATH"),
        *(
            "PYTHONSTARTUP",
            "NODE_OPTIONS",
            "GIT_SSH_COMMAND",
            "GIT_DIR",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
        ),
        *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS_2", "AWS_PROFILE"),
        *("HOME", "SHELL", "EDITOR", "ZDOTDIR", "PERL5LIB", "RUBYOPT"),
    ],
)
def test_a_name_that_changes_how_programs_behave_is_refused(name: str) -> None:
    with pytest.raises(BootstrapError, match=rf"^{name}: changes how") as caught:
        check_variable(name)
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["status", "history", "version", "fish_pid", "fish_trace", "FISH_VERSION", "umask"]
)
def test_fish_s_own_name_is_refused(name: str) -> None:
    assert not FORMATS["fish"].holds(name, "x")
