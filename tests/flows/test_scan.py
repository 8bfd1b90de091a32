"""Index, work tree, commits and tags are looked through as they are, and nothing of the repository runs."""

from __future__ import annotations

import os
import subprocess
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.flows.secrets import scan
from bootstrap.model.errors import BootstrapError, UsageError
from bootstrap.secrets.scanning.scanner import Scanner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Repository

VALUE = "w7Kqz9FbL2mN"
OTHER = "p4Rt8Vx1Zc6H"


@pytest.fixture
def scanner() -> Scanner:
    """Look for two secrets."""
    return Scanner([("KEY", VALUE), ("OTHER", OTHER)])


def found(report: scan.Report) -> set[str]:
    """Say where something was found, by path and line."""
    assert VALUE not in repr(report)
    assert OTHER not in repr(report)
    return {f"{leak.path}:{leak.line} {leak.what}" for leak in report.leaks}


def commit_id(repository: Repository, name: str = "HEAD") -> str:
    return repository.git("rev-parse", name).strip()[:12]


def test_the_work_tree_is_what_git_tracks_or_would_add(repository: Repository, scanner: Scanner) -> None:
    repository.write(".gitignore", "/ignored\n")
    repository.write("ignored", VALUE)
    repository.write("journal/week 1.md", f"# Notes\n\n`{VALUE}`\n")
    repository.write("clean", "nothing\n")
    repository.commit()
    repository.write("sub/untracked", OTHER)
    repository.write("clean", f"changed {VALUE}")
    report = scan.work_tree(repository.root, scanner)
    assert found(report) == {"journal/week 1.md:3 KEY", "sub/untracked:1 OTHER", "clean:1 KEY"}
    assert report.looked_at == 4
    (repository.root / "clean").unlink()
    assert "clean:1 KEY" not in found(scan.work_tree(repository.root, scanner))


def test_the_index_is_what_would_be_committed(repository: Repository, scanner: Scanner) -> None:
    repository.write("first", VALUE)
    repository.git("add", "first")
    repository.write("first", "clean again, but not added\n")
    repository.write("not added", VALUE)
    assert found(scan.index(repository.root, scanner)) == {"first:1 KEY"}  # before the very first commit
    repository.git("commit", "--quiet", "--message", "First")
    assert scan.index(repository.root, scanner).looked_at == 0
    repository.git("mv", "first", "moved")
    repository.write("b", OTHER)
    repository.git("add", "b")
    assert found(scan.index(repository.root, scanner)) == {"moved:1 KEY", "b:1 OTHER"}
    repository.git("rm", "--quiet", "-f", "b", "moved")
    assert found(scan.index(repository.root, scanner)) == set()


def test_the_index_that_a_hook_is_given_counts(repository: Repository, scanner: Scanner) -> None:
    repository.write("a", "clean")
    repository.commit()
    repository.write("a", VALUE)
    other = str(repository.root / ".git" / "next-index")
    environ = {**os.environ, "GIT_INDEX_FILE": other}
    for command in (["read-tree", "HEAD"], ["add", "a"]):
        subprocess.run(["git", *command], cwd=repository.root, env=environ, check=True)
    assert found(scan.index(repository.root, scanner)) == set()
    assert found(scan.index(repository.root, scanner, other)) == {"a:1 KEY"}


def test_a_range_holds_what_was_removed_again(repository: Repository, scanner: Scanner) -> None:
    repository.write("old", OTHER)
    repository.commit()
    start = commit_id(repository)
    repository.write("a", f"one\n{VALUE}\n")
    repository.commit()
    leaked = commit_id(repository)
    repository.write("a", "clean\n")
    repository.commit(f"Remove the key\n\nIt was {OTHER}")
    removed = commit_id(repository)
    report = scan.commits(repository.root, scanner, f"{start}..HEAD")
    assert found(report) == {f"{leaked}:a:2 KEY", f"{removed}:(message):3 OTHER"}
    assert found(scan.commits(repository.root, scanner, f"{removed}..HEAD")) == set()
    everything = scan.commits(repository.root, scanner, "HEAD")
    assert found(everything) == found(report) | {f"{start}:old:1 OTHER"}


def test_a_merge_brings_its_branch_and_what_is_its_own(repository: Repository, scanner: Scanner) -> None:
    repository.write("a", "a\n")
    repository.commit()
    start = commit_id(repository)
    repository.git("checkout", "--quiet", "-b", "side")
    repository.write("side", VALUE)
    repository.commit()
    side = commit_id(repository)
    repository.git("checkout", "--quiet", "main")
    repository.write("main", "main")
    repository.commit()
    repository.git("merge", "--quiet", "--no-commit", "side")
    repository.write("evil", OTHER)
    repository.commit("Merge")
    merge = commit_id(repository)
    expected = {f"{side}:side:1 KEY", f"{merge}:evil:1 OTHER"}
    assert found(scan.commits(repository.root, scanner, f"{start}..HEAD")) == expected


