"""The JSON Schema says what the reader says, as far as a schema can."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bootstrap.config import manifest
from bootstrap.config.errors import ManifestError
from bootstrap.config.schema import schema
from bootstrap.vendors import VENDORS

ROOT = Path(__file__).parents[2]
OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
MANIFESTS = [ROOT / "bootstrap.toml", *sorted((ROOT / "tests" / "rendering").rglob("bootstrap.toml"))]

PROJECT = '[project]\nname = "shop"\n'
WEB = '[services.web]\nbuild = "web"\nport = 8000\n'


@pytest.fixture(scope="session")
def validator() -> jsonschema.Draft202012Validator:
    made = schema(OPTIONS)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_our_manifests_are_valid(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(tomllib.loads(path.read_text()))] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROJECT + "[servcies]",
        PROJECT + "regoin = 'x'",
        "[project]\nname = ''",
        "[project]\nname = 'a/b'",
        PROJECT + "region = 'mars'",
        PROJECT + WEB + "prot = 1",
        PROJECT + WEB.replace("8000", "'8000'"),
        PROJECT + WEB.replace("8000", "0"),
        PROJECT + WEB.replace("8000", "65536"),
        PROJECT + WEB + "public = 'yes'",
        PROJECT + WEB + "health = 'up'",
        PROJECT + WEB + "telemetry = 'xray'",
        PROJECT + WEB + "environment = { A = 1 }",
        PROJECT + WEB + "environment = { 'A-B' = 'x' }",
        PROJECT + WEB + "secrets = ['a_key']",
        PROJECT + WEB + "secrets = { A = 'a_key' }",
        PROJECT + WEB + "otel_service_name = 'a b'",
        PROJECT + "[services.Web]\nbuild = 'web'",
        "services = 1\n" + PROJECT,
        PROJECT + "[services]\nweb = 1",
        PROJECT + "[secrets.a_key]",
        PROJECT + "[secrets.A_KEY]\nvalue = 'x'",
        PROJECT + "[secrets.A_KEY]\ndocumentation = 'ftp://x'",
        PROJECT + "[telemetry.honeycom]",
        PROJECT + "[telemetry.honeycomb]\nendpoint = 'x'",
        PROJECT + "[telemetry.honeycomb]\nregion = 'mars'",
        PROJECT + "[telemetry.xray]\nsampling = { fixed_rate = 1.5 }",
        PROJECT + "[telemetry.xray]\ngroup = ''",
        PROJECT + "[telemetry.cloudwatch]\nretention_days = 8",
        PROJECT + "[telemetry.rollbar]\nenvironment = ''",
        PROJECT + "[workspace]\ninstall = 'git+https://a.example/b@main'",
        PROJECT + "[milestones]\nprefix = '1'",
        PROJECT + "[files]\ncompose = 'mine'",
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(
    text: str, validator: jsonschema.Draft202012Validator
) -> None:
    # What two keys say together (a port twice, build and image, a reference to nobody) is the reader's alone.
    data = tomllib.loads(text)
    assert not validator.is_valid(data)
    with pytest.raises(ManifestError):
        manifest.parse(data, OPTIONS)


def test_every_key_says_what_it_is() -> None:
    made = schema(OPTIONS)
    undescribed = {
        f"{table}.{key}"
        for table, definition in made["$defs"].items()
        if table not in {"Manifest", "TelemetryTable"}
        for key, value in definition["properties"].items()
        if "description" not in value and "$ref" not in value and "enum" not in value and "anyOf" not in value
    }
    assert undescribed == {"MilestonesTable.prefix"}
