"""A `compose` table hands its service no secret that it does not declare: refused, or harmless to Compose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config.errors import ManifestError
from bootstrap.config.manifest import parse
from bootstrap.flows.render import inputs
from bootstrap.rendering.context import build
from bootstrap.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.rendering.conftest import Compose

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
CANARY = "plainly-fake-canary"
SECRETS = [spec.name for vendor in VENDORS.values() for spec in vendor.secrets]

#: table -> the key that is refused; Compose takes each of them, and would put OTHER's value into `web`
LEAKS: dict[str, tuple[dict[str, Any], str]] = {
    "extends": ({"extends": {"service": "api"}}, "extends"),
    "extends by name": ({"extends": "api"}, "extends"),
    "labels of a file": ({"label_file": ".env"}, "label_file"),
    "braces": ({"command": "echo ${OTHER}"}, "command"),
    "none": ({"user": "$OTHER"}, "user"),
    "after an escaped dollar": ({"command": "echo $$$OTHER"}, "command"),
    "asked for by force": ({"command": "echo ${OTHER:?}"}, "command"),
    "with a default": ({"command": ["echo", "${OTHER:-x}"]}, "command[1]"),
    "as a default": ({"command": "echo ${NOTHING:-${OTHER}}"}, "command"),
    "as a default of a default": ({"command": "echo ${NOTHING-${NOTHING-$OTHER}}"}, "command"),
    "instead of another": ({"command": "echo ${HOME:+${OTHER}}"}, "command"),
    "label": ({"labels": {"a.b": "${OTHER}"}}, "labels.a.b"),
    "label in a list": ({"labels": ["a=b", "${OTHER}=x"]}, "labels[1]"),
    "healthcheck": ({"healthcheck": {"test": ["CMD", "x", "$OTHER"]}}, "healthcheck.test[2]"),
    "volume": ({"volumes": [{"type": "bind", "source": "./$OTHER", "target": "/x"}]}, "volumes[0].source"),
    "build argument": ({"build": {"context": ".", "args": {"A": "$OTHER"}}}, "build.args.A"),
    "build argument by name": ({"build": {"context": ".", "args": ["A=b", "OTHER"]}}, "build.args[1]"),
    "name made up": ({"build": {"context": ".", "args": ["OT${NOTHING}HER"]}}, "build.args[0]"),
    "name made up without a value": (
        {"build": {"context": ".", "args": ["OTHER${NOTHING:+=x}"]}},
        "build.args[0]",
    ),
    "name made up with a value": (
        {"build": {"context": ".", "args": ["${NOTHING:+=}OTHER"]}},
        "build.args[0]",
    ),
    "Dockerfile": ({"build": {"context": ".", "dockerfile_inline": "RUN $OTHER"}}, "build.dockerfile_inline"),
    "extension": ({"x-a": {"b": ["${OTHER}"]}}, "x-a.b[0]"),
    "hook": ({"post_start": [{"command": "x", "environment": ["OTHER"]}]}, "post_start[0].environment[0]"),
}

#: what we let through: Compose itself refuses it, or takes it for text
HARMLESS: dict[str, dict[str, Any]] = {
    "escaped": {"command": "echo $$OTHER $${OTHER} $$$$OTHER"},
    "escaped in a default": {"command": "echo ${NOTHING:-$$OTHER}"},
    "another variable": {"command": "echo $OTHERS ${ANOTHER} $NOTHING"},
    "a key": {"labels": {"${OTHER}": "x", "$OTHER": "y", "OTHER": "z"}},
    "a label by name": {"labels": ["OTHER"], "annotations": ["OTHER"]},
    "a system control by name": {"sysctls": ["OTHER"]},
    "a build label by name": {"build": {"context": ".", "labels": ["OTHER"]}},
    "a word": {"command": ["printenv", "OTHER"]},
    "a build argument that is empty": {"build": {"context": ".", "args": {"OTHER": ""}}},
    "a build argument of another name": {"build": {"context": ".", "args": ["A=OTHER", "B=$HOME"]}},
    "a secret from nowhere": {"secrets": ["OTHER"]},
    "a secret of the environment": {"secrets": [{"source": "s", "environment": "OTHER"}]},
    "a table of secrets": {"secrets": {"s": {"environment": "OTHER"}}},
    "a config of the environment": {"configs": [{"source": "s", "environment": "OTHER"}]},
    "a table of configs": {"configs": {"s": {"environment": "OTHER"}}},
    "a build secret from nowhere": {"build": {"context": ".", "secrets": ["OTHER"]}},
    "a build secret of the environment": {
        "build": {"context": ".", "secrets": [{"source": "s", "environment": "OTHER"}]}
    },
    "an include": {"include": [{"path": "x.yml", "env_file": ".env"}]},
    "a merge key": {"<<": {"extends": {"service": "api"}}},
}


def project(table: Mapping[str, Any], **web: Any) -> dict[str, Any]:
    """`web` with a `compose` table, beside `api`, which declares OTHER."""
    return {
        "project": {"name": "shop"},
        "services": {
            "web": {"image": "x", "compose": table, **web},
            "api": {"image": "x", "secrets": {"OTHER": "OTHER", "ALIAS": "OTHER"}},
        },
        "secrets": {"OTHER": {}, "OWN": {}, "NOBODYS": {}},
    }


def rendered(data: Mapping[str, Any]) -> dict[str, Any]:
    """What templates would see."""
    return build(inputs(parse(data, OPTIONS), None))


def refusal(data: Mapping[str, Any]) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        rendered(data)
    assert caught.value.hint
    return caught.value


def as_compose_reads(folder: Path, compose: Compose, table: Mapping[str, Any]) -> str:
    """What the real Compose makes of `web` with the table as it stands, or says against it."""
    web = {"image": "x", **table}
    services = {"web": web, "api": {"image": "x", "environment": {"OTHER": None}}}
    (folder / "compose.yml").write_text(json.dumps({"name": "p", "services": services}), encoding="utf-8")
    (folder / ".env").write_text(f"OTHER={CANARY}\n", encoding="utf-8")
    nowhere = {"DOCKER_HOST": f"unix://{folder}/no.sock", "OTHER": CANARY}
    done = compose.run(folder, "config", "--format", "json", env=nowhere)
    return json.dumps(json.loads(done.stdout)["services"]["web"]) if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("case", LEAKS)
def test_a_secret_of_another_service_is_refused_by_its_key(case: str) -> None:
    table, key = LEAKS[case]
    assert refusal(project(table)).key == f"services.web.compose.{key}"


@pytest.mark.parametrize("case", [case for case in LEAKS if case not in {"extension", "hook"}])
def test_compose_would_hand_over_what_is_refused(case: str, tmp_path: Path, compose: Compose) -> None:
    table, _ = LEAKS[case]
    assert CANARY in as_compose_reads(tmp_path, compose, table)


@pytest.mark.parametrize("case", HARMLESS)
def test_compose_hands_over_nothing_of_what_is_let_through(
    case: str, tmp_path: Path, compose: Compose
) -> None:
    assert rendered(project(HARMLESS[case]))
    assert CANARY not in as_compose_reads(tmp_path, compose, HARMLESS[case])


_PARTS = st.sampled_from(
    [*("$", "$$", "{", "}", "${", "$OTHER", "${OTHER}", "OTHER", "${A:-", "${HOME:+"), *"A:-+?= x\n"]
)


def test_no_text_gets_past_the_check_and_through_compose(tmp_path: Path, compose: Compose) -> None:
    """However braces and dollar signs are mixed."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(text=st.lists(_PARTS, min_size=2, max_size=9).map("".join))
    def holds(text: str) -> None:
        try:
            rendered(project({"command": [text]}))
        except ManifestError:
            return
        assert CANARY not in as_compose_reads(tmp_path, compose, {"command": [text]})

    holds()


