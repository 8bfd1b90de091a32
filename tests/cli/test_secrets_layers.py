"""Which value counts: after a change in a workspace whose shells lag behind, and in several clones."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.secrets.shop import MANIFEST, Shop
from tests.secrets.stand_ins.machine import StandIns

FIVE = {name: f"value of {name}" for name in ("A1", "B2", "C3", "D4", "E5")}


@pytest.fixture
def gitpod(shop: Shop, programs: StandIns) -> Shop:
    """The project in a Gitpod workspace whose shells were started with an old WORKER_KEY."""
    shop.enter_gitpod(programs)
    shop.environ["GITPOD_WORKSPACE_URL"] = "https://acme-shop-0123456789a.ws.gitpod.example"
    with programs.change("gp") as state:
        state["variables"] = [{"pattern": "acme/shop", "name": "WORKER_KEY", "value": "old"}]
    shop.environ["WORKER_KEY"] = "old"
    shop.choose("gitpod")
    return shop


def seen_by_run(shop: Shop, **env: str) -> str:
    """What `bootstrap run` gives to the worker."""
    return shop("run", "worker", "--", "sh", "-c", 'printf %s "${WORKER_KEY-none}"', env=env).check(0).out


def seen_by_env(shop: Shop) -> str:
    """What `bootstrap env` shows of the worker."""
    listed = json.loads(shop("env", "worker", "--reveal", "--json").check(0).out)
    return str({entry["name"]: entry["value"] for entry in listed}.get("WORKER_KEY", "none"))


@contextmanager
def seen_by_up(shop: Shop) -> Iterator[str]:
    """What `bootstrap up` gives to the worker."""
    (shop.root / "worker").mkdir(exist_ok=True)
    shop.write(
        "bootstrap.toml",
        MANIFEST.replace('build = "worker"\ncommand = "true"', 'build = "worker"\ncommand = "exec sh ./main"')
        .replace('\n[services.api]\nbuild = "api"\ncommand = "true"', '\n[services.api]\nimage = "api"')
        .replace("required = true", ""),
    )
    shop.write("worker/main", 'printf %s "${WORKER_KEY-none}" > seen; exec sleep 600\n')
    try:
        shop("up", "--detach", "worker", timeout=200).check(0)
        yield (shop.root / "worker" / "seen").read_text(encoding="utf-8")
    finally:
        shop("down").check(0)


def test_a_new_value_and_none_count_at_once_although_the_shell_has_the_old_one(gitpod: Shop) -> None:
    assert (seen_by_run(gitpod), seen_by_env(gitpod)) == ("old", "old")
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(0, "WORKER_KEY: stored\nNext: bootstrap up")
    assert (seen_by_run(gitpod), seen_by_env(gitpod)) == ("new", "new")
    gitpod("secrets", "unset", "WORKER_KEY").check(0, "WORKER_KEY: removed")
    assert (seen_by_run(gitpod), seen_by_env(gitpod)) == ("none", "none")
    assert gitpod.kept("gitpod") == {}
    (row,) = (line for line in gitpod("secrets", "list").check(0).out.splitlines() if "WORKER_KEY" in line)
    assert row.split(maxsplit=4)[1:] == [
        "missing,",
        "required",
        "worker",
        "environment (unset; gone at the next start)",
    ]


def test_the_next_up_has_the_new_value_and_then_none(gitpod: Shop) -> None:
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(0)
    with seen_by_up(gitpod) as seen:
        assert seen == "new"
        changed = gitpod("secrets", "unset", "WORKER_KEY").check(0)
        assert "Running services see it after: bootstrap down && bootstrap up --detach" in changed.err
    with seen_by_up(gitpod) as seen:
        assert seen == "none"


def test_the_next_start_of_the_workspace_forgets_the_session_file(gitpod: Shop) -> None:
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(0)
    # A start gives every shell what Gitpod has; that somebody changed it elsewhere meanwhile must count.
    again = {"GITPOD_INSTANCE_ID": "00000000-0000-4000-8000-000000000001", "WORKER_KEY": "newer"}
    assert seen_by_run(gitpod, **again) == "newer"
    gitpod("secrets", "unset", "WORKER_KEY").check(0)
    assert seen_by_run(gitpod, **again) == "newer"


def test_a_process_without_the_workspace_s_variables_brings_no_old_value_back(gitpod: Shop) -> None:
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(0)
    whole = dict(gitpod.environ)
    for name in whole:
        if name.startswith("GITPOD_"):  # as an editor or cron may start a commit hook
            del gitpod.environ[name]
    gitpod("secrets", "scan", "--staged").check(0)
    gitpod.environ = whole
    assert seen_by_run(gitpod) == "new"


def test_a_failure_halfway_through_five_tells_each_name_s_fate(gitpod: Shop, programs: StandIns) -> None:
    with programs.trouble("gp", writes=2):
        failed = gitpod("secrets", "import", "-", "--format", "json", "--undeclared", data=json.dumps(FIVE))
    failed.check(1)
    lines = failed.lines[1:]  # the first is about `gp env` in general
    assert lines[:2] == ["A1: stored", "B2: stored"]
    assert [line.partition(" (")[0] for line in lines[2:5]] == [
        f"{name}: failed: {name}: gp env failed" for name in ("C3", "D4", "E5")
    ]
    assert lines[5] == "bootstrap: 3 of 5 not done"
    assert gitpod.session.names() == {"A1", "B2"}
    gitpod(
        "secrets", "import", "-", "--format", "json", "--undeclared", "--json", data=json.dumps(FIVE)
    ).check(0)
    assert {name: gitpod.kept("gitpod")[name] for name in FIVE} == FIVE


def test_a_failure_halfway_as_json(gitpod: Shop, programs: StandIns) -> None:
    gitpod.keep("gitpod", **FIVE)
    with programs.trouble("gp", writes=2):
        failed = gitpod("secrets", "unset", "--json", *FIVE).check(1)
    fates = {entry["name"]: entry["fate"] for entry in json.loads(failed.out)["outcomes"]}
    assert fates == {"A1": "removed", "B2": "removed", "C3": "failed", "D4": "failed", "E5": "failed"}
    assert [gitpod.session.removed(name) for name in FIVE] == [True, True, False, False, False]


def test_a_refused_value_keeps_the_others_out_too(gitpod: Shop) -> None:
    values = {"A1": "fine", "B2": '"quoted"', "C3": "fine"}
    refused = gitpod("secrets", "import", "-", "--format", "json", "--undeclared", data=json.dumps(values))
    lines = refused.check(1).lines[1:]
    assert lines[0] == "A1: not tried"
    assert lines[1].startswith("B2: refused: B2: begins or ends with a quote")
    assert lines[2] == "C3: not tried"
    assert gitpod.kept("gitpod") == {"WORKER_KEY": "old"}


def test_a_session_file_that_cannot_be_written_is_no_success(gitpod: Shop) -> None:
    (gitpod.place.session.directory / "session.json").mkdir()
    failed = gitpod("secrets", "set", "WORKER_KEY", data="new").check(
        1, "WORKER_KEY: failed: gitpod has it as asked, and what runs next does not see it: "
    )
    assert "not tried" not in failed.err
    assert gitpod.kept("gitpod") == {"WORKER_KEY": "new"}


def test_copying_elsewhere_does_not_bring_the_shell_s_old_value_back(gitpod: Shop) -> None:
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(0)
    gitpod("secrets", "copy", "--from", "gitpod", "--to", "file").check(0, "WORKER_KEY: stored")
    assert seen_by_run(gitpod) == "new"
    gitpod("secrets", "use", "file").check(0)
    gitpod("secrets", "set", "WORKER_KEY", data="newest").check(0)
    assert seen_by_run(gitpod) == "newest"
    gitpod("secrets", "unset", "WORKER_KEY").check(0)
    assert seen_by_run(gitpod) == "none"


def test_a_store_that_is_gone_later_gets_no_silent_successor(gitpod: Shop, programs: StandIns) -> None:
    (programs.programs / "gp").unlink()
    refused = (3, "the store gitpod does not work here: there is no `gp` command on the PATH")
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(*refused)
    gitpod("secrets", "unset", "WORKER_KEY").check(*refused)
    gitpod("secrets", "list").check(*refused)
    gitpod("secrets", "get", "DATABASE_URL").check(*refused)
    gitpod("secrets", "export").check(*refused)
    gitpod("run", "api", "--", "true").check(125, refused[1])
    gitpod("up", "--detach").check(*refused)
    assert gitpod.kept("file") == {}
    assert gitpod.session.names() == frozenset()
    # Somebody decides, and says so.
    gitpod("secrets", "use", "file").check(0)
    gitpod("secrets", "set", "DATABASE_URL", data="new").check(0)
    assert gitpod.kept("file") == {"DATABASE_URL": "new"}


def test_clones_of_one_repository_share_and_a_fork_of_the_same_name_sees_nothing(shop: Shop) -> None:
    shop("secrets", "set", "WORKER_KEY", data="ours").check(0)
    twin = shop.clone("twin", "github.com/acme/shop")
    assert twin("secrets", "get", "WORKER_KEY").check(0).out == "ours\n"
    fork = shop.clone("fork", "github.com/mallory/shop")
    fork("secrets", "get", "WORKER_KEY").check(3, "WORKER_KEY is not set")
    fork("secrets", "get", "WORKER_KEY", "--store", "file").check(3, "is not set in file")
    assert seen_by_run(fork) == "none"
    assert "none is chosen yet" in fork("doctor").out
    twin("secrets", "unset", "WORKER_KEY").check(0)
    shop("secrets", "get", "WORKER_KEY").check(3)


def test_a_fork_sees_nothing_of_a_gitpod_session_and_of_gitpod_s_variables(gitpod: Shop) -> None:
    gitpod("secrets", "set", "WORKER_KEY", data="new").check(0)
    fork = gitpod.clone("fork", "github.com/mallory/shop")
    del fork.environ["WORKER_KEY"]
    assert seen_by_run(fork) == "none"
    fork("secrets", "get", "WORKER_KEY", "--store", "gitpod").check(3, "opened for another repository")
    fork("secrets", "set", "WORKER_KEY", data="stolen").check(0, "kept in a file outside the repository")
    assert gitpod.kept("gitpod") == {"WORKER_KEY": "new"}
    assert seen_by_run(gitpod) == "new"
