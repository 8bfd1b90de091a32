"""What source says about names, compared with what X-Ray's real SDK then calls a segment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.project import Service
from bootstrap.model.remark import Mark
from bootstrap.vendors.naming.recorder import of_source
from bootstrap.vendors.naming.source import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.model.remark import Remark

GIVEN = {"OTEL_SERVICE_NAME": "backend-flask"}
SERVICE = Service("backend-flask", "backend-flask", build="backend")
START = """\
import os
from os import environ, getenv
from flask import Flask
from aws_xray_sdk.core import AWSXRayRecorder, xray_recorder
from aws_xray_sdk.core import xray_recorder as renamed
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
app = Flask(__name__)
"""
END = "XRayMiddleware(app, xray_recorder)\n"


def remarks(text: str, variables: Mapping[str, str] = GIVEN) -> list[Remark]:
    return list(of_source(SERVICE, read({"app.py": text.encode()}), variables))


#: what is called otherwise than the rule and the group expect, for a request to `4567-shop.example.com`
OTHERWISE = {
    "another name": 'xray_recorder.configure(service="Cruddur")',
    "the journal's dynamic naming": 'url = os.getenv("URL")\n'
    'xray_recorder.configure(service="backend-flask", dynamic_naming=url)',
    "a pattern": 'xray_recorder.configure(service="backend-flask", dynamic_naming="*shop.example.com")',
    "no name": "",
    "a name of its own": 'renamed.configure(service=environ.get("NOWHERE", "other"))',
    "a fallback": 'xray_recorder.configure(service=getenv("NOWHERE") or "other")',
    "assigned": 'xray_recorder.service = os.environ["OTHER"]',
    "in the wrong order": 'xray_recorder.configure(dynamic_naming="nobody.example.com")\n'
    'xray_recorder.configure(service="backend-flask")',
    "set before": 'xray_recorder.dynamic_naming = "nobody.example.com"\n'
    'xray_recorder.service = "backend-flask"',
}
WRONG_ORDER = ("in the wrong order", "set before")
#: what is called as they expect
ALIKE = {
    "the name itself": 'xray_recorder.configure(service="backend-flask")',
    "OTEL_SERVICE_NAME": 'xray_recorder.configure(service=os.environ["OTEL_SERVICE_NAME"])',
    "with a fallback": 'NAME = os.environ.get("OTEL_SERVICE_NAME", "other")\n'
    "xray_recorder.configure(service=NAME)",
    "no pattern": 'xray_recorder.configure(service="backend-flask", dynamic_naming=None)',
    "through a function": "def set_up():\n    xray_recorder.configure(service='backend-flask')\nset_up()",
}
ENVIRON = {**GIVEN, "URL": "*4567-*", "OTHER": "other"}


#: runs each program of a JSON list in a process of its own: what it calls the segment of a request, and for
#: which service it asks how to sample it
RUNNER = """
import json, os, sys
import flask, aws_xray_sdk.core, aws_xray_sdk.ext.flask.middleware
found = []
for program in json.load(sys.stdin):
    out, into = os.pipe()
    if os.fork() == 0:
        os.close(out)
        sys.stderr = open(os.devnull, "w")
        said = {}
        exec(program, {"__name__": "app", "said": said})
        os.write(into, json.dumps(said).encode())
        os._exit(0)
    os.close(into)
    with open(out) as answer:
        found.append(json.load(answer))
    os.wait()
print(json.dumps(found))
"""
REQUEST = """
class Emitter:
    def send_entity(self, entity):
        said["segment"] = entity.name
    def set_daemon_address(self, address):
        pass
class Sampler:
    def should_trace(self, request):
        said["rule for"] = request.get("service")
        return True
