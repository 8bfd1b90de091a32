"""Process groups, short commands, identities, and becoming another program: with real processes."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.system.execute import CommandNotFoundError, NotExecutableError
from bootstrap.system.identity import RUN_ID, Identity, clear, living, part_of, sweep, wait_until
from bootstrap.system.process import Group, run, spawn_detached, start

ENVIRON = {"PATH": os.environ["PATH"]}
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
time.sleep(600)
"""


class Starter:
    """Starts groups and ends what is left of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.groups: list[Group] = []

    def __call__(self, *argv: str, run_id: str = "run-1") -> Group:
        group = start(argv, environ=ENVIRON, directory=self.directory, run_id=run_id)
        self.groups.append(group)
        return group

    def python(self, code: str, run_id: str = "run-1") -> Group:
        return self(sys.executable, "-c", code, run_id=run_id)


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    made = Starter(tmp_path)
    yield made
    for group in made.groups:
        group.signal(signal.SIGKILL)
        group.release()
        group.output.close()


def ended(group: Group) -> int | None:
    wait_until(lambda: group.poll() is not None, 30)
    return group.poll()


def test_a_group_has_its_own_session_and_exactly_its_environment(starter: Starter) -> None:
    group = starter("sh", "-c", "env; pwd; cat; echo error >&2; exit 3")
    assert ended(group) == 3
    lines = group.output.read().decode().splitlines()
    assert {f"{RUN_ID}=run-1", f"PATH={ENVIRON['PATH']}", str(starter.directory), "error"} <= set(lines)
    assert not any(line.startswith("HOME=") for line in lines)
    assert ended(group) == 3


def test_a_signal_reaches_the_whole_group_after_its_leader_has_ended(starter: Starter) -> None:
    group = starter("sh", "-c", "env -i sleep 600 & echo $!")
    child = int(group.output.readline())
    assert ended(group) == 0
    assert living({group.pid}) == {group.pid}
    group.signal(signal.SIGTERM)
    assert wait_until(lambda: not living({group.pid}), 30)
    assert not Identity.of(child).alive()


def test_the_exit_code_says_which_signal(starter: Starter) -> None:
    group = starter("sleep", "600")
    assert group.poll() is None
    group.signal(signal.SIGTERM)
    assert ended(group) == -signal.SIGTERM
    group.release()
    group.signal(signal.SIGKILL)
    assert group.poll() == -signal.SIGTERM


def test_an_identity_is_more_than_a_number(starter: Starter) -> None:
    group = starter("sleep", "600")
    real = group.identity
    assert real.matches()
    assert not Identity(real.pid, real.created - 60, real.uid, real.run_id).alive()
    assert not Identity(real.pid, real.created, real.uid + 1, real.run_id).alive()
    for run_id in ("another", ""):
        assert not Identity(real.pid, real.created, real.uid, run_id).matches()
    group.signal(signal.SIGKILL)
    ended(group)
    assert not real.alive()  # it is a zombie


def test_clear_stops_what_is_ours_and_nothing_else(starter: Starter) -> None:
    ours, stubborn = starter.python(DAEMON), starter.python(STUBBORN)
    theirs = starter.python(DAEMON, run_id="run-2")
    daemon, other = (Identity.of(int(group.output.readline())) for group in (ours, theirs))
    stubborn.output.readline()
    wrong = Identity(theirs.pid, theirs.identity.created, theirs.identity.uid, "run-1")
    assert clear([ours.identity, stubborn.identity, wrong], "run-1", 0.3)
    assert not daemon.alive()
    assert ended(ours) == -signal.SIGTERM
    assert ended(stubborn) == -signal.SIGKILL
    assert theirs.poll() is None
    assert other.alive()
    assert not clear([ours.identity], "run-1", 0.3)
    assert sweep("run-2", 5)
    assert not other.alive()


def test_a_part_of_a_run_is_swept_by_itself_and_with_the_run(starter: Starter) -> None:
    one, two = (
        starter.python(DAEMON, part_of("run-1", "one")),
        starter.python(DAEMON, part_of("run-1", "two")),
    )
    other = starter.python(DAEMON, run_id="run-10")
    daemons = [Identity.of(int(group.output.readline())) for group in (one, two, other)]
    assert sweep(part_of("run-1", "one"), 5)
    assert [daemon.alive() for daemon in daemons] == [False, True, True]
    assert sweep("run-1", 5)
    assert [daemon.alive() for daemon in daemons] == [False, False, True]
    assert sweep("run-10", 5)


def test_waiting_for_a_group_does_not_reap_it(starter: Starter) -> None:
    group = starter("sh", "-c", "env -i sleep 600 & exit 4")
    assert group.wait() == 4
    assert living({group.pid}) == {group.pid}
    group.signal(signal.SIGTERM)
    assert wait_until(lambda: not living({group.pid}), 30)
    assert group.wait() == 4


def test_an_empty_run_id_sweeps_nothing(starter: Starter) -> None:
    group = starter("sleep", "600", run_id="")
    assert not sweep("", 0)
    assert group.poll() is None


def test_a_sweep_from_inside_the_run_spares_itself(starter: Starter) -> None:
    other = starter("sleep", "600")
    group = starter.python("from bootstrap.system.identity import sweep; print(sweep('run-1', 0))")
    assert ended(group) == 0
    assert group.output.read() == b"True\n"
    assert ended(other) == -signal.SIGKILL


def test_what_cannot_be_started_says_why(starter: Starter, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(CommandNotFoundError):
        starter("no-such-program-anywhere")
    with pytest.raises(NotExecutableError):
        starter("./text")
    with pytest.raises(BootstrapError, match="no such folder"):
        start(["true"], environ=ENVIRON, directory=tmp_path / "nowhere", run_id="run-1")


def test_a_short_command_answers(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); sys.stderr.buffer.write(b'\\xff'); sys.exit(4)"
    answer = run([sys.executable, "-c", code], environ=ENVIRON, directory=tmp_path, data=b"hi")
    assert (answer.code, answer.output, answer.errors) == (4, "HI\n", "\ufffd")


def test_a_short_command_that_takes_long_is_killed_with_its_children(tmp_path: Path) -> None:
    code = f"echo $$ > {tmp_path}/pid; sleep 600 & sleep 600"
    began = time.monotonic()
    with pytest.raises(BootstrapError, match="no answer within 1 seconds"):
        run(["sh", "-c", code], environ=ENVIRON, timeout=1)
    assert time.monotonic() - began < 30
    group = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: not living({group}), 30)


def test_a_detached_process_writes_to_its_private_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    log.chmod(0o600)
    group = spawn_detached(["sh", "-c", "echo out; echo err >&2; exit 5"], ENVIRON, log)
    assert ended(group) == 5
    group.release()
    assert log.read_text() == "out\nerr\n"
    fresh = spawn_detached(["true"], ENVIRON, tmp_path / "fresh")
    assert ended(fresh) == 0
    fresh.release()
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o600


EXECUTE = """
import json, sys
from bootstrap.model.errors import BootstrapError
from bootstrap.system.execute import execute
try:
    execute(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
except BootstrapError as error:
    print(error.message)
    sys.exit(error.exit_code)
"""


def execute(argv: str, environ: str = '{"PATH": "/usr/bin:/bin", "ONLY": "this"}') -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, argv, environ], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_execute_becomes_the_command() -> None:
    assert execute('["sh", "-c", "echo $ONLY; exit 7"]') == (7, "this\n")
    code, output = execute('["env"]')
    assert (code, sorted(output.split())) == (0, ["ONLY=this", "PATH=/usr/bin:/bin"])


def test_execute_leaves_no_signal_ignored() -> None:
    code, output = execute('["sh", "-c", "kill -PIPE $$; echo it was ignored"]')
    assert (code, output) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize(
    ("argv", "environ", "code", "said"),
    [
        ('["no-such-program-anywhere"]', "{}", 127, "no-such-program-anywhere: command not found"),
        ('["/etc/passwd/x"]', "{}", 127, "/etc/passwd/x: command not found"),
        ('["/etc/passwd"]', "{}", 126, "/etc/passwd: cannot be executed: permission denied"),
        ('["/"]', "{}", 126, "/: cannot be executed: permission denied"),
        ('["true", "a\\u0000b"]', "{}", 125, "true: cannot be passed to the system: embedded null byte"),
        (
            '["true"]',
            '{"A=B": "x"}',
            125,
            "true: cannot be passed to the system: illegal environment variable name",
        ),
        ("[]", "{}", 125, "no command was given"),
    ],
)
def test_execute_says_what_it_cannot_become(argv: str, environ: str, code: int, said: str) -> None:
    assert execute(argv, environ) == (code, said + "\n")


def test_execute_does_not_guess_an_interpreter(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("echo not a program")
    text.chmod(0o755)
    assert execute(f'["{text}"]') == (126, f"{text}: cannot be executed: exec format error\n")


def test_execute_restores_the_signals_when_it_fails() -> None:
    code = EXECUTE.replace(
        "sys.exit(error.exit_code)", "import signal; print(signal.getsignal(signal.SIGPIPE).name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, '["nowhere-to-be-found"]', "{}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "SIG_IGN"


def test_execute_is_cheap_to_import() -> None:
    code = (
        "import sys, bootstrap.system.execute; print(*{'subprocess', 'psutil', 'click'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
