"""A right manifest in wrong surroundings: what the command line answers, and that nothing is half written."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Snapshot

ROOT = os.geteuid() == 0
GITPOD = {"GITPOD_WORKSPACE_ID": "shop-abc123", "GITPOD_WORKSPACE_CLUSTER_HOST": "ws-eu1.gitpod.io"}
STRANGER = 54321


def edit(repository: Repository, path: str, extra: str = "# mine\n") -> None:
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
        "Mend the template",
    ),
    "template, unknown filter": (
        own_template("{{ 1 | nosuch }}"),
        1,
        "docker-compose.yml.j2: line 1",
        "Mend",
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
        "Mend",
    ),
    "template, another of ours": (
        own_template("{% include '../bootstrap.toml' %}"),
        1,
        "docker-compose.yml.j2",
        "Mend",
    ),
    "template, endless": (
        own_template("{% include 'docker-compose.yml.j2' %}"),
        1,
        "docker-compose.yml.j2",
        "Mend",
    ),
    "template, endless macro": (
        own_template("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        1,
        "docker-compose.yml.j2",
        "Mend",
    ),
    "template, huge range": (
        own_template("{% for a in range(10**9) %}{% endfor %}"),
        1,
        "docker-compose.yml.j2",
        "Mend",
    ),
    "template, wrong kind": (own_template("{{ 5 | shell }}"), 1, "docker-compose.yml.j2", "Mend"),
    "template, no text": (own_template("{{ '\\ud800' }}"), 1, "docker-compose.yml.j2", "Mend"),
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
    "local manifest, broken": (local("[services"), 1, "bootstrap.local.toml: is not valid TOML", "Mend"),
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


def check_refusal(answer: Any, code: int, names: str, hint: str = "") -> None:
    """One line that names the thing, one line of what to do, and the exit code."""
    assert answer.code == code, answer
    first, second = answer.err.splitlines()
    assert first.startswith("bootstrap: ")
    assert names in first
    assert second.startswith("  ")
    assert second.strip()
    assert hint in second


@pytest.mark.parametrize("case", CASES)
def test_wrong_surroundings_are_refused(
    case: str, project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    change, code, names, hint = CASES[case]
    change(project)
    before = snapshot(project.root)

    answer = bootstrap("render", cwd=project.root)

    check_refusal(answer, code, names, hint)
    assert answer.out == ""
    assert snapshot(project.root) == before


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_sees_plain_data_only(
    escape: str, project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    own_template(f"line 1\n{{{{ {escape} }}}}\n")(project)
    before = snapshot(project.root)

    check_refusal(bootstrap("render", cwd=project.root), 1, "docker-compose.yml.j2: line 2: ")

    assert snapshot(project.root) == before


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({**GITPOD, "GITPOD_WORKSPACE_CLUSTER_HOST": ""}, "GITPOD_WORKSPACE_CLUSTER_HOST is empty"),
        ({**GITPOD, "GITPOD_WORKSPACE_URL": "https://."}, "GITPOD_WORKSPACE_URL is 'https://.'"),
        ({"GITPOD_INSTANCE_ID": "x"}, "GITPOD_WORKSPACE_ID is empty"),
        ({"CODESPACES": "true"}, "CODESPACE_NAME is empty"),
        ({"CODESPACES": "true", "CODESPACE_NAME": "x"}, "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN is empty"),
        ({"GITPOD_ENVIRONMENT_ID": "x"}, "GITPOD_REGION is empty"),
    ],
)
def test_a_workspace_without_urls_is_refused(
    environ: dict[str, str], names: str, project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    before = snapshot(project.root)
    answer = bootstrap("render", cwd=project.root, env=environ)
    check_refusal(answer, 3, names)
    assert snapshot(project.root) == before


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docker-compose.yml", "services:\n  theirs:\n    image: x\n"),
        (".gitpod.yml", "tasks: []\n"),
        (".devcontainer/devcontainer.json", '{"image": "x"}\n'),
        (".devcontainer/install.sh", "#!/bin/sh\n"),
        (".env.example", "A=\n"),
        ("aws/json/xray-group.json", '{"GroupName": "Theirs"}\n'),
        ("aws/json/xray-sampling-rule-web.json", "{}\n"),
    ],
)
@pytest.mark.parametrize("committed", [True, False])
def test_somebody_elses_file_is_never_touched(
    path: str, text: str, *, committed: bool, project: Repository, bootstrap: Bootstrap
) -> None:
    project.write(path, text)
    if committed:
        project.git("add", path)
        project.git("commit", "--quiet", "--message", "What was here before")
    for arguments in (["render"], ["render", "--force"], ["init", "--defaults"]):
        answer = bootstrap(*arguments, cwd=project.root).check(5, path, "not made by this tool", "theirs")
        assert "Traceback" not in answer.err
        assert project.read(path) == text
        assert not (project.root / f"{path}.orig").exists()
    assert (project.root / ".env.example").exists()  # the others are written


def test_an_edited_file_is_shown_and_left_alone_until_forced(
    project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    bootstrap("render", cwd=project.root).check(0)
    project.commit()
    edit(project, "docker-compose.yml", "x-mine: 1\n")
    edited = project.read("docker-compose.yml")
    before = snapshot(project.root)

    answer = bootstrap("render", cwd=project.root).check(5, "docker-compose.yml: edited by hand")
    assert "-x-mine: 1" in answer.out.splitlines()
    assert "render --force" in answer.err.splitlines()[-1]
    bootstrap("render", "--check", cwd=project.root).check(5)
    bootstrap("init", "--defaults", cwd=project.root).check(5, "edited by hand")
    after = snapshot(project.root)
    after.pop(".gitattributes", None)  # `init` completes git's lists, whatever else there is to decide
    after[".gitignore"] = before[".gitignore"]
    assert after == before

    bootstrap("render", "--force", cwd=project.root).check(0)
    assert project.read("docker-compose.yml.orig") == edited
    assert "x-mine" not in project.read("docker-compose.yml")
    bootstrap("render", "--check", cwd=project.root).check(0)


def test_an_edit_that_is_not_utf8_is_shown_and_kept(project: Repository, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=project.root).check(0)
    path = project.root / "docker-compose.yml"
    edited = path.read_bytes() + b"# caf\xe9\r\n"
    path.write_bytes(edited)
    shown = subprocess.run(
        [sys.executable, "-m", "bootstrap", "render"],
        cwd=project.root,
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 5
    assert b"-# caf" in shown.stdout
    assert "docker-compose.yml: edited by hand" in shown.stderr.decode()
    bootstrap("render", "--force", cwd=project.root).check(0)
    assert (project.root / "docker-compose.yml.orig").read_bytes() == edited


def test_a_secret_in_an_edited_file_is_masked(project: Repository, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=project.root).check(0)
    edit(project, "docker-compose.yml", "x-note: plainly-fake-value\nx-api-key: another-fake-value\n")
    answer = bootstrap(
        "render", "--diff", cwd=project.root, env={"HONEYCOMB_API_KEY": "plainly-fake-value"}
    ).check(5)
    assert "fake-value" not in answer.out + answer.err
    assert "********" in answer.out


def test_a_secret_that_is_not_text_is_refused_by_name(project: Repository) -> None:
    for form in ("shell", "compose-env", "json"):
        done = subprocess.run(
            [sys.executable, "-m", "bootstrap", "env", "web", "--format", form, "--reveal"],
            cwd=project.root,
            env={**os.environb, b"HONEYCOMB_API_KEY": b"\xff\xfe"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, b"")
        first, second = done.stderr.decode().splitlines()
        assert "UTF-8" in first
        assert second.strip()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a tiny file system with the given options; only root can."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
        mounted = True
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_whole_files(
    project: Repository, bootstrap: Bootstrap, snapshot: Snapshot, small_disk: Callable[[str], Path]
) -> None:
    whole = project.root
    bootstrap("render", cwd=whole).check(0)
    disk = small_disk("size=64k")
    for name in ("bootstrap.toml", "web"):
        (shutil.copytree if (whole / name).is_dir() else shutil.copy)(whole / name, disk / name)
    (disk / ".git").mkdir()
    filler = disk / "filler"
    seen = set()
    for room in range(0, 64, 8):
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(b"x" * 4096):
                pass
        os.truncate(filler, max(0, filler.stat().st_size - 1024 * room))
        answer = bootstrap("render", cwd=disk)
        made = snapshot(disk)
        for path, found in snapshot(whole).items():
            assert path not in made or made[path] == found or path == ".bootstrap/written.json"
        assert not [path for path in made if path.endswith(".tmp")]
        seen.add(answer.code)
        if answer.code:
            check_refusal(answer, 1, "cannot ", "")
            assert "no space left" in answer.err
        filler.unlink()
    assert seen == {0, 1}
    bootstrap("render", cwd=disk).check(0)


def test_a_file_size_limit_leaves_whole_files(
    project: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    before = snapshot(project.root)
    limited = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-B", "-m", "bootstrap", "render"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.returncode == 1, limited
    first, second = limited.stderr.splitlines()
    assert "cannot write: file too large" in first
    assert second.strip()
    after = snapshot(project.root)
    after.pop(".bootstrap", None)
    assert after == before
    bootstrap("render", cwd=project.root).check(0)


@pytest.mark.parametrize("arguments", [["render"], ["init", "--defaults"]])
def test_a_read_only_folder_is_named(
    arguments: list[str],
    project: Repository,
    bootstrap: Bootstrap,
    snapshot: Snapshot,
    small_disk: Callable[[str], Path],
) -> None:
    """Permissions do not bind root, for whom the whole file system is read-only; for others the folder is."""
    if ROOT:
        folder = small_disk("size=4m") / "project"
        shutil.copytree(project.root, folder)
        subprocess.run(["mount", "-o", "remount,ro", str(folder.parent)], check=True)
    else:
        folder = project.root
        folder.chmod(0o555)
    before = snapshot(folder)
    try:
        check_refusal(bootstrap(*arguments, cwd=folder), 1, "cannot ")
        assert snapshot(folder) == before
    finally:
        if not ROOT:
            folder.chmod(0o755)
