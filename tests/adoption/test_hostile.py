"""What a stranger's files can do to whoever adopts them: nothing but say what they are."""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.adoption import composing
from bootstrap.adoption.documents import UnreadableFileError
from bootstrap.adoption.found import Chosen
from bootstrap.flows import adopt as adopt_flow
from bootstrap.system.files import ProjectFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adoption.conftest import Adopt, Adopted
    from tests.conftest import Repository

WEB = {"compose.yaml": "services: {web: {image: x, ports: ['8000:80']}}\n"}


def init(adopted: Adopted, **environ: str) -> dict[str, Any]:
    answer = adopted.run("init", "--defaults", "--json", environ=environ).check(0)
    told: dict[str, Any] = json.loads(answer.out)
    return told["adopted"] or {}


def manifest(adopted: Adopted) -> dict[str, Any]:
    return tomllib.loads(adopted.repository.read("bootstrap.toml"))


def why(told: dict[str, Any]) -> str:
    return "\n".join(f"{each['where']}: {each['why']}" for each in told["left"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("include: [https://example.com/compose.git]\n", "comes from elsewhere"),
        ("include: [{path: oci://example.com/x}]\n", "comes from elsewhere"),
        ("include: [git@example.com:x/y.git]\n", "comes from elsewhere"),
        ("include: [../outside.yaml]\n", "leads out of the repository"),
        ("include: [/outside.yaml]\n", "leads out of the repository"),
        ("include: [{path: inside.yaml, project_directory: ../..}]\n", "leads out of the repository"),
        ("include: [{path: inside.yaml, env_file: /dev/zero}]\n", "leads out of the repository"),
        ("include: ['${ANY}.yaml']\n", "has a variable in it"),
        ("include: [compose.yaml]\n", "includes itself"),
        ("include: [linked.yaml]\n", "symbolic link"),
        ("include: [missing.yaml]\n", "is not there"),
        ("services: {a: {extends: {file: ../outside.yaml, service: a}}}\n", "leads out of the repository"),
        ("services: {a: {extends: b}, b: {extends: a}}\n", "extends itself"),
        ("services: {a: {extends: {file: linked.yaml, service: a}}}\n", "symbolic link"),
        ("services: {a: {image: x, ports: 5}}\n", "is not what Compose takes"),
        ("services: [a]\n", "is no table"),
        ("[]\n", "is no table"),
        ("a: &a [*a]\n", "a part of it holds itself"),
    ],
)
def test_what_leads_elsewhere_is_not_read(text: str, says: str, repository: Repository) -> None:
    (repository.root.parent / "outside.yaml").write_text(
        "services: {a: {image: outside}}\n", encoding="utf-8"
    )
    repository.write("compose.yaml", text)
    repository.write("inside.yaml", "services: {a: {image: inside}}\n")
    (repository.root / "linked.yaml").symlink_to("../outside.yaml")
    with pytest.raises(UnreadableFileError) as refused:
        composing.compose(ProjectFiles(repository.root), ["compose.yaml"])
    assert says in refused.value.message
    assert refused.value.hint


def test_compose_is_not_even_asked_about_what_leads_elsewhere(adopt: Adopt, tmp_path: Path) -> None:
    proof, program = tmp_path / "proof", tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(proof))}\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    adopted = adopt({"compose.yaml": "include: [/etc/passwd]\nservices: {web: {image: x}}\n"})
    told = init(adopted, PATH=path)
    assert not proof.exists()
    assert "leads out of the repository" in why(told)
    assert manifest(adopted)["files"] == {"compose": "theirs"}
    adopted.untouched()


