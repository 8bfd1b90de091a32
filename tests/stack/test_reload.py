"""A changed source file reloads its service, once for a burst, and nothing else does."""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.stack.interface import Phase
from bootstrap.system.ports import is_free
from tests.conftest import Repository

if TYPE_CHECKING:
    from tests.stack.conftest import Project, Supervised

FreePorts = Callable[[int], Sequence[int]]

#: long enough for the watcher to see a change, where nothing is to come of it
QUIETLY = 1.2


@pytest.fixture
def source(project: "Project") -> Path:
    """A folder with a service's source, which is a server."""
    folder = project.root / "api"
    folder.mkdir()
    shutil.copy(project.root / "server.py", folder)
    return folder


def watched(project: "Project", folder: Path, port: int, name: str = "api", **more: Any) -> Any:
    launch = project.server(name, port, watch=folder, **more)
    return type(launch)(
        **{field: getattr(launch, field) for field in launch.__slots__} | {"directory": folder}
    )


def settle(supervised: "Supervised") -> None:
    """Wait until it runs and the watcher has begun."""
    supervised.wait_for("ready")
    time.sleep(0.5)


def reloads(supervised: "Supervised", service: str = "api") -> list[str]:
    return [line for line in supervised.lines if line.startswith(f"{service}: RESTARTING")]


