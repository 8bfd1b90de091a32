"""The process engine in this process: what it starts, in which order, and what it says when that fails."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.stack import ENGINES
from bootstrap.stack.interface import Launch, LogLine, PhaseChanged
from bootstrap.system.identity import RUN_ID, Identity
from bootstrap.system.ports import accepts, is_free

if TYPE_CHECKING:
    from tests.stack.conftest import Project

FreePorts = Callable[[int], Sequence[int]]


def test_a_service_runs_with_exactly_its_environment(project: "Project") -> None:
    show = project.python(
        "show",
        "import json, os, time; print(json.dumps(dict(os.environ)), flush=True); time.sleep(600)",
        environment={"OWN": "1", "HOME": "/changed"},
    )
    assert project.up(show) == 128 + signal.SIGTERM
    seen = json.loads(project.lines("show")[0])
    assert seen.pop(RUN_ID)
    seen.pop("LC_CTYPE", None)  # Python sets it by itself in the C locale
    assert seen == {**project.environment, "HOME": "/changed", "OWN": "1", "PYTHONUNBUFFERED": "1"}


def test_services_start_after_what_they_depend_on_is_healthy(
    project: "Project", free_ports: FreePorts
) -> None:
    db, api, web = free_ports(3)
    launches = (
        project.server("web", web, depends_on=("api",)),
        project.server("api", api, depends_on=("db",), health=None),
        project.server("db", db),
    )
    assert project.up(*launches) == 143
    order = [(one.service, one.phase.name) for one in project.events if isinstance(one, PhaseChanged)]
    assert order[:6] == [
        *[("db", "STARTING"), ("db", "HEALTHY")],
        *[("api", "STARTING"), ("api", "HEALTHY")],
        *[("web", "STARTING"), ("web", "HEALTHY")],
    ]
    assert all(is_free(port) for port in (db, api, web))
    assert [(one.name, one.phase.name) for one in project.engine().status()] == [
        *[("db", "STOPPED"), ("api", "STOPPED"), ("web", "STOPPED")]
    ]


def test_a_shell_command_line_goes_through_the_shell(project: "Project") -> None:
    line = project.shell("line", "echo one  two | tr a-z A-Z; sleep 600")
    assert project.up(line) == 143
    assert project.lines("line") == ["ONE TWO"]


@pytest.mark.parametrize(
    ("code", "said"), [("raise SystemExit(3)", "exited with code 3"), ("", "exited with code 0")]
)
def test_a_service_that_ends_before_it_is_ready(
    project: "Project", free_ports: FreePorts, code: str, said: str
) -> None:
    early = project.python("early", f"print(*range(40), sep='\\n')\n{code}", port=free_ports(1)[0])
    other = project.launch("other")
    assert project.up(early, other) == 1
    failure = project.failure()
    assert failure.service == "early"
    assert failure.detail == f"{said} before it was ready"
    assert failure.output == tuple(str(number) for number in range(25, 40))
    assert project.phases("other")[-1] == "STOPPED"


def test_a_health_check_that_never_succeeds(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    assert project.up(project.server("sick", port, "--unhealthy"), health=1) == 1
    failure = project.failure()
    assert failure.detail == f"not ready after 1 seconds: / at port {port} says 503"
    assert "services.sick.command" in failure.hint
    assert failure.output == ("listening",)
    assert is_free(port)


def test_what_is_waited_for_is_said_where_it_takes_long(project: "Project", free_ports: FreePorts) -> None:
    (port,) = free_ports(1)
    assert project.up(project.server("sick", port, "--unhealthy"), health=6) == 1
    said = [one.detail for one in project.events if isinstance(one, PhaseChanged) and one.detail]
    assert said[0] == f"waiting: / at port {port} says 503"
    assert len(said) == 2


def test_a_port_that_another_program_answers_later_is_not_health(
    project: "Project", free_ports: FreePorts
) -> None:
    (port,) = free_ports(1)
    with socket.socket() as thief:
        launch = project.python(
            "robbed", "import time; print('up', flush=True); time.sleep(600)", port=port, health=None
        )

        def steal(event: PhaseChanged | LogLine) -> None:
            if isinstance(event, LogLine):
                thief.bind(("127.0.0.1", port))
                thief.listen()
            project.events.append(event)

        assert project.engine().up([launch], steal, ready=lambda: None) == 1
    assert f"port {port} is answered by" in project.failure().detail
    assert project.failure().detail.endswith("not by robbed")


def test_a_taken_port_is_named_with_its_owner_before_anything_starts(
    project: "Project", free_ports: FreePorts
) -> None:
    free, port = free_ports(2)
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as squatter:
        while not accepts(port):
            time.sleep(0.02)
        with pytest.raises(BootstrapError) as caught:
            project.up(project.server("first", free), project.server("web", port))
        squatter.kill()
    assert caught.value.message.startswith(f"services.web: port {port} is taken by python")
    assert f"pid {squatter.pid}" in caught.value.message
    assert "http.server" in caught.value.message
    assert "bootstrap.local.toml" in caught.value.hint
    assert project.events == []


def test_a_command_that_is_not_there(project: "Project") -> None:
    assert project.up(project.launch("typo", "no-such-program-anywhere")) == 1
    assert project.failure().detail == "no-such-program-anywhere: command not found"


def test_a_folder_that_is_not_there(project: "Project") -> None:
    gone = Launch("gone", "true", project.root / "nowhere", {})
    assert project.up(gone) == 1
    assert project.failure().detail == f"{project.root / 'nowhere'}: no such folder"


def test_hidden_values_are_neither_shown_nor_stored(project: "Project") -> None:
    value = "made-up-" + "value-of-nobody"
    teller = project.python(
        "teller",
        "import os, time; print(f'key={os.environ[\"KEY\"]};\\nno end', end='', flush=True); time.sleep(600)",
        environment={"KEY": value},
        hidden=(value,),
    )
    assert project.up(teller) == 143
    assert project.lines("teller") == ["key=[masked];", "no end"]
    stored = [path.read_text() for path in project.state.directory.rglob("*") if path.is_file()]
    assert any("key=[masked];" in text for text in stored)
    assert not any(value in text for text in stored)


def test_an_observer_that_raises_ends_the_run_with_its_error(project: "Project") -> None:
    def broken(event: PhaseChanged | LogLine) -> None:
        if isinstance(event, LogLine):
            raise BrokenPipeError

    noisy = project.python("noisy", "import time; print('hello', flush=True); time.sleep(600)")
    with pytest.raises(BrokenPipeError):
        project.engine().up([noisy], broken, ready=lambda: None)


def test_what_ready_raises_ends_the_run(project: "Project") -> None:
    def ready() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        project.up(project.launch("idle"), ready=ready)


def test_a_grandchild_that_keeps_the_pipe_does_not_hold_up_the_end(project: "Project") -> None:
    # It has neither our environment nor our group: nothing but the pipe connects it to the run.
    code = """
