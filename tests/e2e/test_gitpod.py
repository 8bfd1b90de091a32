"""The generated .gitpod.yml, executed as Gitpod does: prebuild, first start, restart in another workspace."""

import platform
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.e2e.evidence import Running
    from tests.e2e.machine import Machine, Terminal

pytestmark = pytest.mark.slow

CLUSTER = "ws-eu0.gitpod.example"

#: as the AWS CLI's own installer: a version folder, `current`, and links from the folder of programs
INSTALLER = """
update=
while [ $# -gt 0 ]; do
  case $1 in
    --install-dir) into=$2; shift 2 ;;
    --bin-dir) bin=$2; shift 2 ;;
    --update) update=yes; shift ;;
    *) echo "no option $1" >&2; exit 1 ;;
  esac
done
here=$(dirname "$0")
"$here/dist/aws" --version >/dev/null || exit 1
[ ! -e "$into/v2/2.0.0" ] || [ "$update" ] || exit 1
mkdir -p "$into/v2/2.0.0/bin" "$bin"
cp -R "$here/dist" "$into/v2/2.0.0/"
for name in aws aws_completer; do
  ln -sfn "../dist/$name" "$into/v2/2.0.0/bin/$name"
  ln -sfn "$into/v2/current/bin/$name" "$bin/$name"
done
ln -sfn "$into/v2/2.0.0" "$into/v2/current"
"""

#: serves the one download that is documented, asked for as it is, and nothing else
CURL = """
if [ "$*" != "--proto =https -fsSL {url} -o .bootstrap/download/aws.zip" ]; then
  echo "curl: refused: $*" >&2
  exit 2
fi
cp "{archive}" "$6"
"""


class Gitpod:
    """The workspaces of one repository: each gets the folder, and nothing else, from the one before."""

    def __init__(self, machine: "Machine", script: Callable[[Path, str], Path]) -> None:
        self.machine = machine
        self.port = machine.clone()
        self._script = script
        self._programs = machine.folder / "image" / "bin"
        self._programs.mkdir(parents=True)
        machine.path = f"{self._programs}:{machine.path}"
        # What Gitpod's own images set for pip, which its virtual environments have to withstand.
        machine.environ |= {
            "PIP_USER": "yes",
            "PYTHONUSERBASE": str(machine.root.parent / ".pyenv_mirror" / "user"),
        }
        configuration = yaml.safe_load((machine.root / ".gitpod.yml").read_text())
        (self._task,) = configuration["tasks"]
        assert self._task.keys() == {"name", "before", "init", "command"}  # all of which run below

    def download_works(self) -> None:
        """Let curl find the AWS CLI."""
        archive = self.machine.folder / "aws.zip"
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr("aws/install", f"#!/bin/sh{INSTALLER}")
            for name in ("aws", "aws_completer"):
                made.writestr(f"aws/dist/{name}", "#!/bin/sh\necho aws-cli/2.0.0\n")
        url = f"https://awscli.amazonaws.com/awscli-exe-linux-{platform.machine()}.zip"
        self._script(self._programs / "curl", CURL.format(url=url, archive=archive))

    def download_fails(self) -> None:
        """Let curl find no host."""
        self._script(self._programs / "curl", 'echo "curl: (6) Could not resolve host" >&2\nexit 6\n')

    def prebuild(self) -> str:
        """Run what a prebuild runs, in a workspace of its own, without secrets; returns what it printed."""
        self.machine.forget_home()
        variables = self.variables("prebuild") | {"GITPOD_HEADLESS": "true"}
        terminal = self._terminal(variables, "before", "init")
        assert terminal.end() == 0, terminal.text
        return terminal.text

    def start(self, workspace: str) -> "tuple[Terminal, Running]":
        """Open a workspace after a prebuild, or again, and wait until it is healthy."""
        self.machine.forget_home()
        terminal = self._terminal(self.variables(workspace), "before", "command")
        return terminal, terminal.healthy()

    def variables(self, workspace: str) -> dict[str, str]:
        """What every process of the workspace sees."""
        return {
            "GITPOD_WORKSPACE_ID": workspace,
            "GITPOD_WORKSPACE_CLUSTER_HOST": CLUSTER,
            "GITPOD_WORKSPACE_URL": f"https://{workspace}.{CLUSTER}",
            "GITPOD_INSTANCE_ID": f"instance-of-{workspace}",
        }

    def check(self, running: "Running", workspace: str) -> None:
        """Its URLs are those of this workspace, its backend is traced, its commands are found."""
        backend = f"https://{self.port}-{workspace}.{CLUSTER}"
        assert running.backend == backend
        assert running.traces.url.split("/api/")[0].endswith(f"-{workspace}.{CLUSTER}")
        (environment,) = (self.machine.root / ".bootstrap" / "env").glob("*.env")
        assert f'BACKEND_URL="{backend}"\n' in environment.read_text()
        running.check_home()
        for command in ("bootstrap", "aws"):
            found = self.machine.found(command, self.variables(workspace))
            assert found == str(self.machine.root / ".bootstrap" / "bin" / command)
        assert self.machine.run("bash -ic aws", self.variables(workspace)).ok().endswith("aws-cli/2.0.0\n")
        assert self.machine.changes() == ""

    def _terminal(self, variables: dict[str, str], *steps: str) -> "Terminal":
        """Run steps of the task in one terminal: none of them after one that fails."""
        script = " && ".join(f"{{\n{self._task[step]}\n}}" for step in steps)
        return self.machine.terminal("bash", "-ic", script, extra=variables)


@pytest.fixture
def gitpod(machine: "Machine", script: Callable[[Path, str], Path]) -> Gitpod:
    return Gitpod(machine, script)


def test_prebuild_start_and_restart(gitpod: Gitpod, stopwatch: Callable[[str], None]) -> None:
    gitpod.download_works()
    gitpod.prebuild()
    stopwatch("prebuild")
    assert gitpod.machine.processes() == []
    assert not (gitpod.machine.root / ".bootstrap" / "env").exists()

    terminal, running = gitpod.start("olive-otter-a1")
    stopwatch("first start")
    assert "nother workspace" not in terminal.text
    for done_before in ("installing", "setting up"):
        assert done_before not in terminal.text
    gitpod.check(running, "olive-otter-a1")
    gitpod.machine.power_off()

    terminal, running = gitpod.start("azure-heron-b2")
    stopwatch("restart")
    assert "This is another workspace than before (Gitpod olive-otter-a1)" in terminal.text
    gitpod.check(running, "azure-heron-b2")
    ports = gitpod.machine.ports()
    terminal.interrupt()
    gitpod.machine.check_quiet(ports)


def test_a_workspace_opens_without_the_aws_cli(gitpod: Gitpod) -> None:
    gitpod.download_fails()
    printed = gitpod.prebuild()
    (told,) = [line for line in printed.splitlines() if "Try again later: " in line]
    _, running = gitpod.start("olive-otter-a1")
    variables = gitpod.variables("olive-otter-a1")
    assert gitpod.machine.found("aws", variables) == ""

    gitpod.download_works()
    gitpod.machine.run(told.partition("Try again later: ")[2], variables).ok()
    gitpod.check(running, "olive-otter-a1")
