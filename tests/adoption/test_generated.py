"""Whatever a Compose file says: both readers read the same, and what is claimed is carried over."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, event, given, settings

from bootstrap.adoption import asking, composing, normal
from bootstrap.cli.session import OPTIONS
from bootstrap.config import manifest
from bootstrap.flows import adopt, render
from bootstrap.flows.settling import carried, settle
from bootstrap.model.compose import ADDED, OWN
from bootstrap.system.files import ProjectFiles
from bootstrap.workspaces import detect
from tests.adoption.generated import VARIABLES, documents, overrides
from tests.containers import ENVIRON, need_compose

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Repository

SURROUNDINGS = {**os.environ, **ENVIRON}
#: what is laid over a service of theirs by name, and no more
ADDED_KEYS = {"environment", "env_file", "networks"}


def sources(root: Path) -> Any:
    workspace = detect({})

    def make(data: bytes) -> render.Sources:
        project = manifest.loads(data, OPTIONS, root=root)
        return render.Sources(project, project, workspace)

    return make


def resolved(root: Path, *files: Path) -> dict[str, Any]:
    """What Compose makes of files, every variable filled in."""
    named = [part for file in files for part in ("--file", str(file))]
    argv = ["docker", "compose", "--project-name", "same", "--project-directory", str(root), *named]
    done = subprocess.run(
        [*argv, "--profile", "*", "config", "--format", "json"],
        env={**SURROUNDINGS, **VARIABLES},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def alike(key: str, value: Any) -> Any:
    """A value whose spelling Compose itself does not keep apart."""
    if key in {"command", "entrypoint"} and isinstance(value, str):
        return shlex.split(value)
    return value


def check_readers(root: Path, paths: list[str]) -> None:
    """The keys that the manifest is made of, and which keys there are at all."""
    ours = composing.compose(ProjectFiles(root), paths)
    theirs = asking.ask(root, paths, SURROUNDINGS)
    assert theirs is not None
    assert ours.services.keys() == theirs.services.keys()
    for name, definition in ours.services.items():
        answer = theirs.services[name]
        assert definition.keys() - {"command", "entrypoint"} == answer.keys() - {"command", "entrypoint"}, (
            name
        )
        for key in definition.keys() & (KNOWN | {"image"}):
            assert alike(key, definition[key]) == alike(key, answer.get(key)), (name, key)
    assert {kind: ours.rest.get(kind) for kind in ("networks", "volumes", "secrets")} == {
        kind: theirs.rest.get(kind) for kind in ("networks", "volumes", "secrets")
    }


#: what both readers spell out
KNOWN = {
    *("build", "command", "configs", "depends_on", "entrypoint", "env_file", "environment", "expose"),
    *(
        "healthcheck",
        "labels",
        "networks",
        "ports",
        "profiles",
        "restart",
        "secrets",
        "tmpfs",
        "user",
        "volumes",
    ),
}


def at(document: dict[str, Any], path: str) -> Any:
    """What stands at services.NAME.KEY or services.NAME.environment.VARIABLE, in its long form."""
    kind, _, rest = path.partition(".")
    name = next(
        each for each in sorted(document[kind], key=len, reverse=True) if f"{rest}.".startswith(f"{each}.")
    )
    value = document[kind][name]
    for key in rest.removeprefix(name).strip(".").split(".", 1) if rest != name else ():
        value = (value or {}).get(key) if isinstance(value, dict) else value
        if key == path.rpartition(".")[2]:
            value = normal.service({key: value}).get(key)
    return value


def keys_of(model: Any) -> set[str]:
    """Every key of every service; variables one by one."""
    found: set[str] = set()
    for name, definition in model.services.items():
        for key, value in definition.items():
            names = value if key == "environment" and isinstance(value, dict) else [""]
            found.update(f"services.{name}.{key}.{each}".rstrip(".") for each in names)
    return found


def check_own(root: Path, base: list[str], out: Path) -> None:
    files = ProjectFiles(root)
    read, proposal = adopt.taken_over(files, SURROUNDINGS, "own")
    assert read.problem is None
    left = list(proposal.left)
    document = {
        "project": {"name": "same"},
        "services": {name: dict(table) for name, table in proposal.services.items()},
        "secrets": dict(proposal.secrets),
        "files": {},
    }
    data = settle(files, document, sources(root), left)
    planned = render.plan(files, sources(root)(data))
    (made,) = [change.after for change in planned.changes if change.path == OWN]
    assert made is not None
    (out / "own.yml").write_text(made.text, encoding="utf-8")
    original, own = resolved(root, *(root / path for path in base)), resolved(root, out / "own.yml")
    claimed = carried(proposal, left)
    for path in claimed:
        assert at(own, path) == at(original, path), path
    # What is not claimed is named: itself, or the service or key that it belongs to.
    named = [each.where for each in left]
    for path in keys_of(read.model):
        covered = path in claimed or any(path == each or path.startswith(f"{each}.") for each in named)
        assert covered or any(each.startswith((f"{path}.", f"{path}[")) for each in named), path
    event(f"claimed: {len(claimed) // 5 * 5} or more")


def check_overlay(root: Path, paths: list[str], out: Path) -> None:
    """With what is laid over it, theirs says all that it said before."""
    files = ProjectFiles(root)
    found = adopt.look(files, sources(root), SURROUNDINGS, "same")
    assert found is not None
    planned = render.plan(files, sources(root)(found.manifest))
    text = next(
        (change.after.text for change in planned.changes if change.path == ADDED and change.after), ""
    )
    (out / "added.yml").write_text(text or "services: {}\n", encoding="utf-8")
    theirs = [root / path for path in paths]
    original, both = resolved(root, *theirs), resolved(root, *theirs, out / "added.yml")
    for name, definition in original["services"].items():
        now = both["services"][name]
        assert {k: v for k, v in now.items() if k not in ADDED_KEYS} == {
            k: v for k, v in definition.items() if k not in ADDED_KEYS
        }
        for key in ADDED_KEYS & definition.keys():
            before = definition[key]
            assert (
                before.items() <= now[key].items()
                if isinstance(before, dict)
                else before in (now[key], now[key][:1])
            )
    assert VARIABLES["DB_PASSWORD"] not in found.manifest.decode() + text
    assert VARIABLES["API_TOKEN"] not in found.manifest.decode() + text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples."""
    need_compose()
    root = tmp_path_factory.mktemp("generated") / "same"
    (root / "here").mkdir(parents=True)
    for path in ("here/Dockerfile", "here/Other", "Dockerfile"):
        (root / path).write_text("FROM scratch\n", encoding="utf-8")
    (root / "some.env").write_text("FROM_A_FILE=1\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


# As it is found: every step of making it smaller would ask Compose half a dozen times.
@settings(
    max_examples=5 * int(os.environ.get("BOOTSTRAP_SOAK", "1")),
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
@given(document=documents, override=overrides)
def test_what_is_read_claimed_and_laid_over(place: Path, document: Any, override: Any) -> None:
    base = place / "compose.yaml"
    base.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    paths = ["compose.yaml"]
    over = place / "compose.override.yaml"
    over.unlink(missing_ok=True)
    if override:
        first = next(iter(document["services"]))
        over.write_text(yaml.safe_dump({"services": {first: override}}), encoding="utf-8")
        paths.append(over.name)
    check_readers(place, paths)
    check_overlay(place, paths, place.parent)
    check_own(place, ["compose.yaml"], place.parent)


def test_both_readers_read_the_same_in_repositories_of_people(repository: Repository) -> None:
    need_compose()
    from tests.adoption.repositories import ALL  # noqa: PLC0415 - only here

    for name, files in ALL.items():
        root = repository.root / name.replace(" ", "-")
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        found = adopt.read(ProjectFiles(root), SURROUNDINGS).chosen
        assert found is not None
        check_readers(root, list(found.all))