def test_tags_bring_their_commits_and_messages(repository: Repository, scanner: Scanner) -> None:
    repository.commit("Nothing yet")
    repository.git("tag", "-a", "week1", "-m", f"The key is {VALUE}")
    repository.write("a", VALUE)
    repository.commit()
    leaked = commit_id(repository)
    repository.git("tag", "-a", "midway", "-m", f"one\n\n{OTHER}")
    repository.commit()
    repository.git("tag", "week2")  # a lightweight one has no message
    repository.git("branch", "week1-branch", "HEAD")
    report = scan.tags(repository.root, scanner, "week1..week2")
    assert found(report) == {
        "tag week1 (message):1 KEY",
        "tag midway (message):3 OTHER",
        f"{leaked}:a:1 KEY",
    }
    assert found(scan.tags(repository.root, scanner, "week1")) == {"tag week1 (message):1 KEY"}
    with pytest.raises(UsageError, match="is not a tag"):
        scan.tags(repository.root, scanner, "week1..main")


@pytest.mark.parametrize(
    "text", ["", "..", "A..", "..B", "a...b", "--all", "HEAD..--all", "a..b..c", "nothing"]
)
def test_what_is_no_range_is_refused(repository: Repository, scanner: Scanner, text: str) -> None:
    repository.commit()
    with pytest.raises(UsageError):
        scan.commits(repository.root, scanner, text)


