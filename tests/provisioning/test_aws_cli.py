"""The rendered files in the hands of AWS's own command line, and of a linter for policies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.stand_ins.aws import Account, Aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conftest import Bootstrap, Repository, Result

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements-aws-tools.txt")
FOLDER = ROOT / ".venvs" / "aws-tools"
DOCUMENTS = [ROOT / "aws", ROOT / "tests" / "rendering" / "scenarios"]
MANIFEST = """\
[project]
name = "Shop"

[services.web]
build = "web"
telemetry = ["xray", "cloudwatch"]

[telemetry.cloudwatch]
retention_days = 30

[provision]
account = "{account}"
principal = "arn:aws:iam::{account}:user/worker"
"""


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of programs in an environment that is kept until other versions are wanted."""
    installed = FOLDER / "installed"
    wanted = REQUIREMENTS.read_text()
    if not installed.exists() or installed.read_text() != wanted:
        pip = (FOLDER / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True, capture_output=True)
            subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True, capture_output=True)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"awscli cannot be installed here: {error.stderr.decode(errors='replace')[-200:]}")
        installed.write_text(wanted)
    return FOLDER / "bin"


@pytest.fixture(scope="module")
def server() -> Iterator[Aws]:
    with Aws() as running:
        yield running


@dataclass(frozen=True)
class Cli:
    """The AWS CLI with one key, in one folder."""

    program: Path
    environ: Mapping[str, str]
    folder: Path

    def __call__(self, *arguments: str) -> Any:
        """Run it, and return what it prints; a refusal is an error."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it."""
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "AWS_PAGER": "", **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def account(server: Aws) -> Account:
    return server.account()


@pytest.fixture
def shop(repository: Repository, account: Account, bootstrap: Bootstrap) -> Repository:
    """A rendered project, whose principal exists."""
    account.user("worker")
    repository.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    repository.write("bootstrap.toml", MANIFEST.format(account=account.id))
    repository.write("web/Dockerfile", "FROM scratch\n")
    bootstrap("render", cwd=repository.root).check(0)
    return repository


def test_the_journal_s_commands_make_what_provision_wants(
    programs: Path, server: Aws, account: Account, shop: Repository, bootstrap: Bootstrap
) -> None:
    keys = account.user("provisioner", json.loads(shop.read("aws/policies/provisioner.json")))
    environ = {**server.environ, **keys, "AWS_DEFAULT_REGION": "us-east-1"}
    aws = Cli(programs / "aws", environ, shop.root)

    aws("xray", "create-group", "--cli-input-json", "file://aws/json/xray-group.json")
    rule = "file://aws/json/xray-sampling-rule-web.json"
    aws("xray", "create-sampling-rule", "--cli-input-json", rule)
    aws("logs", "create-log-group", "--cli-input-json", "file://aws/json/log-group.json")
    aws("logs", "put-retention-policy", "--cli-input-json", "file://aws/json/log-retention.json")
    for purpose in ("daemon", "logs", "verify"):
        policy = (
            "--policy-name",
            f"shop-{purpose}",
            "--policy-document",
            f"file://aws/policies/{purpose}.json",
        )
        aws("iam", "create-policy", "--path", "/bootstrap/", *policy)
    trusting = ("--assume-role-policy-document", "file://aws/policies/trust.json")
    long = ("--max-session-duration", "43200")
    aws("iam", "create-role", "--path", "/bootstrap/", "--role-name", "shop-logs", *trusting, *long)
    arn = f"arn:aws:iam::{account.id}:policy/bootstrap/shop-logs"
    aws("iam", "attach-role-policy", "--role-name", "shop-logs", "--policy-arn", arn)
    again = aws.run("xray", "create-sampling-rule", "--cli-input-json", rule)
    assert again.returncode != 0
    assert "already exists" in again.stderr

    def plan(*arguments: str) -> tuple[Result, dict[str, tuple[str, list[Any]]]]:
        planned = bootstrap("provision", *arguments, "--json", cwd=shop.root, env=environ)
        changes = json.loads(planned.out)["changes"]
        return planned, {
            f"{each['kind']} {each['name']}": (each["action"], each["drift"]) for each in changes
        }

    _, found = plan("plan")
    made = {
        *("X-Ray group Shop", "X-Ray sampling rule web", "log group shop", "IAM role shop-logs"),
        *(f"IAM policy shop-{purpose}" for purpose in ("daemon", "logs", "verify")),
    }
    assert {key for key, change in found.items() if change == ("leave", [])} == made
    names = {key.rpartition(" ")[2] for key in made}
    adopting = [word for name in sorted(names) for word in ("--adopt", name)]
    result, _ = plan("apply", "--yes", *adopting)
    result.check(0)
    result, found = plan("plan")
    assert (result.code, {action for action, _ in found.values()}) == (0, {"keep"})


def test_a_session_is_made_with_the_same_documents(
    programs: Path, server: Aws, account: Account, shop: Repository
) -> None:
    shop.write("bootstrap.toml", shop.read("bootstrap.toml").partition("[provision]")[0])
    subprocess.run(
        [sys.executable, "-m", "bootstrap", "render"], cwd=shop.root, check=True, capture_output=True
    )
    keys = account.user("worker-2", json.loads(shop.read("aws/policies/sessions.json")))
    environ = {**server.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    aws = Cli(programs / "aws", {**environ, **keys}, shop.root)
    given = aws(
        "sts", "get-federation-token", "--name", "shop-logs", "--policy", "file://aws/policies/logs.json"
    )
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    variables = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    own = {variable: given["Credentials"][name] for variable, name in zip(variables, names, strict=True)}
    session = Cli(programs / "aws", {**environ, **own}, shop.root)
    other = ("--log-group-name", "other", "--log-stream-name", "one")
    refused = session.run("logs", "create-log-stream", *other)
    assert refused.returncode != 0
    assert "AccessDenied" in refused.stderr


LINT = """
import json, sys
from parliament import analyze_policy_string
found = {}
for path, text in json.load(sys.stdin).items():
    analyzed = analyze_policy_string(text)
    found[path] = [f"{each.issue}: {each.detail}" for each in analyzed.findings]
print(json.dumps(found))
"""


def test_a_linter_has_nothing_to_say_about_any_policy(programs: Path) -> None:
    paths = [path for folder in DOCUMENTS for path in folder.glob("**/policies/*.json")]
    texts = {str(path): path.read_text() for path in paths if path.name != "trust.json"}
    assert len(texts) >= 14
    logs = (ROOT / "aws" / "policies" / "logs.json").read_text()
    texts["misspelt"] = logs.replace("PutLogEvents", "PutLogEvent")
    texts["misplaced"] = logs.replace("log-group:cruddur:*", "cruddur")
    done = subprocess.run(
        [programs / "python", "-W", "ignore", "-c", LINT],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found.pop("misspelt")[0].startswith("UNKNOWN_ACTION")
    assert found.pop("misplaced")[0].startswith("RESOURCE_MISMATCH")
    assert {path: said for path, said in found.items() if said} == {}
