"""The option, the question and the words about where telemetry goes."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click
import pexpect
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import as_arguments, as_json, asking, lines, show, telemetry_option
from bootstrap.flows.routing import Decision, Wishes
from bootstrap.vendors import VENDORS
from tests.stand_ins.clouds import Clouds

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@telemetry_option()
def command(telemetry: Wishes) -> None:
    """Spell what was understood."""
    click.echo(f"{telemetry.every} {sorted(telemetry.each.items())} {as_arguments(telemetry)}")


def understood(*given: str) -> str:
    arguments = [word for wish in given for word in ("--telemetry", wish)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.output.strip()


@pytest.mark.parametrize(
    ("given", "every", "each"),
    [
        ((), "auto", {}),
        (("local",), "local", {}),
        (("cloud", "rollbar=local"), "cloud", {"rollbar": "local"}),
        (("xray=cloud", "local", "xray=auto", "auto"), "auto", {"xray": "auto"}),
    ],
)
def test_the_last_word_about_each_counts(given: tuple[str, ...], every: str, each: dict[str, str]) -> None:
    assert understood(*given).startswith(f"{every} {sorted(each.items())} ")


def test_wishes_are_spelled_again_without_what_was_forgotten() -> None:
    wishes = Wishes("cloud", {"xray": "local", "rollbar": "auto"})
    assert as_arguments(wishes) == ["--telemetry", "cloud", "--telemetry", "xray=local"]
    assert as_arguments(Wishes()) == []


@pytest.mark.parametrize(
    "wish", ["", "on", "xray", "xray=", "=cloud", "nobody=cloud", "xray=on", "a=xray=cloud"]
)
def test_what_is_no_wish_is_a_mistake_that_names_what_there_is(wish: str) -> None:
    result = CliRunner().invoke(command, ["--telemetry", wish])
    assert result.exit_code == 2
    assert all(word in result.output for word in ("auto, local, cloud", *(f"{name}=" for name in VENDORS)))


def test_every_wish_is_completed() -> None:
    complete = ShellComplete(command, {}, "it", "_IT_COMPLETE")

    def completed(incomplete: str) -> list[str]:
        return [str(item.value) for item in complete.get_completions(["--telemetry"], incomplete)]

    assert completed("ho") == ["honeycomb=auto", "honeycomb=local", "honeycomb=cloud"]
    assert completed("c") == [
        "cloud",
        *(f"{name}={mode}" for name in VENDORS if name[0] == "c" for mode in ("auto", "local", "cloud")),
    ]
    assert all(understood(wish) for wish in completed(""))


def test_nobody_is_asked_without_a_terminal(tmp_path: Path) -> None:
    assert asking(Session(str(tmp_path), as_json=False)) is None


ASK = """
import sys
from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import asking
from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors import VENDORS
ask = asking(Session(None, as_json="--json" in sys.argv))
found = Remark("honeycomb", Mark.OK, "HONEYCOMB_API_KEY: works (team acme, \\x1b[2Jenvironment test)")
print("result:", ask and ask(VENDORS["honeycomb"], found))
"""


def asked(*arguments: str) -> pexpect.spawn[str]:
    environ: Any = dict(os.environ)
    return pexpect.spawn(sys.executable, ["-c", ASK, *arguments], env=environ, encoding="utf-8", timeout=60)


@pytest.mark.parametrize(("typed", "answer"), [("y", True), ("n", False), ("", False)])
def test_somebody_is_asked_at_a_terminal(typed: str, *, answer: bool) -> None:
    child = asked()
    child.expect_exact("Honeycomb is ready. HONEYCOMB_API_KEY: works (team acme, \\x1b[2Jenvironment test)")
    child.expect_exact("Send this project's traces to Honeycomb from now on? [y/N]: ")
    child.sendline(typed)
    child.expect_exact(f"result: {answer}")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_nobody_is_asked_for_json() -> None:
    child = asked("--json")
    child.expect_exact("result: None")
    child.expect(pexpect.EOF)
    child.close()


DECIDE = """
import sys
from bootstrap.cli.session import Session
from bootstrap.cli.telemetry import decided, handing_out, show
from bootstrap.flows.routing import Wishes
session = Session(None, as_json="--json" in sys.argv)
sessions = handing_out(session)
show(decided(session, Wishes(), view="container", sessions=sessions))
"""
MANIFEST = '[project]\nname = "shop"\n[services.web]\nbuild = "web"\ntelemetry = ["honeycomb"]\n'


def test_an_answer_counts_for_all_later_runs(repository: Any) -> None:
    repository.write("bootstrap.toml", MANIFEST)
    with Clouds() as clouds:
        environ: Any = {**os.environ, **clouds.environ, **clouds.honeycomb_key()}

        def run(*arguments: str) -> pexpect.spawn[str]:
            return pexpect.spawn(
                sys.executable,
                ["-c", DECIDE, *arguments],
                env=environ,
                cwd=str(repository.root),
                encoding="utf-8",
                timeout=60,
            )

        child = run("--json")
        child.expect_exact("local: it is ready, and nobody has agreed on this machine")
        child.expect_exact("bootstrap up --telemetry honeycomb=cloud")
        child.close()
        child = run()
        child.expect_exact("team acme-shops, environment production")
        child.expect_exact("from now on? [y/N]: ")
        time.sleep(1.2)  # nobody waits for the vendors while somebody thinks
        child.sendline("y")
        child.expect_exact("Honeycomb  cloud: ")
        assert "Waiting" not in str(child.before)
        child.close()
        child = run("--json")
        child.expect_exact("Honeycomb  cloud: ")
        child.close()


def test_each_decision_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    decisions = [
        Decision("honeycomb", "Honeycomb", "cloud", "works"),
        Decision("xray", "X-Ray", "local", "a\nb\x1b[2J"),
    ]
    assert as_json(decisions)[0] == {"vendor": "honeycomb", "where": "cloud", "reason": "works"}
    assert lines(decisions) == [("Honeycomb", "cloud: works"), ("X-Ray", "local: a\\nb\\x1b[2J")]
    show(decisions)
    said = capsys.readouterr()
    assert said.err == "Honeycomb  cloud: works\nX-Ray      local: a\\nb\\x1b[2J\n"
    assert said.out == ""