def test_a_linked_compose_file_is_theirs_alone(adopt: Adopt, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("services: {stolen: {image: stolen}}\n", encoding="utf-8")
    adopted = adopt({"README.md": "x\n"})
    (adopted.root / "compose.yaml").symlink_to(outside)
    (adopted.root / ".gitpod.yml").symlink_to(outside)
    told = init(adopted)
    assert manifest(adopted)["files"] == {"compose": "theirs", "gitpod": "overlay"}
    assert "symbolic link" in why(told)
    assert "stolen" not in adopted.repository.read("bootstrap.toml")
    assert "symbolic link" in adopted.run("doctor").out


def test_a_linked_folder_to_build_is_left_out(adopt: Adopt, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    adopted = adopt({"compose.yaml": "services: {web: {build: web}, db: {image: x, depends_on: [web]}}\n"})
    (adopted.root / "web").symlink_to(tmp_path / "elsewhere")
    told = init(adopted)
    assert manifest(adopted)["services"] == {"db": {"image": "x"}}
    assert "leads out of the project" in why(told)


def test_a_dotenv_that_came_with_the_clone_does_not_choose(adopt: Adopt) -> None:
    adopted = adopt(
        {**WEB, "evil.yaml": "services: {evil: {image: y}}\n", ".env": "COMPOSE_FILE=evil.yaml\n"}
    )
    told = init(adopted)
    assert told["read"] == ["compose.yaml"]
    assert manifest(adopted)["services"].keys() == {"web"}
    assert ".env: COMPOSE_FILE: git tracks this .env" in why(told)


@pytest.mark.parametrize("shell", [True, False])
def test_what_this_user_wrote_chooses_and_is_written_down(adopt: Adopt, *, shell: bool) -> None:
    more = {
        "base.yaml": "services: {api: {image: y}}\n",
        "deploy/dev.yaml": "services: {api: {user: root}}\n",
    }
    adopted = adopt({**WEB, **more, ".gitignore": ".env\n"})
    names = "base.yaml:deploy/dev.yaml"
    if not shell:
        adopted.repository.write(".env", f"COMPOSE_FILE={names}\n")
    told = init(adopted, **({"COMPOSE_FILE": names} if shell else {}))
    assert told["read"] == ["base.yaml", "deploy/dev.yaml"]
    assert manifest(adopted)["files"]["compose_files"] == ["base.yaml", "deploy/dev.yaml"]
    # From now on that is what counts, whatever anybody's .env or shell says.
    adopted.repository.write(".env", "COMPOSE_FILE=compose.yaml\n")
    adopted.run("render", "--check", environ={"COMPOSE_FILE": "compose.yaml"}).check(0)


@pytest.mark.parametrize(
    "named",
    ["../x.yaml", "/etc/passwd", "missing.yaml", "https://example.com/x", "linked.yaml", "deploy/x.yaml"],
)
def test_compose_file_leads_nowhere_else(repository: Repository, named: str) -> None:
    for path in ("compose.yaml", "deploy/x.yaml"):
        repository.write(path, "services: {web: {image: x}}\n")
    (repository.root / "linked.yaml").symlink_to("/etc/passwd")
    found = adopt_flow.read(ProjectFiles(repository.root), {"COMPOSE_FILE": named})
    assert found.problem is not None
    assert found.chosen == Chosen(())
    assert not found.model.services


def test_no_value_is_copied(adopt: Adopt) -> None:
    value = "plainly-fake-value"
    adopted = adopt(
        {
            "compose.yaml": (
                "services:\n  db:\n    image: x\n    env_file: .env\n    environment:\n"
                f"      POSTGRES_PASSWORD: {value}\n      API_KEY: ${{API_KEY:-{value}}}\n"
                f"      DSN: https://{value}@example.com\n      PLAIN: {value}-open\n"
            ),
            ".env.example": f"FROM_EXAMPLE_TOKEN={value}\n",
            ".gitignore": ".env\n",
        }
    )
    adopted.repository.write(".env", f"OWN_SECRET={value}\nAPI_KEY={value}\n")
    shown = adopted.run("init", "--defaults").check(0, "bootstrap secrets import .env", "OWN_SECRET")
    assert value not in shown.out + shown.err
    made = manifest(adopted)
    assert made["secrets"].keys() == {"API_KEY", "OWN_SECRET", "FROM_EXAMPLE_TOKEN"}
    assert made["services"]["db"]["secrets"] == ["API_KEY", "OWN_SECRET"]
    adopted.run("init", "--defaults", "--files", "compose=own").check(0)
    for path in ("bootstrap.toml", "docker-compose.yml", ".bootstrap/init.json"):
        text = adopted.repository.read(path).replace(f"{value}-open", "")
        assert value not in text, path


@pytest.mark.parametrize(
    "record",
    [
        {"moved": {"README.md": "README.md.orig", "../x": "../x.orig"}, "manifest": "0"},
        {"moved": {"compose.yaml": "README.md"}, "appended": {"README.md": {"length": 0}}},
        {"moved": [], "appended": 5, "manifest": []},
        {"appended": {".gitignore": {"length": 0, "digest": "x", "new": True}}},
        [],
    ],
)
def test_a_forged_record_of_ours_removes_nothing_of_theirs(adopt: Adopt, record: object) -> None:
    files = {**WEB, "README.md": "precious\n", "README.md.orig": "older\n", ".gitignore": "node_modules\n"}
    adopted = adopt({**files, ".bootstrap/init.json": json.dumps(record)})
    del adopted.before[".bootstrap/init.json"]
    adopted.run("init", "--undo", "--defaults").check(0)
    adopted.untouched()