xray_recorder.configure(emitter=Emitter(), sampler=Sampler())
app.add_url_rule("/", view_func=lambda: "fine")
answer = app.test_client().get("/", headers={"Host": "4567-shop.example.com"})
said["status"] = answer.status_code
"""
RIGHT = {"segment": "backend-flask", "rule for": "backend-flask", "status": 200}


def run(texts: Iterable[str], environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """Serve one request with the real SDK, set up by each of the texts."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUNNER],
        input=json.dumps([f"{START}{text}\n{END}{REQUEST}" for text in texts]),
        env={"PATH": os.defpath, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def really() -> dict[str, dict[str, Any]]:
    """What the SDK does in each case."""
    cases = OTHERWISE | ALIKE
    return dict(zip(cases, run(cases.values(), ENVIRON), strict=True))


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_would_not_match_is_said(case: str, really: dict[str, dict[str, Any]]) -> None:
    assert really[case] != RIGHT
    found = remarks(f"{START}{OTHERWISE[case]}\n{END}", ENVIRON)
    wanted = [Mark.PROBLEM, Mark.NOTE] if case in WRONG_ORDER else [Mark.PROBLEM]
    assert [remark.mark for remark in found] == wanted
    assert all(remark.text.startswith("app.py:") and remark.hint for remark in found)


@pytest.mark.parametrize("case", WRONG_ORDER)
def test_the_wrong_order_loses_the_name_for_sampling_alone(
    case: str, really: dict[str, dict[str, Any]]
) -> None:
    assert really[case] == {**RIGHT, "rule for": None}


def test_without_a_name_every_request_fails(really: dict[str, dict[str, Any]]) -> None:
    assert really["no name"]["status"] == 500


@pytest.mark.parametrize("case", ALIKE)
def test_nothing_is_said_of_what_matches(case: str, really: dict[str, dict[str, Any]]) -> None:
    assert really[case] == RIGHT
    assert remarks(f"{START}{ALIKE[case]}\n{END}", ENVIRON) == []


def test_the_tracing_name_goes_before_what_code_says() -> None:
    said = [ALIKE["the name itself"], OTHERWISE["another name"], ""]
    for name in ("Cruddur", "backend-flask"):
        environ = {**ENVIRON, "AWS_XRAY_TRACING_NAME": name}
        assert [each["segment"] for each in run(said, environ)] == [name] * 3
        for text in said:
            found = remarks(f"{START}{text}\n{END}", environ)
            wrong = [f"backend-flask: AWS_XRAY_TRACING_NAME is {name!r}" in each.text for each in found]
            assert wrong == ([True] if name == "Cruddur" else [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('service="backend-flask", dynamic_naming=os.getenv("AWS_XRAY_URL")', "once AWS_XRAY_URL is set"),
        ('service="backend-flask", dynamic_naming=settings.pattern', "dynamic naming calls"),
        ('service="backend-flask", dynamic_naming=f"*{host}"', "dynamic naming calls"),
        ('service="backend-flask", dynamic_naming="https://4567-*"', "is a URL: it does nothing"),
        ('service=os.environ["NOWHERE"]', "what NOWHERE says, which backend-flask is not given"),
        ("service='backend-flask'))", "cannot be read as Python"),
    ],
)
def test_what_only_a_run_would_show_is_a_note(text: str, says: str) -> None:
    (remark,) = remarks(f"{START}xray_recorder.configure({text})\n")
    assert (remark.mark, says in remark.text) == (Mark.NOTE, True)


@pytest.mark.parametrize(
    "text",
    [
        "xray_recorder.configure(service=settings.service_name)",
        "xray_recorder.configure(**settings)",
        "xray_recorder.configure(service=one if two else three)",
        'logging.configure(service="other")',
        '# xray_recorder.configure(service="other")',
        'recorder = AWSXRayRecorder()\nrecorder.service = make_name("other")',
        "NAME = 'a'\nNAME = 'b'\nxray_recorder.configure(service=NAME)",
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    assert remarks(START + text) == []


def test_a_recorder_of_one_s_own_is_known_by_its_class() -> None:
    (remark,) = remarks(START + 'self.own = AWSXRayRecorder()\nself.own.service = "other"')
    assert "the recorder is called 'other'" in remark.text


def test_source_that_does_not_name_xray_is_not_read() -> None:
    assert read({"app.py": b"import os, xray; broken ("}).unreadable == ()


HOSTILE = {
    "signs": b"-" * 100_000 + b"1",
    "brackets": b"(" * 100_000,
    "attributes": b"a" + b".a" * 100_000,
    "sums": b"a" + b"+a" * 100_000,
    "calls": b"a" + b"()" * 100_000,
    "lambdas": b"lambda:" * 20_000 + b"1",
    "a null byte": b"\0",
    "another encoding": b"\xff\xfe",
    "indentation": b"".join(b" " * depth + b"if a:\n" for depth in range(99)) + b" " * 99 + b"a",
    "a wrong escape": b"'\\d'",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_source_is_read_or_left(case: str) -> None:
    found = read({"app.py": b"xray_recorder = 1\n" + HOSTILE[case]})
    assert found.namings == ()


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_left(data: bytes) -> None:
    read({"app.py": b"xray_recorder " + data})
