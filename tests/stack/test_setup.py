"""Setup: run once, again when its inputs change, and never believed before it has succeeded."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bootstrap.stack.interface import Launch
    from tests.stack.conftest import Project


def prepare(project: "Project", launch: "Launch") -> bool:
    """Prepare, and say whether the setup ran."""
    before = project.phases(launch.name).count("SETUP")
    assert project.engine().prepare([launch], project.events.append) == 0
    return project.phases(launch.name).count("SETUP") > before


def test_it_runs_once_and_again_when_its_inputs_change(project: "Project") -> None:
    service = project.launch("web", setup="sh install.sh")
    (project.root / "install.sh").write_text("echo one >> ran")
    assert prepare(project, service)
    assert not prepare(project, service)
    changes = {"install.sh": "echo two >> ran", "package.json": "{}", "poetry.lock": "", "setup.cfg": "x"}
    for name, text in changes.items():
        (project.root / name).write_text(text)
        assert prepare(project, service), name
        assert not prepare(project, service), name
    (project.root / "app.py").write_text("not an input")
    assert not prepare(project, service)
    assert prepare(project, project.launch("web", setup="sh ./install.sh"))
    assert (project.root / "ran").read_text().split() == ["one"] + ["two"] * 5


def test_a_file_that_a_requirements_file_includes_is_an_input(project: "Project") -> None:
    (project.root / "needs").mkdir()
    service = project.launch("web", setup="cat needs/all.txt")
    (project.root / "needs/all.txt").write_text("--requirement=base.txt\n-c ../limits.txt\n-r all.txt\n")
    (project.root / "limits.txt").write_text("a<2")
    assert prepare(project, service)
    (project.root / "needs/base.txt").write_text("a")
    assert prepare(project, service)
    (project.root / "limits.txt").write_text("a<3")
    assert prepare(project, service)
    assert not prepare(project, service)


def test_up_prepares_first_and_only_when_due(project: "Project") -> None:
    service = project.launch("web", setup="echo prepared")
    assert project.up(service) == 143
    assert project.phases("web") == ["SETUP", "STARTING", "HEALTHY", "STOPPED"]
    project.events.clear()
    assert project.up(service) == 143
    assert project.phases("web") == ["STARTING", "HEALTHY", "STOPPED"]


def test_a_setup_sees_what_its_service_does_not_inherit(project: "Project") -> None:
    """It may have to sign in where packages are; the service is given keys of its own."""
    project.environment["AWS_PROFILE"] = "mine"
    say = 'echo "profile: $AWS_PROFILE."'
    service = project.shell("web", f"{say}; sleep 600", setup=say, without=("AWS_PROFILE",))
    assert project.up(service) == 143
    assert project.lines("web") == ["profile: mine.", "profile: ."]


def test_a_failed_setup_shows_its_last_lines_and_is_not_done(project: "Project") -> None:
    service = project.shell("web", "sleep 600", setup="echo cannot find it >&2; exit 7")
    for _ in range(2):
        project.events.clear()
        assert project.up(service) == 1
        failure = project.failure()
        assert failure.detail == "setup exited with code 7"
        assert failure.output == ("cannot find it",)
        assert "services.web.setup" in failure.hint
    (status,) = project.engine().status()
    assert (status.phase.name, status.detail) == ("FAILED", "setup exited with code 7")
    assert "STARTING" not in project.phases("web")


def test_a_very_long_setup_is_no_file_name(project: "Project") -> None:
    assert prepare(project, project.launch("web", setup=f"echo {'x' * 5000} ''"))


def test_a_setup_with_an_open_quote_is_the_shells_to_refuse(project: "Project") -> None:
    assert project.up(project.launch("web", setup="echo 'open")) == 1
    assert project.failure().detail == "setup exited with code 2"


def test_a_link_in_the_way_is_refused(project: "Project", tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project.root / ".bootstrap").symlink_to(tmp_path / "elsewhere")
    assert project.up(project.launch("web", setup="true")) == 1
    assert ".bootstrap" in project.failure().detail
    assert list((tmp_path / "elsewhere").iterdir()) == []


def wheel(path: Path, answer: str) -> None:
    """The smallest package that pip installs without a network or a build."""
    info = "greeting-1.0.dist-info"
    files = {
        "greeting.py": f"answer = {answer!r}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)


PACKAGE = "greeting-1.0-py3-none-any.whl"
INSTALL = f"pip install --quiet --no-index --force-reinstall {PACKAGE}"
SHOW = "python -c 'import greeting, sys; print(greeting.answer, sys.prefix)'; sleep 600"


def test_each_service_has_its_own_packages(project: "Project") -> None:
    wheel(project.root / PACKAGE, "hello")
    project.environment |= {"PIP_USER": "1", "PYTHONHOME": "/nowhere"}
    assert project.up(project.shell("web", SHOW, setup=INSTALL)) == 143
    assert project.lines("web")[-1] == f"hello {project.root / '.bootstrap/services/web/venv'}"
    assert (project.root / ".bootstrap/services/.gitignore").read_text() == "*\n"


@pytest.mark.slow
def test_an_environment_is_kept_when_it_was_whole_and_made_again_when_not(project: "Project") -> None:
    folder = project.root / ".bootstrap/services/web"
    service = project.launch("web", setup=INSTALL)
    wheel(project.root / PACKAGE, "hello")
    assert prepare(project, service)
    (folder / "venv/mine").touch()
    wheel(project.root / PACKAGE, "changed")
    assert prepare(project, service)
    assert (folder / "venv/mine").exists()
    (folder / "setup.json").unlink()
    assert prepare(project, service)
    assert not (folder / "venv/mine").exists()
    (folder / "venv/bin/python").unlink()
    assert prepare(project, service)
    assert not prepare(project, service)
