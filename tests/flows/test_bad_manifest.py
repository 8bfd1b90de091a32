"""Every way to write a wrong manifest: what the command line answers, and that nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bootstrap, Repository
    from tests.flows.conftest import Snapshot

PROJECT = '[project]\nname = "shop"\n'
WEB = '[services.web]\nbuild = "web"\nport = 8000\n'
DB = '[services.db]\nimage = "postgres:16-alpine"\nport = 5432\n'

#: what is wrong -> (the rest of the manifest after [project], what the first line names, a part of the hint)
CASES: dict[str, tuple[str, str, str]] = {
    # unknown keys, a row for each table
    "key of the manifest": ("[servcies]", "bootstrap.toml: servcies: is not a known key", "'services'"),
    "key of project": ("regoin = 'x'", "project.regoin: is not a known key", "'region'"),
    "key of a service": (WEB + "prot = 1", "services.web.prot: is not a known key", "'port'"),
    "vendor": ("[telemetry.honeycom]", "telemetry.honeycom: is not a known key", "'honeycomb'"),
    "key of honeycomb": (
        "[telemetry.honeycomb]\nendpoint = 'https://evil.example'",
        "telemetry.honeycomb.endpoint",
        "region",
    ),
    "key of xray": ("[telemetry.xray]\ngruop = 'x'", "telemetry.xray.gruop", "'group'"),
    "key of sampling": ("[telemetry.xray.sampling]\nrate = 1", "telemetry.xray.sampling", "telemetry.xray"),
    "key of cloudwatch": (
        "[telemetry.cloudwatch]\nretention = 7",
        "telemetry.cloudwatch.retention",
        "'retention_days'",
    ),
    "key of rollbar": ("[telemetry.rollbar]\nenv = 'x'", "telemetry.rollbar.env", "environment"),
    "key of a secret": ("[secrets.A_KEY]\nvalue = 'x'", "secrets.A_KEY.value", "description"),
    "key of workspace": ("[workspace]\nextension = []", "workspace.extension", "'extensions'"),
    "key of milestones": ("[milestones]\nprefx = 'week'", "milestones.prefx", "'prefix'"),
    "key of files": ("[files]\ntemplate = 'x'", "files.template", "'templates'"),
    # wrong types and values
    "no project": ("", "bootstrap.toml: project: is missing", "[project]"),
    "text for a port": (WEB.replace("8000", "'8000'"), "services.web.port", "services.web"),
    "port out of range": (WEB.replace("8000", "65536"), "services.web.port", "services.web"),
    "port zero": (WEB.replace("8000", "0"), "services.web.port", "services.web"),
    "number for a name": ("[services.web]\nbuild = 1", "services.web.build", "services.web"),
    "text for a list": (WEB + "telemetry = 'xray'", "services.web.telemetry", "services.web"),
    "number in a list": (WEB + "depends_on = [1]", "services.web.depends_on[", "services.web"),
    "text for a truth": (WEB + "public = 'yes'", "services.web.public", "services.web"),
    "number for a variable": (WEB + "environment = { A = 1 }", "services.web.environment", "services.web"),
    "value for a table": ("services = 1", "bootstrap.toml: project.services", ""),
    "value for a service": ("[services]\nweb = 1", "services.web", "services.web"),
    "value for a vendor": ("[telemetry]\nxray = 1", "telemetry.xray", "telemetry.xray"),
    "NUL in a variable": (WEB + r'environment = { A = "a\u0000b" }', "services.web.environment.A", ""),
    "name of a project": ("name2 = 1", "project.name2", ""),
    "name of a service": ("[services.Web]\nbuild = 'web'", "services.Web: is not a usable name", "[a-z0-9]"),
    "name of a secret": ("[secrets.a_key]", "secrets.a_key: is not a usable name", "[A-Z]"),
    "name of a variable": (WEB + "environment = { 'A-B' = 'x' }", "services.web.environment", ""),
    "line end in a variable's name": (WEB + 'environment = { "A\\n" = "x" }', "services.web.environment", ""),
    "unknown region": (
        "[telemetry.honeycomb]\nregion = 'mars'",
        "telemetry.honeycomb.region",
        "telemetry.honeycomb",
    ),
    "rate above one": (
        "[telemetry.xray]\nsampling = { fixed_rate = 1.5 }",
        "telemetry.xray.sampling.fixed_rate",
        "",
    ),
    "retention that AWS has not": (
        "[telemetry.cloudwatch]\nretention_days = 8",
        "telemetry.cloudwatch.retention_days",
        "",
    ),
    "pattern that is none": ("[secrets.A_KEY]\npattern = '('", "secrets.A_KEY.pattern", "Correct"),
    "moving install source": (
        "[workspace]\ninstall = 'git+https://a.example/b@main'",
        "workspace.install",
        "workspace",
    ),
    # what no table can know alone
    "neither build nor image": (
        "[services.web]\nport = 1",
        "services.web: needs either build or image",
        "build =",
    ),
    "build and image": (WEB + "image = 'x'", "services.web: needs either build or image", "build ="),
    "health without port": ("[services.web]\nbuild = 'web'\nhealth = '/up'", "services.web.health", "port ="),
    "one OTEL name twice": (
        WEB + DB + "otel_service_name = 'web'",
        "services.db.otel_service_name: 'web'",
        "a name of its own",
    ),
    "one port twice": (WEB + DB.replace("5432", "8000"), "services.db.port: 8000", "another port"),
    "unknown vendor": (WEB + "telemetry = ['honeycom']", "services.web.telemetry", "'honeycomb'"),
    "unknown dependency": (WEB + "depends_on = ['dbs']\n" + DB, "services.web.depends_on", "'db'"),
    "circle": (WEB + "depends_on = ['db']\n" + DB + "depends_on = ['web']", "web -> db -> web", "Remove"),
    "circle of one": (WEB + "depends_on = ['web']", "web -> web", "Remove"),
    "secret nobody declares": (
        WEB + "secrets = ['A_KEY']",
        "services.web.secrets: nobody declares A_KEY",
        "[secrets.A_KEY]",
    ),
    "secret and variable": (
        WEB + "secrets = ['A_KEY']\nenvironment = { A_KEY = 'x' }\n[secrets.A_KEY]",
        "environment.A_KEY",
        "Remove",
    ),
    "generated variable": (
        WEB + "environment = { OTEL_SERVICE_NAME = 'x' }",
        "environment.OTEL_SERVICE_NAME",
        "",
    ),
    "vendor's variable": (
        WEB
        + "telemetry = ['honeycomb']\nenvironment = { OTEL_EXPORTER_OTLP_ENDPOINT = 'https://evil.example' }",
        "environment.OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
    ),
    "port by another way": (WEB + "environment = { PORT = '1' }", "environment.PORT", ""),
    "URL of nobody": (
        WEB + "environment = { A = '${url:wbe}' }",
        "environment.A: there is no service 'wbe'",
        "'web'",
    ),
    "URL without port": (
        WEB + "environment = { A = '${url:db}' }\n[services.db]\nimage = 'x'",
        "environment.A: db has no port",
        "port =",
    ),
    "environment around its table": (
        WEB + "compose = { environment = { A = 'x' } }",
        "services.web.compose.environment",
        "environment",
    ),
    "compose volumes of no kind": (WEB + "compose = { volumes = 5 }", "services.web.compose.volumes", ""),
    "compose networks of no kind": (WEB + "compose = { networks = 5 }", "services.web.compose.networks", ""),
    "compose date": (
        WEB + "compose = { labels = { at = 2020-01-01 } }",
        "services.web.compose.labels.at",
        "quotes",
    ),
    "compose number that is none": (WEB + "compose = { cpus = inf }", "services.web.compose.cpus", "quotes"),
    "date for Gitpod": ("[workspace]\ngitpod = { a = [2020-01-01] }", "workspace.gitpod.a[0]", "quotes"),
    "date for a devcontainer": (
        "[workspace]\ndevcontainer = { a = 12:00:00 }",
        "workspace.devcontainer.a",
        "quotes",
    ),
    "name of a sidecar": (
        WEB + "telemetry = ['xray']\n[services.xray-daemon]\nimage = 'amazon/aws-xray-daemon'",
        "services.xray-daemon",
        "",
    ),
    # paths
    "path out of the project": (
        "[services.web]\nbuild = '../other'",
        "services.web.build: '../other' leads out",
        "below",
    ),
    "path out, hidden": ("[services.web]\nbuild = 'web/../../x'", "services.web.build", "below"),
    "absolute path": ("[services.web]\nbuild = '/etc'", "services.web.build: '/etc' leads out", "below"),
    "path through a link": (
        "[services.web]\nbuild = 'outside'",
        "services.web.build: 'outside' is a link",
        "real folder",
    ),
    "templates out of the project": (
        "[files]\ntemplates = '../t'",
        "files.templates: '../t' leads out",
        "below",
    ),
    "templates through a link": (
        "[files]\ntemplates = 'outside'",
        "files.templates: 'outside' is a link",
        "real folder",
    ),
    "templates nowhere": (
        "[files]\ntemplates = 'none'",
        "files.templates: there is no folder none",
        "mkdir -p none",
    ),
    # no TOML at all
    "broken TOML": ("[services", "bootstrap.toml: is not valid TOML", "Correct that line"),
    "a key twice": ("name = 'shop'", "bootstrap.toml: is not valid TOML", "Correct that line"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_manifest_is_refused(
    case: str, repository: Repository, bootstrap: Bootstrap, snapshot: Snapshot
) -> None:
    text, names, hint = CASES[case]
    repository.write("web/Dockerfile", "FROM scratch\n")
    (repository.root / "outside").symlink_to("/usr")
    repository.write("bootstrap.toml", (PROJECT if case != "no project" else "") + text + "\n")
    before = snapshot(repository.root)

    answer = bootstrap("render", cwd=repository.root)

    assert answer.code == 1, answer
    assert answer.out == ""
    first, second = answer.err.splitlines()
    assert first.startswith("bootstrap: bootstrap.toml: ") or "templates" in case
    assert names in first
    assert second.startswith("  ")
    assert second.strip()
    assert hint in second
    assert snapshot(repository.root) == before