def test_what_could_not_be_looked_at_is_said(
    repository: Repository, scanner: Scanner, tmp_path: Path
) -> None:
    inner = repository.root / "vendored"
    subprocess.run(["git", "clone", "--quiet", repository.root, inner], check=True, capture_output=True)
    with zipfile.ZipFile(repository.root / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", VALUE)
    repository.write("lfs", "version https://git-lfs.github.com/spec/v1\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "key").write_text(VALUE)
    (repository.root / "link").symlink_to(outside / "key")
    (repository.root / f"link-{OTHER}").symlink_to("nowhere")
    os.mkfifo(repository.root / "pipe")
    report = scan.work_tree(repository.root, scanner)
    assert {(item.path, item.why) for item in report.unread} == {
        ("vendored/", "another repository"),
        ("a.zip", "a zip archive"),
        ("lfs", "kept elsewhere by Git LFS"),
    }
    assert found(report) == {"link-[masked]:0 OTHER"}


def test_a_tracked_path_behind_a_link_is_not_read(
    repository: Repository, scanner: Scanner, tmp_path: Path
) -> None:
    repository.write("folder/deep/key", "clean")
    repository.commit()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "key").write_text(VALUE)
    (repository.root / "folder").rename(tmp_path / "moved")
    (repository.root / "folder").symlink_to(tmp_path)
    assert found(scan.work_tree(repository.root, scanner)) == set()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(repository: Repository, scanner: Scanner) -> None:
    repository.write("closed", VALUE).chmod(0)
    (unread,) = scan.work_tree(repository.root, scanner).unread
    assert (unread.path, unread.why) == ("closed", "permission denied")


def test_a_submodule_is_named(repository: Repository, scanner: Scanner) -> None:
    repository.commit()
    entry = f"160000,{repository.git('rev-parse', 'HEAD').strip()},library"
    repository.git("update-index", "--add", "--cacheinfo", entry)
    for report in (scan.index(repository.root, scanner), scan.work_tree(repository.root, scanner)):
        assert [(item.path, item.why) for item in report.unread] == [("library", "a submodule")]


def test_an_object_that_the_clone_lacks_is_named(repository: Repository, scanner: Scanner) -> None:
    repository.write("gone", "gone\n")
    repository.write("there", VALUE)
    repository.commit()
    name = repository.git("rev-parse", "HEAD:gone").strip()
    (repository.root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    report = scan.commits(repository.root, scanner, "HEAD")
    start = commit_id(repository)
    assert [(item.path, item.why) for item in report.unread] == [(f"{start}:gone", "not in this clone")]
    assert found(report) == {f"{start}:there:1 KEY"}


def test_a_shallow_clone_is_said(repository: Repository, scanner: Scanner, tmp_path: Path) -> None:
    repository.commit("One")
    repository.commit("Two")
    source = f"file://{repository.root}"
    subprocess.run(["git", "clone", "-q", "--depth=1", source, tmp_path / "shallow"], check=True)
    assert "shallow" in scan.commits(tmp_path / "shallow", scanner, "HEAD").notes[0]


def test_replacements_do_not_hide_what_would_be_pushed(repository: Repository, scanner: Scanner) -> None:
    repository.write("a", VALUE)
    repository.commit()
    clean = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=repository.root,
        input=b"clean",
        capture_output=True,
        check=True,
    ).stdout.decode()
    repository.git("replace", repository.git("rev-parse", "HEAD:a").strip(), clean.strip())
    assert found(scan.commits(repository.root, scanner, "HEAD")) == {f"{commit_id(repository)}:a:1 KEY"}


def test_odd_names_and_odd_bytes(repository: Repository, scanner: Scanner) -> None:
    names = [b":a", b"a\nb", b'q"uo\te', b"\xff\xfe", "ümlaut".encode(), b"-rf", b"week1..week2"]
    for name in names:
        path = os.fsencode(repository.root) + b"/" + name
        with open(path, "wb") as stream:  # noqa: PTH123 - a path of bytes
            stream.write(b"\xff\0\r" + VALUE.encode())
    expected = {os.fsdecode(name) for name in names}
    assert {leak.path for leak in scan.work_tree(repository.root, scanner).leaks} == expected
    repository.git("add", "--all")
    assert {leak.path for leak in scan.index(repository.root, scanner).leaks} == expected
    repository.commit()
    start = commit_id(repository)
    in_history = {leak.path for leak in scan.commits(repository.root, scanner, "HEAD").leaks}
    assert in_history == {f"{start}:{name}" for name in expected}


def test_thousands_of_objects_come_through_one_process(repository: Repository, scanner: Scanner) -> None:
    for number in range(1500):
        (repository.root / f"file-{number}").write_text(f"{number} " * (number % 50))
    repository.write("z", VALUE)
    repository.git("add", "--all")
    report = scan.index(repository.root, scanner)
    assert report.looked_at == 1501
    assert found(report) == {"z:1 KEY"}


def test_a_large_file_takes_no_memory_of_its_size(repository: Repository, scanner: Scanner) -> None:
    with (repository.root / "large").open("wb") as stream:
        for _ in range(48):
            stream.write(b"nothing to see here, and nothing over there\n" * 23831)  # a MiB
        stream.write(VALUE.encode())
    repository.git("add", "--all")
    for look in (scan.work_tree, scan.index):
        tracemalloc.start()
        report = look(repository.root, scanner)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found(report) == {f"large:{48 * 23831 + 1} KEY"}
        assert peak < 32 * 1024 * 1024


def test_a_file_full_of_leaks_is_a_short_report(repository: Repository, scanner: Scanner) -> None:
    repository.write("log", f"{VALUE}\n" * 5000)
    report = scan.work_tree(repository.root, scanner)
    assert len(report.leaks) == 100
    assert report.notes == ["log: 4900 more leaks are not listed"]


def test_looking_runs_nothing_of_the_repository(
    repository: Repository, scanner: Scanner, tmp_path: Path
) -> None:
    sprung = tmp_path / "sprung"
    repository.write(".gitattributes", "* filter=x diff=x\n")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Start")
    repository.write("a", VALUE)
    config = {
        "core.fsmonitor": f"touch {sprung}",
        "filter.x.clean": f"touch {sprung}; cat",
        "filter.x.smudge": f"touch {sprung}; cat",
        "diff.x.textconv": f"touch {sprung}; cat",
        "diff.x.command": f"touch {sprung}",
        "diff.external": f"touch {sprung}",
        "core.pager": f"touch {sprung}",
        "diff.relative": "true",
        "diff.noprefix": "true",
    }
    repository.git("add", ".gitattributes")
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=repository.root,
        input=VALUE,
        text=True,
        capture_output=True,
        check=True,
    ).stdout.strip()
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},a")
    for name, value in config.items():
        repository.git("config", name, value)
    assert found(scan.index(repository.root, scanner)) == {"a:1 KEY"}
    assert found(scan.work_tree(repository.root, scanner)) == {"a:1 KEY"}
    repository.git("-c", "core.fsmonitor=false", "commit", "--quiet", "--message", "More")
    sprung.unlink(missing_ok=True)
    assert found(scan.commits(repository.root, scanner, "HEAD")) == {f"{commit_id(repository)}:a:1 KEY"}
    assert not sprung.exists()


def test_a_broken_repository_is_an_error_that_says_what_to_do(
    repository: Repository, scanner: Scanner
) -> None:
    repository.write("a", "x")
    repository.commit()
    (repository.root / ".git" / "index").write_bytes(b"not an index")
    looks: tuple[Any, ...] = (scan.index, scan.work_tree)
    for look in looks:
        with pytest.raises(BootstrapError) as caught:
            look(repository.root, scanner)
        assert caught.value.hint


def test_a_linked_work_tree_has_its_own_index(
    repository: Repository, scanner: Scanner, tmp_path: Path
) -> None:
    repository.commit()
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    (tmp_path / "linked" / "a").write_text(VALUE)
    subprocess.run(["git", "add", "a"], cwd=tmp_path / "linked", check=True)
    assert found(scan.index(tmp_path / "linked", scanner)) == {"a:1 KEY"}
    assert found(scan.index(repository.root, scanner)) == set()
