"""The builders do what their tests rely on: what refuses refuses, and what kills kills."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.milestones.http_remote import Host
from tests.milestones.journal import mended, write_journal
from tests.milestones.promises import Ledger
from tests.milestones.repositories import Clone, Remote
from tests.milestones.steps import Steps


def test_the_journal_s_flaw_is_that_of_the_real_one(clone: Clone, remote: Remote) -> None:
    journal = write_journal(clone)
    assert remote.tags() == clone.tags() == {"week2": journal.finish, "week2-start": journal.start}
    assert b"\ntag week2\n" in clone.raw("refs/tags/week2-start")
    assert clone.raw("refs/tags/week2-start") == mended("week2", journal.commit)
    described = clone.run("describe", "--exact-match", journal.commit)
    assert b"externally known as 'week2" in described.stderr or b"week2" in described.stdout


def test_a_remote_without_atomic_pushes_refuses_them(clone: Clone, remote: Remote) -> None:
    clone.tag("week1")
    remote.without_atomic()
    done = clone.run("push", "--atomic", "origin", "refs/tags/week1")
    assert done.returncode != 0
    assert b"does not support --atomic" in done.stderr
    clone.publish("week1")


def test_hooks_refuse_by_name_by_deletion_and_at_all(clone: Clone, remote: Remote) -> None:
    clone.tag("week1")
    clone.tag("other")
    remote.protect("refs/tags/week*")
    assert clone.run("push", "origin", "refs/tags/week1").returncode == 1
    clone.publish("other")
    remote.keep_everything()
    assert clone.run("push", "origin", ":refs/tags/other").returncode == 1
    remote.allow()
    remote.refuse()
    assert b"Sunday" in clone.run("push", "origin", "refs/tags/week1").stderr


def test_http_serves_refuses_and_loses_answers(clone: Clone, remote: Remote, host: Host) -> None:
    clone.tag("week1")
    url = host.url("remote.git")
    assert clone.git("ls-remote", url, "refs/heads/main").startswith(clone.git("rev-parse", "HEAD"))
    host.forbid_pushes = True
    assert clone.run("push", url, "refs/tags/week1").returncode == 128
    host.forbid_pushes = False
    host.drop = "git-receive-pack"
    assert clone.run("push", url, "refs/tags/week1").returncode != 0
    assert remote.tags() == {}
    host.drop = ""
    host.lose_answer = "git-receive-pack"
    assert clone.run("push", url, "refs/tags/week1").returncode != 0
    assert remote.tags() == clone.tags()
    host.password = "made-up"
    asked = clone.run("ls-remote", host.url("remote.git", "ann"), env={"GIT_TERMINAL_PROMPT": "0"})
    assert asked.returncode == 128


@pytest.mark.parametrize("mode", ["before", "after", "within", "at-remote"])
def test_the_caller_of_git_is_killed_where_it_was_asked_for(
    clone: Clone, remote: Remote, steps: Steps, tmp_path: Path, mode: str
) -> None:
    caller = tmp_path / "caller"
    caller.write_text(
        "#!/bin/sh\n"
        "git -c core.hooksPath=/dev/null -C . rev-parse HEAD >/dev/null\n"
        "git -c core.hooksPath=/dev/null tag one\n"
        "git -c core.hooksPath=/dev/null push --quiet origin tag one\n"
        "echo survived\n",
        encoding="utf-8",
    )
    caller.chmod(0o755)
    if mode == "at-remote":
        steps.watch(remote)
    environ = {**os.environ, "PATH": steps.path(os.environ["PATH"])}
    number = 2 if mode == "at-remote" else 1
    with steps.kill(number, mode):
        done = subprocess.run([caller], cwd=clone.root, env=environ, capture_output=True, check=False)
        assert len(steps.calls()) == number + 1
        assert steps.calls()[1] == "-c core.hooksPath=/dev/null tag one"
    assert done.returncode == -signal.SIGKILL
    assert ("one" in clone.tags()) is (mode in ("after", "at-remote"))
    assert clone.locks() == (["refs/tags/one.lock"] if mode == "within" else [])
    assert ("one" in remote.tags()) is (mode == "at-remote")


def test_what_is_lost_is_noticed(clone: Clone, remote: Remote) -> None:
    clone.tag("week1")
    clone.lightweight("week2")
    clone.commit("More")
    clone.tag("nested", target="week1")
    ledger = Ledger(clone, remote)
    assert ledger.settle() == []
    clone.git("update-ref", "refs/tags/week1-start", "refs/tags/week1")
    clone.git("update-ref", "-d", "refs/tags/week1")
    assert ledger.settle(renamed={"week1": "week1-start"}) == []
    assert ledger.settle() == ["week1 is on neither side"]
    clone.git("update-ref", "-d", "refs/tags/week1-start")
    assert ledger.settle(renamed={"week1": "week1-start"}) == ["week1 is on neither side"]
    clone.git("update-ref", "-d", "refs/tags/nested")
    assert len(ledger.settle(deleted=["nested"])) == 2
    assert ledger.settle(deleted=["nested", "week1"]) == []
