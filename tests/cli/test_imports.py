"""Starting a command takes as long as what it imports: what the quickest two must do without.

`bootstrap --help` is what somebody types who knows nothing yet, and `bootstrap run` is what scripts put
before every command. One `import` at the top of a module that both reach can double their time unnoticed.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bootstrap

_MANIFEST = '[project]\nname = "small"\n\n[services.api]\nbuild = "api"\ntelemetry = ["honeycomb", "xray"]\n'

# What neither has any use for, by what would pull it in.
_HEAVY = {
    "jinja2": "rendering",
    "bootstrap.rendering": "rendering",
    "tomlkit": "editing the manifest",
    "subprocess": "git, and the process engine",
    "psutil": "the process engine",
    "sqlite3": "the collector",
    "asyncio": "the collector",
    "starlette": "the collector",
    "uvicorn": "the collector",
    "google.protobuf": "the collector",
    "opentelemetry": "the collector",
    "importlib.metadata": "--version",
    "urllib.request": "readiness checks",
    "http.client": "readiness checks",
    "logging": "other people's libraries",
}
# Of `run` alone: it has neither options to parse nor words to say unless something is wrong.
_PARSING = {
    "click": "the parser; bootstrap.cli.direct does without",
    "typing_extensions": "msgspec asks for it, and typing will do",
    "inspect": "click and typing_extensions",
    "json": "msgspec is at hand",
    "difflib": "an error's suggestion",
    "hashlib": "OpenSSL; bootstrap.system.private.folder_name does without",
}
# Of --help alone: it knows nothing of any project.
_PROJECT = {
    "msgspec": "the manifest's types",
    "tomllib": "the manifest",
    "bootstrap.vendors": "the manifest's vendors",
    "bootstrap.flows": "a verb, imported only when it is called",
}


# Says on stderr which modules there are when this process becomes another program, or ends.
_PROBE = """
import sys

def tell(event, _arguments):
    if event == "os.exec":
        print(*sys.modules, file=sys.stderr, flush=True)

sys.addaudithook(tell)
from bootstrap.__main__ import main
try:
    main()
except SystemExit:
    tell("os.exec", ())
    raise
"""


def imported(*arguments: str, cwd: Path) -> set[str]:
    """Run the command line and return every module that there is at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "bootstrap.toml").write_text(_MANIFEST, encoding="utf-8")
    return tmp_path


def needless(modules: set[str], unwanted: dict[str, str]) -> dict[str, str]:
    return {name: why for name, why in unwanted.items() if name in modules}


def test_help_imports_the_parser_and_the_table_of_verbs(project: Path) -> None:
    modules = imported("--help", cwd=project)
    assert {"click", "bootstrap.cli.commands"} <= modules
    assert needless(modules, {**_HEAVY, **_PROJECT}) == {}


def test_run_imports_what_makes_an_environment(project: Path) -> None:
    modules = imported("run", "api", "--", "true", cwd=project)
    assert {"msgspec", "bootstrap.vendors", "bootstrap.system.execute"} <= modules
    assert needless(modules, {**_HEAVY, **_PARSING}) == {}


def test_run_reads_the_file_store_with_as_little(project: Path, bootstrap: Bootstrap) -> None:
    bootstrap("secrets", "use", "file", cwd=project).check(0)
    bootstrap("secrets", "set", "HONEYCOMB_API_KEY", cwd=project, data="made-up").check(0)
    modules = imported("run", "api", "--", "true", cwd=project)
    assert "bootstrap.secrets.file" in modules
    assert {name for name in modules if name.startswith("bootstrap.secrets.")} == {
        "bootstrap.secrets.interface",
        "bootstrap.secrets.session",
        "bootstrap.secrets.environment",
        "bootstrap.secrets.file",
    }
    assert needless(modules, {**_HEAVY, **_PARSING}) == {}


def test_run_with_options_may_parse_them(project: Path) -> None:
    modules = imported("-C", str(project), "run", "api", "--", "true", cwd=project.parent)
    assert "click" in modules
    assert needless(modules, _HEAVY) == {}


def test_up_imports_nothing_of_containers_pages_or_the_collector(project: Path) -> None:
    modules = imported("up", "--engine", "process", "--prepare", cwd=project)
    assert "bootstrap.stack.supervisor" in modules
    collector = {name: why for name, why in _HEAVY.items() if why == "the collector"}
    unwanted = {"jinja2": "rendering", "tomlkit": "the manifest's text", "watchfiles": "changes", **collector}
    assert needless(modules, unwanted) == {}
