"""The tool in another repository: from git at a full commit, by hand once, and by what `init` writes then.

What pip makes of the commit is a wheel, installed where no checkout is: it brings its templates.
"""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.machine import ROOT
from tests.milestones.http_remote import Host

if TYPE_CHECKING:
    from tests.e2e.machine import Machine

pytestmark = pytest.mark.slow

NOT_CONFIGURED = 3
PLACEHOLDER = "git+https://HOST/OWNER/REPOSITORY@FULL-COMMIT"
GENERATED = (
    "bootstrap.toml",
    "docker-compose.yml",
    ".gitpod.yml",
    ".devcontainer/devcontainer.json",
    ".devcontainer/install.sh",
    ".env.example",
)
PAGE = ROOT / "docs" / "how-to" / "install.md"
TEAM = ROOT / "docs" / "tutorials" / "team.md"


def typed(begin: str) -> str:
    """The line of the page that begins so."""
    (line,) = (line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(begin))
    return line


def steps() -> list[str]:
    """What the workflow on the team's page runs, in its order."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", TEAM.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [step["run"] for step in yaml.safe_load(text)["jobs"]["check"]["steps"] if "run" in step]


@pytest.fixture
def source(machine: "Machine", tmp_path: Path) -> Iterator[str]:
    """Serve this repository where only git finds it, under another name; returns the requirement."""
    folder = tmp_path / "host"
    bare = folder / "ann" / "tool"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "config", "uploadpack.allowFilter", "true"], check=True)
    head = subprocess.run(
        ["git", "-C", str(bare), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    with Host(folder) as host:
        machine.environ |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{host.url('')}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://git.example.com/",
            "no_proxy": "127.0.0.1",
            "PIP_NO_COMPILE": "1",  # a third of the time, and nothing of what is shown here
        }
        yield f"git+https://git.example.com/ann/tool@{head.stdout.strip()}"


def test_one_line_then_by_itself(machine: "Machine", source: str, stopwatch: Callable[[str], None]) -> None:
    machine.root.mkdir(parents=True)
    machine.forget_home()
    machine.run(
        "git init --quiet --initial-branch=main && mkdir web && echo 'FROM scratch' >web/Dockerfile"
    ).ok()
    line = typed("python3 -m venv").replace(PLACEHOLDER, source)
    machine.run(f"{line} && bootstrap init --defaults && bootstrap doctor").ok()
    stopwatch("the line, and init")
    for name in GENERATED:
        assert (machine.root / name).is_file(), name
    manifest = tomllib.loads((machine.root / "bootstrap.toml").read_text("utf-8"))
    assert manifest["workspace"] == {"install": source}
    machine.run(
        "git add --all && git -c user.name=Ann -c user.email=ann@example.com commit --quiet -m Adopt"
    ).ok()

    # Somebody opens it in Gitpod, where nothing is but what was committed.
    (task,) = yaml.safe_load((machine.root / ".gitpod.yml").read_text("utf-8"))["tasks"]
    assert task["before"] == "sh .devcontainer/install.sh tool path"
    machine.run("git clone --quiet cruddur theirs", below=".").ok()
    machine.forget_home()
    gitpod = {"PIP_USER": "yes"}
    there = machine.root.parent / "theirs"
    before = machine.run(f"cd {there} && {task['before']}", gitpod)
    assert "installing the bootstrap command" in before.ok()
    stopwatch("before, in a new workspace")
    found = machine.run("bash -ic 'command -v bootstrap' 2>/dev/null", gitpod).ok().strip()
    assert found == str(there / ".bootstrap" / "bin" / "bootstrap")
    machine.run(f"cd {there} && {found} init --defaults && {found} render --check").ok()
    assert machine.run(f"cd {there} && git status --porcelain").ok() == ""
    (noted,) = (there / ".bootstrap" / "venv").glob(
        "lib/*/site-packages/workspace_bootstrap-*/direct_url.json"
    )
    document = json.loads(noted.read_text("utf-8"))
    assert document["vcs_info"]["commit_id"] == source.rpartition("@")[2]
    assert machine.run(f"cd {there} && {found} doctor --json").text.count("install this tool") == 0

    # The workflow of the team's page passes there, but for the keys that nobody has given it.
    path = machine.folder / "github-path"
    environ = {"GITHUB_PATH": str(path), "GITHUB_BASE_REF": "main"}
    codes = {}
    for step in steps():
        added = path.read_text("utf-8").split() if path.exists() else []
        result = machine.run(
            f"cd {there} && {step}", {**environ, "PATH": os.pathsep.join([*added, machine.path])}
        )
        codes[step] = (result.code, result.text)
    plan = codes.pop("bootstrap provision plan xray cloudwatch")
    assert {code for code, _ in codes.values()} == {0}, codes
    assert plan[0] == NOT_CONFIGURED, plan
    stopwatch("the workflow")

    # The devcontainer says the same, and the second start installs nothing.
    text = (there / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    container = json.loads(text.partition("\n")[2])
    again = machine.run(f"cd {there} && {container['onCreateCommand']}")
    assert container["onCreateCommand"] == task["before"]
    assert again.ok() == ""
    stopwatch("checks")


def test_the_page_says_of_each_platform_what_is_written() -> None:
    page = PAGE.read_text("utf-8")
    gitpod = yaml.safe_load((ROOT / ".gitpod.yml").read_text("utf-8"))
    assert f"`before: {gitpod['tasks'][0]['before']}`" in page
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    container = json.loads(text.partition("\n")[2])
    assert f'`"onCreateCommand": "{container["onCreateCommand"]}"`' in page
    assert typed("export PIP_USER=0 && ").removeprefix("export PIP_USER=0 && ") == typed("python3 -m venv")
    assert len(re.findall(re.escape(PLACEHOLDER), page)) == 5