def test_a_burst_of_saves_reloads_one_service_once(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    one, two = free_ports(2)
    other = project.root / "other"
    shutil.copytree(source, other)
    supervised = project.supervise(
        watched(project, source, one), watched(project, other, two, "other", depends_on=("api",))
    )
    settle(supervised)
    for number in range(10):
        (source / f"part{number}.py").write_text("x = 1")
        time.sleep(0.02)
    supervised.wait_for("api: HEALTHY", times=2)
    time.sleep(QUIETLY / 2)
    assert reloads(supervised) == ["api: RESTARTING part0.py and 9 more changed"]
    assert reloads(supervised, "other") == []
    (source / "server.py.new").write_text((source / "server.py").read_text())
    (source / "server.py.new").replace(source / "server.py")
    supervised.wait_for("api: HEALTHY", times=3)
    assert supervised.signal(signal.SIGINT) == 130
    assert project.processes() == []
    assert is_free(one)


def test_what_changes_while_services_start_is_not_missed(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    one, two = free_ports(2)
    slow = project.server("slow", two, "--unhealthy")
    supervised = project.supervise(watched(project, source, one), slow)
    supervised.wait_for("api: HEALTHY")
    (source / "early.py").touch()
    supervised.wait_for("api: RESTARTING early.py changed")
    assert "ready" not in supervised.lines
    assert supervised.signal(signal.SIGINT) == 130


def test_what_is_not_source_reloads_nothing(project: "Project", source: Path, free_ports: FreePorts) -> None:
    repository = Repository(source)
    repository.write(".gitignore", "build/\n*.generated\n")
    (source / "node_modules").mkdir()
    supervised = project.supervise(watched(project, source, free_ports(1)[0]))
    settle(supervised)
    for name in (
        *("__pycache__/server.pyc", "node_modules/lib/index.js", ".venv/bin/thing", ".bootstrap/services/x"),
        *(".server.py.swp", "server.py~", "4913", "app.sqlite3-journal", "app.log", "app.log.1"),
        *("build/out.js", "api.generated"),
    ):
        repository.write(name, "changed")
    repository.commit()
    (source / "server.py").read_bytes()
    time.sleep(QUIETLY)
    assert reloads(supervised) == []
    repository.write("settings.generated.py", "source all the same")
    supervised.wait_for("api: RESTARTING settings.generated.py changed")
    supervised.wait_for("api: HEALTHY", times=2)
    assert supervised.signal(signal.SIGINT) == 130


def test_a_reload_that_fails_waits_for_the_next_change(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    one, two = free_ports(2)
    supervised = project.supervise(watched(project, source, one), project.server("web", two))
    settle(supervised)
    good = (source / "server.py").read_text()
    (source / "server.py").write_text("def broken(:\n")
    supervised.wait_for("api: FAILED")
    (status,) = (one for one in project.engine().status() if one.name == "api")
    detail = "exited with code 1 before it was ready; the next change is tried again"
    assert (status.phase, status.detail) == (Phase.FAILED, detail)
    assert any("SyntaxError" in line for line in supervised.lines)
    time.sleep(0.3)
    assert not is_free(two)
    (source / "server.py").write_text(good)
    supervised.wait_for("api: HEALTHY", times=2)
    (source / "server.py").write_text("def broken(:\n")
    supervised.wait_for("api: FAILED", times=2)
    assert supervised.signal(signal.SIGTERM) == 143
    assert "web: STOPPED" in supervised.lines


def test_changed_requirements_are_installed_first(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    (source / "package.json").write_text("{}")
    api = watched(project, source, free_ports(1)[0], setup="cat package.json > installed.txt; sleep 0.3")
    supervised = project.supervise(api)
    settle(supervised)
    assert reloads(supervised) == []
    (source / "package.json").write_text('{"changed": 1}')
    supervised.wait_for("api: HEALTHY", times=2)
    assert supervised.lines.count("api: SETUP") == 2
    assert (source / "installed.txt").read_text() == '{"changed": 1}'
    time.sleep(QUIETLY / 2)
    assert reloads(supervised) == ["api: RESTARTING package.json changed"]
    assert supervised.signal(signal.SIGINT) == 130


def test_a_service_that_writes_into_its_own_folder_does_not_reload_for_ever(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    (source / "server.py").write_text(
        "import threading, time\n"
        "threading.Timer(0.5, lambda: open('state.json', 'w').write(str(time.time()))).start()\n"
        + (source / "server.py").read_text()
    )
    supervised = project.supervise(watched(project, source, free_ports(1)[0]))
    supervised.wait_for(
        "api: [state.json changed again, soon after the start: reloads wait longer from now on "
        "(if the service writes it, let git ignore it)]"
    )
    assert len(reloads(supervised)) == 4
    assert supervised.signal(signal.SIGINT) == 130
    assert project.processes() == []


def test_a_changed_manifest_is_mentioned_once(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    manifest = project.root / "bootstrap.toml"
    manifest.write_text("[project]")
    supervised = project.supervise(watched(project, project.root, free_ports(1)[0]))
    settle(supervised)
    manifest.touch()
    time.sleep(QUIETLY / 2)
    said = "bootstrap: [bootstrap.toml changed: run `bootstrap up` again]"
    assert said not in supervised.lines
    for number in range(2):
        (project.root.parent / "new").write_text(f"[project]\n# {number}")
        (project.root.parent / "new").replace(manifest)
        supervised.wait_for(said)
    (source / "other.py").touch()
    supervised.wait_for("api: RESTARTING api/other.py changed")
    assert supervised.lines.count(said) == 1
    assert supervised.signal(signal.SIGINT) == 130


def test_where_the_system_cannot_tell_it_looks_by_itself(
    project: "Project", source: Path, free_ports: FreePorts
) -> None:
    few = "echo 0 > /proc/sys/user/max_inotify_watches"
    alone = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*alone, "sh", "-c", few], capture_output=True, check=False).returncode:
        pytest.skip("no user namespace with limits of its own here")
    project.before = [*alone, "sh", "-c", f'{few}; exec "$@"', "sh"]
    supervised = project.supervise(watched(project, source, free_ports(1)[0]))
    settle(supervised)
    time.sleep(1)
    (source / "server.py").touch()
    supervised.wait_for("api: RESTARTING server.py changed")
    said = [line for line in supervised.lines if line.startswith("bootstrap: ")]
    assert len(said) == 1
    assert said[0].startswith("bootstrap: [looking for changed files every second: the system cannot tell (")
    assert supervised.signal(signal.SIGINT) == 130


def test_a_signal_during_a_reload(
    project: "Project", source: Path, free_ports: FreePorts, chance: random.Random
) -> None:
    (port,) = free_ports(1)
    supervised = project.supervise(watched(project, source, port), grace=1)
    settle(supervised)
    (source / "server.py").touch()
    supervised.wait_for("api: RESTARTING server.py changed")
    time.sleep(chance.uniform(0, 0.2))
    assert supervised.signal(signal.SIGHUP) == 129
    assert project.processes() == []
    assert is_free(port)