import subprocess, time
print(subprocess.Popen(["sleep", "60"], env={}, start_new_session=True).pid, flush=True)
time.sleep(600)
"""
    began = time.monotonic()
    assert project.up(project.python("holder", code)) == 143
    assert time.monotonic() - began < 30
    os.kill(int(project.lines("holder")[0]), signal.SIGKILL)


def test_down_status_and_logs_without_any_run(project: "Project") -> None:
    engine = project.engine()
    assert engine.down() == []
    assert engine.status() == []
    assert list(engine.logs([], follow=True, tail=None)) == []


def test_logs_come_in_order_and_follow_ends_with_the_run(project: "Project") -> None:
    seen: list[LogLine] = []
    engine = project.engine()
    follower = threading.Thread(target=lambda: seen.extend(engine.logs([], follow=True, tail=None)))

    def ready() -> None:
        follower.start()
        while len(seen) < 3 and follower.is_alive():
            time.sleep(0.02)
        signal.raise_signal(signal.SIGINT)

    one = project.python("one", "import time; print('a', flush=True); time.sleep(600)")
    two = project.python(
        "two", "import time; print('b\\nc', flush=True); time.sleep(600)", depends_on=("one",)
    )
    assert project.up(one, two, ready=ready) == 130
    follower.join(20)
    assert not follower.is_alive()
    assert seen == [LogLine("one", "a"), LogLine("two", "b"), LogLine("two", "c")]
    assert list(engine.logs(["two"], follow=False, tail=1)) == [LogLine("two", "c")]


def test_a_stranger_with_a_remembered_number_is_left_alone(project: "Project") -> None:
    with subprocess.Popen(["sleep", "600"], env={RUN_ID: "another-run"}, start_new_session=True) as stranger:
        real = Identity.of(stranger.pid)
        for created, run_id in ((real.created, "ours"), (real.created - 60, "another-run")):
            process = {"pid": real.pid, "created": created, "uid": real.uid, "run_id": run_id}
            service = {"phase": "healthy", "port": None, "process": process, "started": 1.0}
            gone = {"pid": real.pid, "created": 1.0, "uid": real.uid, "run_id": ""}
            project.state.write(
                "run", {"run_id": "ours", "supervisor": gone, "started": 1.0, "services": {"web": service}}
            )
            assert [one.phase.name for one in project.engine().status()] == ["STOPPED"]
            assert project.engine().down() == []
            assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"run_id": 7}', '{"run_id": "x", "services": {"a": null}}', "\0"]
)
def test_a_broken_record_counts_as_none(project: "Project", text: str) -> None:
    (project.state.directory / "run.json").write_text(text)
    assert project.engine().down() == []
    assert project.engine().status() == []


def test_the_table_of_engines() -> None:
    assert ENGINES["process"].name == "process"
