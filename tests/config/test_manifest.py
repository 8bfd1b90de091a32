"""What a manifest says, once it is read; tests/flows/test_bad_manifest.py has what it must not say."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config import manifest
from bootstrap.config.errors import ManifestError, known
from bootstrap.config.interpolation import interpolate, references, refers_to_url
from bootstrap.config.location import find
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}

WHOLE = """
[project]
name = "Shop of ours"

[services.web]
build = "./web"
setup = "pip install -r requirements.txt"
command = "exec gunicorn app:app"
port = 8000
public = true
health = "/up"
telemetry = ["xray", "honeycomb", "xray"]
probe = ["/posts?of=worf", "/", "/"]
environment = { DB = "${address:db}:${port:db}" }
secrets = { DATABASE_URL = "SHOP_DATABASE_URL" }
depends_on = ["db", "db"]

[services.db]
image = "postgres:16-alpine"
port = 5432
secrets = ["DB_PASSWORD"]
compose = { user = "root" }

[telemetry.xray]
sampling = { fixed_rate = 1 }

[secrets.SHOP_DATABASE_URL]
description = "Where the posts live"
pattern = "^postgres://"
required = true

[secrets.DB_PASSWORD]
"""


def read(text: str, folder: Path, *, local: str | None = None) -> Any:
    (folder / "bootstrap.toml").write_text(text)
    if local is not None:
        (folder / "bootstrap.local.toml").write_text(local)
    return manifest.read(folder / "bootstrap.toml", OPTIONS)


def test_a_manifest_is_read_and_completed(tmp_path: Path) -> None:
    project = read(WHOLE, tmp_path)
    web, db = project.services["web"], project.services["db"]
    assert (project.name, project.region) == ("Shop of ours", "us-east-1")
    assert (web.otel_service_name, db.otel_service_name) == ("web", "db")
    assert (web.port, web.container_port, web.public, db.public) == (8000, 8000, True, False)
    assert web.telemetry == ("xray", "honeycomb")
    assert (web.probe, db.probe) == (("/posts?of=worf", "/"), ("/",))
    assert web.depends_on == ("db",)
    assert web.secrets == {"DATABASE_URL": "SHOP_DATABASE_URL"}
    assert db.secrets == {"DB_PASSWORD": "DB_PASSWORD"}
    assert db.compose == {"user": "root"}
    assert project.telemetry["xray"].sampling.fixed_rate == 1.0
    assert project.telemetry["honeycomb"].region == "us"
    assert project.secrets["SHOP_DATABASE_URL"].required
    assert [service.name for service in project.reporting_to("xray")] == ["web"]
    assert project.milestones.prefix == "week"


def test_a_project_cannot_be_changed(tmp_path: Path) -> None:
    project = read(WHOLE, tmp_path)
    with pytest.raises(AttributeError):
        project.name = "other"
    with pytest.raises(AttributeError):
        project.services["web"].port = 1


def test_one_machine_may_have_other_ports_and_variables(tmp_path: Path) -> None:
    local = "[services.web]\nport = 9000\nenvironment = { DB = 'elsewhere', MORE = '${url:web}' }\n"
    project = read(WHOLE, tmp_path, local=local)
    web = project.services["web"]
    assert (web.port, web.container_port) == (9000, 8000)
    assert web.environment == {"DB": "elsewhere", "MORE": "${url:web}"}
    committed = manifest.read(tmp_path / "bootstrap.toml", OPTIONS, local=False)
    assert committed.services["web"].port == 8000


@pytest.mark.parametrize(
    ("local", "key"),
    [
        ("[services.web]\nport = 5432", "services.db.port: 5432 is already the port of web"),
        ("[services.web]\nport = 0", "services.web.port"),
        ("[services.web]\nenvironment = { A = '${port:nobody}' }", "services.web.environment.A"),
        ("[services.web]\npublic = true", "services.web.public"),
        ("[services.other]\nport = 1", "services.other: is not in bootstrap.toml"),
        ("[secrets.A]", "secrets: cannot differ"),
        ("[services", "is not valid TOML"),
    ],
)
def test_a_wrong_local_manifest_is_named(local: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        read(WHOLE, tmp_path, local=local)
    assert caught.value.message.startswith("bootstrap.local.toml: ")
    assert key in caught.value.message
    assert caught.value.hint


def test_a_local_manifest_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    (tmp_path / "bootstrap.local.toml").write_text("")
    os.chown(tmp_path / "bootstrap.local.toml", 54321, 54321)
    with pytest.raises(BootstrapError, match=r"bootstrap\.local\.toml: belongs to another user"):
        read(WHOLE, tmp_path)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    [
        *("project", "services", "telemetry", "secrets", "workspace", "milestones", "files", "web", "name"),
        *("build", "port", "compose", "volumes", "networks", "environment", "xray", "sampling", "gitpod"),
        *("A_KEY", "pattern"),
    ]
)


@settings(max_examples=100, deadline=None)
@given(
    data=st.dictionaries(
        _NAMES, st.recursive(_VALUES, lambda inner: st.dictionaries(_NAMES, inner, max_size=4))
    )
)
def test_whatever_it_says_the_answer_is_a_project_or_one_line(data: dict[str, Any]) -> None:
    data = {**data, "project": {"name": "shop"}}
    # Anything but a ManifestError, which names a key, would fail this test.
    with contextlib.suppress(ManifestError):
        assert manifest.parse(data, OPTIONS).name == "shop"


@given(st.binary(max_size=40))
def test_whatever_bytes_it_has_the_answer_is_a_project_or_one_line(data: bytes) -> None:
    with pytest.raises(ManifestError, match=r"^bootstrap\.toml: "):
        manifest.loads(data, OPTIONS, root=Path("/nonexistent"))


@pytest.mark.parametrize(
    ("value", "found", "filled"),
    [
        ("${url:web}", [("url", "web")], "<url web>"),
        ("a${address:db}:${port:db}b", [("address", "db"), ("port", "db")], "a<address db>:<port db>b"),
        ("$${url:web}", [("url", "web")], "$<url web>"),
        ("${url:}", [("url", "")], "<url >"),
        (
            "$ $$ $X ${X} ${X:-y} ${urls:web} ${url} ${url:web",
            [],
            "$ $$ $X ${X} ${X:-y} ${urls:web} ${url} ${url:web",
        ),
        ("", [], ""),
    ],
)
def test_three_references_are_all_the_interpolation_there_is(
    value: str, found: list[tuple[str, str]], filled: str
) -> None:
    assert references(value) == found
    assert (
        interpolate(value, {kind: f"<{kind} {{}}>".format for kind in ("url", "address", "port")}) == filled
    )
    assert refers_to_url(value) is ("url" in dict(found))


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    fill: dict[str, Callable[[str], object]] = {"url": lambda _: "${port:web}", "address": str, "port": str}
    assert interpolate("${url:web}", fill) == "${port:web}"


def test_the_nearest_name_is_offered() -> None:
    assert known("telemtry", ["telemetry", "services"]) == "Did you mean 'telemetry'?"
    assert known("x", ["telemetry", "services"]) == "There are: telemetry, services."
    assert known("x", []) == "There are none yet."


def test_the_manifest_is_looked_for_no_higher_than_the_git_root(tmp_path: Path) -> None:
    deep = tmp_path / "outer" / "project" / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "outer" / "bootstrap.toml").write_text("")
    (tmp_path / "outer" / "project" / ".git").mkdir()
    with pytest.raises(NotConfiguredError) as caught:
        find(deep)
    assert "bootstrap init" in caught.value.hint
    (tmp_path / "outer" / "project" / "bootstrap.toml").write_text("")
    assert find(deep) == tmp_path / "outer" / "project" / "bootstrap.toml"
    (deep / "bootstrap.toml").write_text("")
    assert find(deep) == deep / "bootstrap.toml"


def test_outside_of_git_only_the_folder_itself_counts(tmp_path: Path) -> None:
    (tmp_path / "bootstrap.toml").write_text("")
    (tmp_path / "below").mkdir()
    assert find(tmp_path) == tmp_path / "bootstrap.toml"
    with pytest.raises(NotConfiguredError):
        find(tmp_path / "below")


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_only_a_regular_file_is_a_manifest(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bootstrap.toml"
    if kind == "link":
        (tmp_path / "real").write_text("")
        path.symlink_to("real")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(BootstrapError, match="is not a regular file"):
        find(tmp_path)
