"""With git configured as people have it, a milestone is still one annotated tag in the right place."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Bootstrap
from tests.milestones.command import Tool
from tests.milestones.promises import Ledger, unequal
from tests.milestones.repositories import Clone, Remote

MANIFEST = """\
[project]
name = "journal"

[services.web]
image = "web"

[secrets.SHOP_KEY]
"""
SETTINGS: dict[str, dict[str, str]] = {
    "plain": {},
    "follow tags": {"push.followTags": "true", "push.default": "nothing"},
    "sort": {"tag.sort": "-taggerdate", "versionsort.suffix": "-start"},
    "colours": {"color.ui": "always", "column.ui": "always", "core.pager": "false", "log.decorate": "full"},
    "hooks": {"core.hooksPath": "my hooks"},
    "prune": {"fetch.prune": "true", "fetch.pruneTags": "true", "remote.origin.tagOpt": "--tags"},
    "no tags": {"remote.origin.tagOpt": "--no-tags"},
    "refspecs": {"remote.origin.push": "refs/heads/*:refs/heads/*", "remote.origin.mirror": "false"},
    "tags refspec": {"remote.origin.fetch": "+refs/tags/*:refs/tags/*"},
    "words": {"core.commentChar": "x", "commit.cleanup": "scissors", "i18n.logOutputEncoding": "iso-8859-1"},
    "show": {
        "log.showSignature": "true",
        "log.date": "relative",
        "format.pretty": "oneline",
        "log.mailmap": "true",
    },
    "old protocol": {"protocol.version": "0"},
    "push options": {
        "push.useForceIfIncludes": "true",
        "push.autoSetupRemote": "true",
    },
    "names": {"core.precomposeUnicode": "true", "core.ignoreCase": "true", "core.logAllRefUpdates": "always"},
    "alias": {"alias.push": "!false", "alias.tag": "!false", "alias.ls-remote": "!false"},
    "packed": {"gc.auto": "1", "gc.autoDetach": "false", "fetch.writeCommitGraph": "true"},
    "strict": {"transfer.fsckObjects": "true", "receive.fsckObjects": "true", "fetch.fsckObjects": "true"},
}


#: what can be configured side by side saves a run each
TOGETHER: dict[str, tuple[str, ...]] = {
    "plain": ("plain",),
    "looks": ("sort", "colours", "words", "show", "names"),
    "pushing": ("follow tags", "push options", "refspecs", "old protocol", "alias", "hooks"),
    "fetching": ("prune", "packed", "strict"),
    "no tags": ("no tags",),
    "tags refspec": ("tags refspec",),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_a_week_goes_well(clone: Clone, remote: Remote, tool: Tool, name: str) -> None:
    for setting, value in ((key, word) for one in TOGETHER[name] for key, word in SETTINGS[one].items()):
        clone.git("config", "--add", setting, value)
    clone.lightweight("private")
    clone.tag("private-too")
    private = clone.tags()
    clone.write("a file with spaces.md", "# One\n")
    clone.commit("Write a file with spaces")
    tool("start", "1", "-m", "Begin\n\nx not a comment\n# nor this", "--push", cwd=clone.root).check(0)
    clone.commit("Work on week 1")
    tool("finish", "1", "--push", cwd=clone.root).check(0)
    tool("rename", "week1", "week2", "--push", cwd=clone.root).check(0)
    tool("rename", "week2", "week1", "--push", cwd=clone.root).check(0)
    assert set(remote.tags()) == {"week1-start", "week1"}
    assert {name: clone.tags()[name] for name in private} == private
    assert unequal(clone, remote) == sorted(private)
    assert clone.raw("refs/tags/week1-start").endswith(b"\n\nBegin\n\nx not a comment\n# nor this\n")
    assert clone.raw("refs/tags/week1").startswith(f"object {clone.git('rev-parse', 'HEAD')}\n".encode())
    listed = json.loads(tool("list", "--json", cwd=clone.root).check(0).out)
    assert "week1-start" in json.dumps(listed)
    shown = tool("show", "1", cwd=clone.root).check(0)
    assert "Work on week 1" in shown.out
    assert "\x1b" not in shown.out
    tool("sync", "--yes", cwd=clone.root).check(0)
    assert {name: clone.tags()[name] for name in private} == private


@pytest.mark.parametrize("setting", ["tag.gpgSign", "tag.forceSignAnnotated"])
def test_who_signs_every_tag_gets_signed_ones_or_hears_why_not(
    clone: Clone, remote: Remote, tool: Tool, tmp_path: Path, setting: str
) -> None:
    clone.config(setting, "true")
    clone.config("gpg.program", "/nonexistent/gpg")
    done = tool("start", "1", "-m", "x", "--push", cwd=clone.root)
    assert done.code not in (0, 2), done
    assert "--no-sign" in done.err
    assert clone.tags() == remote.tags() == {}
    tool("start", "1", "-m", "x", "--push", "--no-sign", cwd=clone.root).check(0)
    key = tmp_path / "my key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    clone.config("gpg.format", "ssh")
    clone.config("user.signingKey", str(key))
    tool("finish", "1", "-m", "x", "--push", cwd=clone.root).check(0)
    assert b"-----BEGIN SSH SIGNATURE-----" in clone.raw("refs/tags/week1")
    allowed = tmp_path / "allowed"
    allowed.write_text(f"tester@example.com {key.with_suffix('.pub').read_text()}")
    clone.config("gpg.ssh.allowedSignersFile", str(allowed))
    clone.git("verify-tag", "week1")
    assert unequal(clone, remote) == []
    tool("check", cwd=clone.root).check(0)


@pytest.mark.parametrize("locale", ["de_DE.UTF-8", "tr_TR.UTF-8", "C", "POSIX", "xx_XX"])
def test_other_locales(clone: Clone, remote: Remote, bootstrap: Bootstrap, locale: str) -> None:
    environ = {"LC_ALL": locale, "LANG": locale, "LANGUAGE": "de:tr"}
    clone.write("Übung.md", "# Eins\n")
    clone.commit("Schreibe über die Übung")
    bootstrap("tag", "finish", "1", "--push", cwd=clone.root, env=environ).check(0)
    assert remote.tags() == clone.tags()
    assert "Schreibe über die Übung".encode() in clone.raw("refs/tags/week1")
    shown = bootstrap("tag", "show", "1", "--json", cwd=clone.root, env=environ).check(0)
    assert "Schreibe über die Übung" in json.dumps(json.loads(shown.out), ensure_ascii=False)
    remote.refuse("Nur werktags")
    clone.commit("Mehr")
    bootstrap("tag", "finish", "2", "--push", cwd=clone.root, env=environ).check(4)
    assert "week2" not in remote.tags()


def test_a_folder_with_spaces_a_dash_and_other_letters(tmp_path: Path, tool: Tool) -> None:
    remote = Remote(tmp_path / "-my remote 'of' $HOME.git")
    clone = Clone(tmp_path / '-a "clone" mit Umlaut ö', remote)
    tool("start", "1", "-m", "x", "--push", cwd=clone.root).check(0)
    tool("rename", "week1-start", "week1", "--push", cwd=clone.root).check(0)
    assert remote.tags() == clone.tags()
    below = clone.root / "a folder"
    below.mkdir()
    tool("check", cwd=below).check(0)


def test_from_a_linked_work_tree_and_its_own_branch(
    clone: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    side = tmp_path / "side"
    tool("start", "1", "-m", "x", "--push", cwd=side).check(0)
    tool("rename", "week1-start", "week1", "--push", cwd=side).check(0)
    assert unequal(clone, remote) == []
    tool("check", cwd=clone.root).check(0)


def test_variables_of_git_do_not_lead_elsewhere(
    clone: Clone, remote: Remote, tool: Tool, tmp_path: Path
) -> None:
    other = Clone(tmp_path / "other")
    environ = {
        "GIT_DIR": str(other.root / ".git"),
        "GIT_WORK_TREE": str(other.root),
        "GIT_INDEX_FILE": str(other.root / ".git/index"),
        "GIT_OBJECT_DIRECTORY": str(other.root / ".git/objects"),
        "GIT_NAMESPACE": "elsewhere",
    }
    tool("start", "1", "-m", "x", "--push", cwd=clone.root, env=environ).check(0)
    assert other.tags() == {}
    assert remote.tags() == clone.tags()
    assert set(clone.tags()) == {"week1-start"}


def test_nobody_writes_over_an_open_editor(clone: Clone, tool: Tool, tmp_path: Path) -> None:
    editor = tmp_path / "slow"
    editor.write_text("#!/bin/sh\necho opens >&2\nsleep 1.3\necho closes >&2\n")
    editor.chmod(0o755)
    done = tool("finish", "1", "--edit", cwd=clone.root, env={"GIT_EDITOR": str(editor)}).check(0)
    assert done.err.partition("opens\n")[2].startswith("closes\n"), done


def test_an_editor_writes_the_message(clone: Clone, tool: Tool, tmp_path: Path) -> None:
    clone.commit("Work on week 1")
    editor = tmp_path / "my editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$0.saw"\nprintf "Written by hand\\n\\n# and kept\\n" >"$1"\n')
    editor.chmod(0o755)
    tool("finish", "1", "--edit", cwd=clone.root, env={"GIT_EDITOR": shlex.quote(str(editor))}).check(0)
    assert "Work on week 1" in Path(f"{editor}.saw").read_text()
    assert b"Written by hand" in clone.raw("refs/tags/week1")
    clone.commit("More")
    before = clone.tags()
    for text in ('#!/bin/sh\n: >"$1"\n', "#!/bin/sh\nexit 1\n"):
        editor.write_text(text)
        done = tool("finish", "2", "--edit", cwd=clone.root, env={"GIT_EDITOR": shlex.quote(str(editor))})
        assert done.code not in (0, 2), done
        assert clone.tags() == before


MESSAGES = {
    "empty": "",
    "blank": " \n\n ",
    "no line end": "x",
    "many line ends": "x\n\n\n",
    "dashes": "-----BEGIN PGP SIGNATURE-----\nnot one",
    "header": "tag week9\ntagger nobody\n\nx",
    "letters": "Grüße 🎉 \u202e",
    "crlf": "one\r\ntwo\r\n",
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_messages(clone: Clone, remote: Remote, tool: Tool, kind: str) -> None:
    done = tool("start", "1", f"--message={MESSAGES[kind]}", "--push", cwd=clone.root)
    if done.code != 0:
        assert kind in ("empty", "blank", "dashes"), done
        assert clone.tags() == remote.tags() == {}
        return
    text = clone.raw("refs/tags/week1-start")
    if MESSAGES[kind].strip():
        assert MESSAGES[kind].strip().replace("\r\n", "\n").encode() in text
    ledger = Ledger(clone, remote)
    tool("rename", "week1-start", "week2-start", "--push", cwd=clone.root)
    assert ledger.settle(renamed={"week1-start": "week2-start"}) == []
    assert unequal(clone, remote) == []
    shown = tool("list", cwd=clone.root).check(0)
    assert "\u202e" not in shown.out
    assert "\x1b" not in shown.out


def test_a_secret_in_the_range_is_not_tagged_and_pushed(
    clone: Clone, remote: Remote, tool: Tool, made_up: Callable[[], str]
) -> None:
    token = made_up()
    clone.write("bootstrap.toml", MANIFEST)
    clone.commit("Describe the project")
    clone.write("journal/week1.md", f"# One\n\n    export SHOP_KEY={token}\n")
    clone.commit("Write about week 1")
    environ = {"SHOP_KEY": token}
    done = tool("finish", "1", "-m", "x", "--push", cwd=clone.root, env=environ)
    assert done.code == 5, done
    assert "SHOP_KEY" in done.said
    assert token not in done.said
    assert clone.tags() == remote.tags() == {}
    again = tool("finish", "1", "-m", "x", "--push", "--no-scan", cwd=clone.root, env=environ)
    again.check(0, "--no-scan")
    assert remote.tags() == clone.tags()
    assert set(remote.tags()) == {"week1"}


@pytest.fixture
def made_up() -> Callable[[], str]:
    """A secret that exists nowhere."""
    return lambda: os.urandom(15).hex()
