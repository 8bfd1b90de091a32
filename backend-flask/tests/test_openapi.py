"""The OpenAPI document says what the routes do."""

import os
import re
from typing import Any

import hypothesis
import pytest
import schemathesis

from app import create_app
from settings import Settings

EXAMPLES = 25 * int(os.environ.get("BOOTSTRAP_SOAK", "1"))

app = create_app(Settings())
schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)


@pytest.mark.soak
@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_route_does_as_described(case: Any) -> None:
    case.call_and_validate()


def test_every_route_is_described_and_no_other() -> None:
    document: Any = app.test_client().get("/api/openapi.json").json
    paths = document["paths"]
    described = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if not rule.defaults  # a path with nothing where the parameter stands
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served
