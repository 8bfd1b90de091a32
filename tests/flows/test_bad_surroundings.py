"""A right manifest in wrong surroundings: what the command line answers, and that nothing is half written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Refused, Snapshot

ROOT = os.geteuid() == 0
GITPOD = {"GITPOD_WORKSPACE_ID": "shop-abc123", "GITPOD_WORKSPACE_CLUSTER_HOST": "ws-eu1.gitpod.io"}
STRANGER = 54321


def edit(repository: Repository, path: str, extra: str) -> None:
    (repository.root / path).write_text(repository.read(path) + extra, encoding="utf-8")


def own_template(text: str | bytes, name: str = "docker-compose.yml.j2") -> Callable[[Repository], None]:
    """Make the project use one template of its own."""

    def change(repository: Repository) -> None:
        edit(repository, "bootstrap.toml", '[files]\ntemplates = "own"\n')
        repository.write(f"own/{name}", "")
        (repository.root / "own" / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return change


def linked(path: str, target: str) -> Callable[[Repository], None]:
    """Put a symbolic link in the project."""

    def change(repository: Repository) -> None:
        (repository.root / path).parent.mkdir(parents=True, exist_ok=True)
        (repository.root / path).symlink_to(target)

    return change


def linked_template(repository: Repository) -> None:
    own_template("", ".env.example.j2")(repository)
    (repository.root / "own/docker-compose.yml.j2").symlink_to("/etc/hostname")


def linked_template_folder(repository: Repository) -> None:
    own_template("", ".env.example.j2")(repository)
    (repository.root / "own/.devcontainer").symlink_to("/etc")


def linked_manifest(repository: Repository) -> None:
    (repository.root / "bootstrap.toml").rename(repository.root / "real.toml")
    (repository.root / "bootstrap.toml").symlink_to("real.toml")


def latin_manifest(repository: Repository) -> None:
    (repository.root / "bootstrap.toml").write_bytes(b'[project]\nname = "caf\xe9"\n')


def local(text: str) -> Callable[[Repository], None]:
    return lambda repository: (repository.write("bootstrap.local.toml", text), None)[1]


def folder_in_the_way(repository: Repository) -> None:
    (repository.root / "docker-compose.yml").mkdir()


def pipe_in_the_way(repository: Repository) -> None:
    os.mkfifo(repository.root / "docker-compose.yml")


def file_in_the_way(repository: Repository) -> None:
    repository.write(".devcontainer", "a file\n")


def strangers_manifest(repository: Repository) -> None:
    if not ROOT:
        pytest.skip("only root can give a file to another user")
    os.chown(repository.root / "bootstrap.toml", STRANGER, STRANGER)


#: what is wrong -> (what makes it so, the exit code, what the first line names, a part of the hint)
CASES: dict[str, tuple[Callable[[Repository], None], int, str, str]] = {
    "template, undefined name": (
        own_template("a\n{{ projekt.name }}"),
        1,
        "docker-compose.yml.j2: line 2: 'projekt'",
        "spelling",
    ),
    "template, undefined attribute": (own_template("{{ project.nmae }}"), 1, "line 1", "spelling"),
    "template, syntax": (
        own_template("a\n\n{% if %}"),
        1,
        "docker-compose.yml.j2: line 3",
        "Correct the template",
    ),
    "template, unknown filter": (
        own_template("{{ 1 | nosuch }}"),
        1,
        "docker-compose.yml.j2: line 1",
        "Correct",
    ),
    "template, unknown name": (
        own_template("x", "compose.yml.j2"),
        1,
        "own/compose.yml.j2: is not the name",
        "docker-compose.yml.j2",
    ),
    "template, outside its folder": (
        own_template("{% include '/etc/hostname' %}"),
        1,
        "docker-compose.yml.j2",
        "Correct",
    ),
    "template, another of ours": (
        own_template("{% include '../bootstrap.toml' %}"),
        1,
        "docker-compose.yml.j2",
        "Correct",
    ),
    "template, endless": (
        own_template("{% include 'docker-compose.yml.j2' %}"),
        1,
        "docker-compose.yml.j2",
        "Correct",
    ),
    "template, endless macro": (
        own_template("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        1,
        "docker-compose.yml.j2",
        "Correct",
    ),
    "template, huge range": (
        own_template("{% for a in range(1000000000) %}{% endfor %}"),
        1,
        "docker-compose.yml.j2",
        "Correct",
    ),
    "template, wrong kind": (own_template("{{ 5 | shell }}"), 1, "docker-compose.yml.j2", "Correct"),
    "template, no text": (own_template("{{ '\\ud800' }}"), 1, "docker-compose.yml.j2", "Correct"),
    "template, not UTF-8": (own_template(b"\xff"), 1, "own/docker-compose.yml.j2: is not UTF-8", "UTF-8"),
    "template, a link": (linked_template, 1, "own/docker-compose.yml.j2: is a symbolic link", "itself"),
    "template, a linked folder": (
        linked_template_folder,
        1,
        "own/.devcontainer: is a symbolic link",
        "itself",
    ),
    "manifest, a link": (linked_manifest, 1, "bootstrap.toml: is not a regular file", "of your own"),
    "manifest, not UTF-8": (latin_manifest, 1, "bootstrap.toml: is not UTF-8", "UTF-8"),
    "manifest, of another user": (
        strangers_manifest,
        1,
        f"belongs to another user (uid {STRANGER}",
        "sudo chown",
    ),
    "manifest, none": (
        lambda repository: (repository.root / "bootstrap.toml").unlink(),
        3,
        "there is no bootstrap.toml",
        "bootstrap init",
    ),
    "local manifest, unknown table": (
        local("[project]\nname = 'x'\n"),
        1,
        "bootstrap.local.toml: project",
        "services.NAME.port",
    ),
    "local manifest, unknown service": (
        local("[services.wbe]\nport = 1\n"),
        1,
        "bootstrap.local.toml: services.wbe",
        "'web'",
    ),
    "local manifest, unknown key": (
        local("[services.web]\nimage = 'x'\n"),
        1,
        "bootstrap.local.toml: services.web.image",
        "port",
    ),
    "local manifest, broken": (local("[services"), 1, "bootstrap.local.toml: is not valid TOML", "Correct"),
    "local manifest, URL of nobody": (
        local("[services.web]\nenvironment = { A = '${url:x}' }\n"),
        1,
        "bootstrap.local.toml: services.web.environment.A",
        "web",
    ),
    "target, a link": (
        linked("docker-compose.yml", "/tmp/elsewhere"),
        1,
        "docker-compose.yml: cannot read",
        "symbolic link",
    ),
    "target, a link to nowhere": (
        linked(".gitpod.yml", "nowhere"),
        1,
        ".gitpod.yml: cannot read",
        "symbolic link",
    ),
    "target, below a link": (linked(".devcontainer", "web"), 1, ".devcontainer/", "symbolic link"),
    "target, below a deep link": (linked("aws/json", "../web"), 1, "aws/json/", "symbolic link"),
    "target, private, below a link": (linked(".bootstrap", "web"), 1, ".bootstrap/", "symbolic link"),
    "target, a folder": (folder_in_the_way, 1, "docker-compose.yml", "out of the way"),
    "target, a pipe": (pipe_in_the_way, 1, "docker-compose.yml: is not a regular file", "out of the way"),
    "target, below a file": (file_in_the_way, 1, ".devcontainer/", "out of the way"),
}

# tests/rendering/test_renderer.py knows many more.
ESCAPES = (
    "''.__class__.__mro__",
    "''|attr('__class__')",
    "('{0.__class__}' | attr('format'))(1)",
    "lipsum.__globals__['os'].popen('id').read()",
    "self._TemplateReference__context",
    "services.clear()",
)


@pytest.mark.parametrize("case", CASES)
def test_wrong_surroundings_are_refused(
    case: str, project: Repository, bootstrap: Bootstrap, refused: Refused, snapshot: Snapshot
) -> None:
    change, code, names, hint = CASES[case]
    change(project)
    before = snapshot(project.root)

    answer = bootstrap("render", cwd=project.root)

    refused(answer, code, names, hint)
    assert answer.out == ""
    assert snapshot(project.root) == before


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_sees_plain_data_only(
    escape: str, project: Repository, bootstrap: Bootstrap, refused: Refused, snapshot: Snapshot
) -> None:
    own_template(f"line 1\n{{{{ {escape} }}}}\n")(project)
    before = snapshot(project.root)

    refused(bootstrap("render", cwd=project.root), 1, "docker-compose.yml.j2: line 2: ")

    assert snapshot(project.root) == before


#: what is missing -> a workspace without it
WORKSPACES = {
    "GITPOD_WORKSPACE_CLUSTER_HOST is empty": {**GITPOD, "GITPOD_WORKSPACE_CLUSTER_HOST": ""},
    "GITPOD_WORKSPACE_URL is 'https://.'": {**GITPOD, "GITPOD_WORKSPACE_URL": "https://."},
    "GITPOD_WORKSPACE_ID is empty": {"GITPOD_INSTANCE_ID": "x"},
    "CODESPACE_NAME is empty": {"CODESPACES": "true"},
    "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN is empty": {"CODESPACE_NAME": "x"},
    "GITPOD_REGION is empty": {"GITPOD_ENVIRONMENT_ID": "x"},
}


@pytest.mark.parametrize("case", WORKSPACES)
def test_a_workspace_without_urls_is_refused(
    case: str, project: Repository, bootstrap: Bootstrap, refused: Refused, snapshot: Snapshot
) -> None:
    before = snapshot(project.root)
    refused(bootstrap("render", cwd=project.root, env=WORKSPACES[case]), 3, case)
    assert snapshot(project.root) == before
