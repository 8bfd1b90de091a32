"""`service add`: a valid manifest and all of its files afterwards, or nothing changed."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.rendering.skeletons import files_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository

MANIFEST = """\
# ours
[project]
name = "shop"

[services.backend] # the first
build = "backend"
port = 4567
health = "/health"
telemetry = ["xray"]

[services.db]
image = "postgres:16-alpine"
otel_service_name = "Database"

# what is traced
[telemetry.xray]
group = "Shop"
"""
FLASK = ("service", "add", "gateway", "--template", "flask")


@pytest.fixture
def project(repository: Repository) -> Repository:
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("backend/Dockerfile", "FROM scratch\n")
    return repository


def look(root: Path) -> dict[str, bytes | str]:
    """Everything below a folder, git's own files aside."""
    found: dict[str, bytes | str] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if name.parts[0] != ".git":
            link = f"link to {path.readlink()}" if path.is_symlink() else "folder"
            found[name.as_posix()] = path.read_bytes() if path.is_file() and not path.is_symlink() else link
    return found


def service(project: Repository, name: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(project.read("bootstrap.toml"))["services"][name]
    return table


def test_an_instrumented_service(project: Repository, bootstrap: Bootstrap) -> None:
    done = bootstrap(*FLASK, "--calls", "backend", "--port", "5000", cwd=project.root).check(
        0, "[services.gateway] at port 5000", "gateway/README.md", "docker-compose.yml"
    )
    assert done.out == ""
    assert done.err.endswith("\nNext: bootstrap up\n")
    before, after = MANIFEST.split("\n# what is traced")
    text = project.read("bootstrap.toml")
    assert text.startswith(before + "\n[services.gateway]\n")
    assert text.endswith("\n\n# what is traced" + after)
    assert service(project, "gateway") == {
        "build": "gateway",
        "setup": "python -m pip install --quiet --disable-pip-version-check -r requirements.txt",
        "command": "exec python -m gunicorn 'app:create_app()'",
        "port": 5000,
        "health": "/api/health-check",
        "telemetry": ["honeycomb", "xray", "cloudwatch", "rollbar"],
        "probe": ["/api/hello", "/api/upstream", "/api/error-test"],
        "environment": {"UPSTREAM_URL": "http://${address:backend}:${port:backend}/health"},
        "depends_on": ["backend"],
    }
    written = {
        path.removeprefix("gateway/"): text.decode()
        for path, text in look(project.root / "gateway").items()
        if isinstance(text, bytes)
    }
    assert written == files_of("flask", name="gateway", port=5000)
    bootstrap("render", "--check", cwd=project.root).check(0)
    seen = bootstrap("env", "gateway", "--json", cwd=project.root).check(0).out
    for value in ("127.0.0.1:4567", "http://127.0.0.1:4567/health"):
        assert value in seen


def test_from_a_folder_below_and_with_one_document_as_json(project: Repository, bootstrap: Bootstrap) -> None:
    done = bootstrap(
        "service", "add", "gateway", "--json", "--template", "flask", cwd=project.root / "backend"
    )
    document = json.loads(done.check(0).out)
    assert done.err == ""
    assert (document["service"], document["missing"]) == ("gateway", None)
    assert document["port"] == service(project, "gateway")["port"]
    assert document["written"][0] == "bootstrap.toml"
    assert "gateway/app.py" in document["written"]
    assert {"path": "docker-compose.yml", "change": "create"} in document["files"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--image", "redis:7"), {"image": "redis:7"}),
        (
            ("--image", "redis:7", "--port", "6379", "--telemetry", "xray"),
            {"image": "redis:7", "port": 6379, "telemetry": ["xray"]},
        ),
        (
            ("--port", "1", "--public", "--telemetry", "rollbar, honeycomb,rollbar"),
            {"build": "new", "port": 1, "public": True, "telemetry": ["rollbar", "honeycomb"]},
        ),
        (
            ("--port", "1", "--telemetry", "none", "--calls", "backend/a?b=c/d"),
            {
                "build": "new",
                "port": 1,
                "environment": {"UPSTREAM_URL": "http://${address:backend}:${port:backend}/a?b=c/d"},
                "depends_on": ["backend"],
            },
        ),
    ],
)
def test_without_a_template_it_is_a_block(
    project: Repository, bootstrap: Bootstrap, options: tuple[str, ...], expected: dict[str, Any]
) -> None:
    done = bootstrap("service", "add", "new", *options, cwd=project.root).check(0)
    assert service(project, "new") == expected
    assert not (project.root / "new").exists()
    last = done.err.splitlines()[-1]
    assert last.startswith("Next: ")
    assert ("container engine" if "image" in expected else 'add command = "..." to [services.new]') in last


def test_who_is_called_is_asked_for_what_it_shows(project: Repository, bootstrap: Bootstrap) -> None:
    for name, called, path in (("one", "backend", "/health"), ("two", "one", "/api/hello")):
        bootstrap("service", "add", name, "--template", "flask", "--calls", called, cwd=project.root).check(0)
        (url,) = service(project, name)["environment"].values()
        assert url == f"http://${{address:{called}}}:${{port:{called}}}{path}"
    bootstrap("service", "add", "three", "--template", "flask", cwd=project.root).check(0)
    assert service(project, "three")["probe"] == ["/api/hello", "/api/error-test"]


