"""Generated workspace files against the schemas of those who read them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def _everywhere(name: str) -> list[Any]:
    """This repository's own file, and every expected one of the rendering tests."""
    expected = sorted((ROOT / "tests" / "rendering").rglob(name))
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in (ROOT / name, *expected)]


@pytest.mark.parametrize("path", _everywhere(".gitpod.yml"))
def test_gitpod(path: Path, schema: Callable[[str], Any]) -> None:
    validator = jsonschema.Draft7Validator(schema("gitpod.schema.json"))
    document = yaml.safe_load(path.read_text())
    assert [error.message for error in validator.iter_errors(document)] == []
    document["ports"][0]["visbility"] = "public"
    assert not validator.is_valid(document)


@pytest.mark.parametrize("path", _everywhere(".devcontainer/devcontainer.json"))
def test_devcontainer(path: Path, schema: Callable[[str], Any]) -> None:
    validator = jsonschema.Draft201909Validator(schema("devcontainer.base.schema.json"))
    comment, _, text = path.read_text().partition("\n")
    assert comment.startswith("// ")
    document = json.loads(text)
    assert [error.message for error in validator.iter_errors(document)] == []
    document["postStartComand"] = document.pop("postStartCommand")
    assert not validator.is_valid(document)