@pytest.mark.parametrize(
    "name", sorted({*SECRETS, "NOBODYS", "ALIAS", "OTEL_EXPORTER_OTLP_HEADERS", "TRACE_PROOF_KEY"})
)
def test_every_secret_is_withheld_whoever_it_is_for(name: str) -> None:
    """Those of vendors that nobody reports to are in many a shell all the same."""
    error = refusal(project({"command": f"echo ${{{name}}}"}))
    assert (error.key, name in error.message) == ("services.web.compose.command", True)


def test_a_service_may_interpolate_its_own_secrets() -> None:
    table = {"command": "echo ${OWN} $HONEYCOMB_API_KEY", "labels": {"a": "${OWN:-none}"}}
    made = rendered(project(table, secrets=["OWN"], telemetry=["honeycomb"]))
    assert made["services"][0]["definition"]["command"] == table["command"]


def test_the_name_it_has_in_the_service_is_another_ones() -> None:
    """Compose looks OTHER up, which is the secret that `web` does not have."""
    error = refusal(project({"command": "echo $OTHER"}, secrets={"OTHER": "OWN"}))
    assert error.key == "services.web.compose.command"


def test_what_the_daemon_signs_with_is_not_the_services_own() -> None:
    table = {"command": "echo $AWS_SECRET_ACCESS_KEY"}
    assert refusal(project(table, telemetry=["xray"])).key == "services.web.compose.command"
    assert rendered(project(table, telemetry=["cloudwatch"]))


@pytest.mark.parametrize("args", [["OWN"], ["A=$OWN"], {"A": "${OWN}"}])
def test_not_even_its_own_secret_enters_an_image(args: Any) -> None:
    error = refusal(project({"build": {"context": ".", "args": args}}, secrets=["OWN"]))
    assert error.key.startswith("services.web.compose.build.args")
    assert "build secrets" in error.hint