def test_ports_are_chosen_that_nobody_has(project: Repository, bootstrap: Bootstrap) -> None:
    project.write("bootstrap.local.toml", "[services.backend]\nport = 4568\n")
    chosen = []
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # then somebody else has it, which is as good
            other.bind(("127.0.0.1", 4569))
            other.listen()
        for name in ("one", "two"):
            bootstrap("service", "add", name, "--telemetry", "none", cwd=project.root).check(0)
            chosen.append(service(project, name)["port"])
    assert len({*chosen, 4567, 4568, 4569}) == 5
    assert min(chosen) > 4569


def test_into_an_inline_table_and_an_empty_folder(project: Repository, bootstrap: Bootstrap) -> None:
    project.write("bootstrap.toml", '[project]\nname = "shop"\n[services]\nbackend = { build = "backend" }\n')
    (project.root / "gateway").mkdir()
    bootstrap(*FLASK, cwd=project.root).check(0)
    inline = 'services = { backend = { build = "backend" } } # all\n\n[project]\nname = "shop"\n'
    project.write("bootstrap.toml", inline)
    bootstrap("service", "add", "other", "--template", "flask", cwd=project.root).check(0)
    assert "} # all\n" in project.read("bootstrap.toml")
    bootstrap("render", "--check", cwd=project.root).check(0)


def test_a_file_that_was_edited_is_left_alone(project: Repository, bootstrap: Bootstrap) -> None:
    project.write("docker-compose.yml", "services: {}\n")
    bootstrap(*FLASK, cwd=project.root).check(5, "docker-compose.yml", "left alone")
    assert project.read("docker-compose.yml") == "services: {}\n"
    assert service(project, "gateway")["build"] == "gateway"


def nothing(_: Repository) -> None:
    pass


def not_empty(project: Repository) -> None:
    project.write("gateway/mine", "")


def linked(project: Repository) -> None:
    (project.root.parent / "elsewhere").mkdir()
    (project.root / "gateway").symlink_to("../elsewhere")


def a_file(project: Repository) -> None:
    project.write("gateway", "")


def named_already(project: Repository) -> None:
    project.write("bootstrap.toml", MANIFEST.replace("Database", "gateway"))


def broken(project: Repository) -> None:
    project.write("bootstrap.toml", MANIFEST + "[telemetry.xray]\n")


def no_manifest(project: Repository) -> None:
    (project.root / "bootstrap.toml").unlink()


def odd_template(project: Repository) -> None:
    project.write("bootstrap.toml", MANIFEST + '[files]\ntemplates = "own"\n')
    project.write("own/docker-compose.yml.j2", "{{ nobody }}")


GATEWAY = ("gateway", "--template", "flask")


@pytest.mark.parametrize(
    ("prepare", "arguments", "code", "says"),
    [
        (nothing, ("Gateway",), 2, "'Gateway' is not a usable name"),
        (nothing, ("../up",), 2, "'../up' is not a usable name"),
        (nothing, ("gate/way",), 2, "is not a usable name"),
        (nothing, ("x\n",), 2, "is not a usable name"),
        (nothing, ("",), 2, "is not a usable name"),
        (nothing, ("a" * 64,), 2, "is not a usable name"),
        (nothing, ("backend",), 2, "there is a service 'backend' already"),
        (nothing, ("telemetry",), 2, "telemetry is what the telemetry collector is called"),
        (nothing, (*GATEWAY, "--port", "4567"), 2, "4567 is already the port of backend"),
        (nothing, (*GATEWAY, "--port", "0"), 2, "--port"),
        (nothing, ("gateway", "--template", "rails"), 2, "'flask'"),
        (nothing, (*GATEWAY, "--image", "redis"), 2, "exclude each other"),
        (nothing, (*GATEWAY, "--telemetry", "xray,honeycom"), 2, "Did you mean 'honeycomb'?"),
        (nothing, (*GATEWAY, "--telemetry", ""), 2, "there is no vendor ''"),
        (nothing, (*GATEWAY, "--calls", "nobody"), 2, "there is no service 'nobody'"),
        (nothing, (*GATEWAY, "--calls", "gateway"), 2, "there is no service 'gateway'"),
        (nothing, (*GATEWAY, "--calls", "db"), 2, "db has no port"),
        (not_empty, GATEWAY, 1, "gateway: is there already, and not empty"),
        (linked, GATEWAY, 1, "gateway"),
        (a_file, GATEWAY, 1, "gateway"),
        (named_already, GATEWAY, 1, "services.gateway.otel_service_name"),
        (broken, GATEWAY, 1, "is not valid TOML"),
        (no_manifest, GATEWAY, 3, "bootstrap init"),
        (odd_template, GATEWAY, 1, "docker-compose.yml.j2"),
    ],
)
def test_what_cannot_be_changes_nothing(
    project: Repository,
    bootstrap: Bootstrap,
    prepare: Callable[[Repository], None],
    *,
    arguments: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    prepare(project)
    before = look(project.root.parent)
    done = bootstrap("service", "add", *arguments, cwd=project.root).check(code, says)
    assert done.out == ""
    assert look(project.root.parent) == before


@pytest.mark.parametrize("exists", [False, True])
def test_a_full_disk_leaves_nothing_half_written(
    project: Repository, bootstrap: Bootstrap, *, exists: bool
) -> None:
    """As if full: no file may be larger than a few kilobytes, and some of those to be written are."""
    bootstrap("render", cwd=project.root).check(0)
    if exists:
        (project.root / "gateway").mkdir()
    before = look(project.root)
    limited = f"ulimit -f 14; exec {shlex.quote(sys.executable)} -B -m bootstrap {shlex.join(FLASK)}"
    done = subprocess.run(
        ["sh", "-c", limited], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot write: file too large" in done.stderr
    assert look(project.root) == before
