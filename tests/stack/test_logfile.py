"""Logs on disk: private, bounded, and followed through their rotation."""

import stat
from pathlib import Path

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.stack.interface import LogLine
from bootstrap.stack.logfile import LogWriter, folder, follow, read


def test_it_is_private_and_begins_anew(tmp_path: Path) -> None:
    logs = folder(tmp_path)
    for text in ("first run", "second run"):
        writer = LogWriter(logs, "web")
        writer.write([text])
        writer.close()
    assert stat.S_IMODE((logs / "web.log").stat().st_mode) == 0o600
    assert stat.S_IMODE(logs.stat().st_mode) == 0o700
    assert list(read(logs, ["web"], None)) == [LogLine("web", "second run")]


def test_it_is_bounded(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, "web", limit=1000)
    for number in range(500):
        writer.write([f"line {number}"])
    writer.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2200
    kept = [line.text for line in read(tmp_path, ["web"], None)]
    assert kept == [f"line {number}" for number in range(500 - len(kept), 500)]
    assert len(kept) > 10
    assert [line.text for line in read(tmp_path, ["web"], 2)] == ["line 498", "line 499"]


def test_services_are_merged_by_time_and_tail_counts_each(tmp_path: Path) -> None:
    one, two = LogWriter(tmp_path, "one"), LogWriter(tmp_path, "two")
    for number in range(3):
        one.write([f"a{number}"])
        two.write([f"b{number}"])
    one.close()
    two.close()
    assert [line.text for line in read(tmp_path, ["two", "one"], None)] == [
        "a0",
        "b0",
        "a1",
        "b1",
        "a2",
        "b2",
    ]
    assert [line.text for line in read(tmp_path, ["one", "two"], 1)] == ["a2", "b2"]
    assert [line.text for line in read(tmp_path, ["one", "two"], 0)] == []


def test_following_misses_nothing_when_the_file_is_replaced(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, "web", limit=300)
    written = 0

    def goes_on() -> bool:
        nonlocal written
        for _ in range(5):
            writer.write([f"line {written}"])
            written += 1
        return written < 60

    seen = [line.text for line in follow(tmp_path, ["web"], None, goes_on)]
    writer.close()
    assert seen == [f"line {number}" for number in range(60)]


def test_a_line_may_hold_anything_but_its_end(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, "web")
    odd = [
        "",
        " two  spaces ",
        "carriage\rreturn",
        "\x85\u2028",
        "\x1b[31mred",
        "\ud800".encode(errors="replace").decode(),
    ]
    writer.write(odd)
    writer.close()
    assert [line.text for line in read(tmp_path, ["web"], None)] == odd


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with pytest.raises(BootstrapError, match="logs: cannot make the folder: file exists"):
        folder(tmp_path)


def test_a_log_that_cannot_be_begun_is_named(tmp_path: Path) -> None:
    (tmp_path / "web.log").mkdir()
    with pytest.raises(BootstrapError, match=r"web\.log: cannot write"):
        LogWriter(tmp_path, "web")


def test_a_service_without_a_log_has_no_lines(tmp_path: Path) -> None:
    assert list(read(tmp_path, ["nobody"], 3)) == []
