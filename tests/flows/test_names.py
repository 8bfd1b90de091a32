"""Names that disagree, found in a folder as somebody has it, and nothing of that folder run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.config import manifest
from bootstrap.flows.names import examine
from bootstrap.system.files import ProjectFiles
from bootstrap.system.sources import Bounds
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.model.remark import Remark
    from tests.conftest import Bootstrap, Repository

MANIFEST = """\
[project]
name = "Cruddur"

[services.backend-flask]
build = "backend-flask"
telemetry = ["xray"]
"""
JOURNAL = """\
import os
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
open("run", "w").close()
xray_url = os.getenv("AWS_XRAY_URL")
xray_recorder.configure(service="backend-flask", dynamic_naming=xray_url)
XRayMiddleware(app, xray_recorder)
"""
FINE = "ok X-Ray's sampling rules and group look for backend-flask"


def said(root: Path) -> list[str]:
    project = manifest.read(
        root / "bootstrap.toml", {name: vendor.options for name, vendor in VENDORS.items()}
    )
    return [f"{remark.mark.value} {remark.text}" for remark in found(root, project)]


def found(root: Path, project: Any) -> list[Remark]:
    return list(examine(ProjectFiles(root), project))


@pytest.fixture
def root(repository: Repository) -> Path:
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("backend-flask/Dockerfile", "FROM scratch\n")
    return repository.root


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_where_nothing_disagrees_the_name_is_said(root: Path, bootstrap: Bootstrap) -> None:
    bootstrap("render", cwd=root).check(0)
    assert said(root) == [FINE]


def test_the_journal_s_names_are_all_found(root: Path) -> None:
    put(root, "backend-flask/app.py", JOURNAL)
    rule = {"RuleName": "Cruddur", "ServiceName": "Cruddur", "Priority": 9000}
    put(root, "aws/json/xray.json", json.dumps({"SamplingRule": rule}))
    never = 'service("https://4567-x.ws-eu1.gitpod.io") {fault OR error}'
    put(root, "aws/json/group.json", json.dumps({"GroupName": "Cruddur", "FilterExpression": never}))
    dynamic, group, sampling = said(root)
    assert dynamic.startswith("note backend-flask/app.py:6: once AWS_XRAY_URL is set, dynamic naming")
    assert group.startswith("problem aws/json/group.json: this group's filter")
    assert sampling.startswith("problem aws/json/xray.json: this sampling rule is for 'Cruddur'")
    put(root, "backend-flask/Dockerfile", 'FROM scratch\nENV OTHER=1 \\\n  AWS_XRAY_URL="*4567-*"\n')
    assert said(root)[0].startswith(
        "problem backend-flask/app.py:6: dynamic naming calls segments after each"
    )
    assert not (root / "run").exists()


def test_a_name_in_the_image_is_the_service_s(root: Path) -> None:
    put(root, "backend-flask/app.py", JOURNAL.replace("dynamic_naming=xray_url", ""))
    put(root, "backend-flask/Dockerfile", "FROM scratch\nENV AWS_XRAY_TRACING_NAME Cruddur\n")
    (line,) = said(root)
    assert line.startswith("problem backend-flask: AWS_XRAY_TRACING_NAME is 'Cruddur', and the sampling rule")


def test_nothing_is_said_where_nobody_reports_to_xray(root: Path) -> None:
    put(root, "bootstrap.toml", MANIFEST.replace('["xray"]', '["rollbar"]'))
    put(root, "backend-flask/app.py", JOURNAL)
    assert said(root) == []


@pytest.mark.parametrize("folder", [".venv", "tests", "node_modules/x", "a/site-packages", "venv"])
def test_what_is_not_the_service_s_own_is_left(root: Path, folder: str) -> None:
    put(root, f"backend-flask/{folder}/app.py", JOURNAL)
    assert said(root) == [FINE]


def test_no_link_is_followed(root: Path, tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/app.py", JOURNAL)
    (root / "backend-flask" / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "backend-flask" / "app.py").symlink_to(tmp_path / "elsewhere" / "app.py")
    assert said(root) == [FINE]
    os.mkfifo(root / "backend-flask" / "pipe.py")
    assert said(root) == [FINE]
    (root / "aws").symlink_to(tmp_path / "elsewhere")
    assert [line.partition(":")[0] for line in said(root)] == ["problem aws"]


def test_no_more_is_read_than_the_bounds_say(root: Path) -> None:
    for number in range(6):
        put(root, f"many/{number}/file.py", "x" * 10)
    put(root, "many/large.py", "x" * 11)
    put(root, "many/" + "deep/" * 9 + "file.py", "x")

    def read(**bounds: int) -> list[str]:
        wide = {"size": 10, "total": 1000, "files": 100, "folders": 100, "depth": 20}
        return sorted(ProjectFiles(root).texts("many", ".py", bounds=Bounds(**wide | bounds)))

    every = [f"many/{number}/file.py" for number in range(6)]
    deep = "many/" + "deep/" * 9 + "file.py"
    assert read() == [*every, deep]
    assert read(size=11) == [*every, deep, "many/large.py"]
    assert read(depth=3) == every
    assert read(files=2) == every[:2]
    assert read(total=29) == every[:2]
    assert read(folders=3) == every[:2]
    assert ProjectFiles(root).texts("nowhere", ".py") == {}


def test_doctor_says_so(root: Path, bootstrap: Bootstrap) -> None:
    put(root, "backend-flask/app.py", JOURNAL.replace('os.getenv("AWS_XRAY_URL")', '"*4567-*"'))
    bootstrap("render", cwd=root).check(0)
    bootstrap("doctor", cwd=root).check(
        5, "problem  names        backend-flask/app.py:6: dynamic naming", "Leave dynamic_naming out"
    )
    told = {"AWS_XRAY_TRACING_NAME": "Cruddur"}
    bootstrap("doctor", cwd=root, env=told).check(5, "AWS_XRAY_TRACING_NAME is set for the whole workspace")
