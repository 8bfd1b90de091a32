"""The project's own values are found wherever and however they stand, and nowhere else."""

from __future__ import annotations

import base64
import json
import string
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.secrets.scanning.scanner import PIECE, Leak, Scanner
from bootstrap.secrets.scanning.worth import why_not

if TYPE_CHECKING:
    import random

# Any text of eight characters or more that somebody could set: blanks at its ends do not count.
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60).filter(
    lambda value: why_not(value) is None
)
TOKENS = st.text(string.ascii_letters + string.digits + "-_+/=", min_size=8, max_size=60).filter(
    lambda value: why_not(value) is None
)


def lower_hex(text: str) -> str:
    """Write percent-encoding as some programs do."""
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def encodings(value: str) -> dict[str, bytes]:
    """Spell a value as other programs would, by other means than the scanner's."""
    return {
        "plain": value.encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "json, utf-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "json, php": json.dumps(value)[1:-1].replace("/", "\\/").encode(),
        "query": quote(value, safe="").encode(),
        "query, lower": lower_hex(quote(value, safe="")).encode(),
        "form": quote_plus(value).encode(),
        "path": quote(value).encode(),
    }


@settings(deadline=None)
@given(VALUES, st.binary(max_size=40), st.binary(max_size=40))
def test_a_value_is_found_in_any_bytes(value: str, before: bytes, after: bytes) -> None:
    scanner = Scanner([("KEY", value.strip())])
    for name, spelled in encodings(value.strip()).items():
        found = scanner.scan("file", before + spelled + after)
        assert [leak.what for leak in found][:1] == ["KEY"], name


@settings(deadline=None)
@given(VALUES, st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(["b64", "urlsafe", "mime"]))
def test_a_value_is_found_in_base64_whatever_stands_around_it(
    value: str, before: bytes, after: bytes, kind: str
) -> None:
    data = before + value.strip().encode() + after
    spelled = base64.urlsafe_b64encode(data) if kind == "urlsafe" else base64.b64encode(data)
    if kind == "mime":
        spelled = spelled.rstrip(b"=")
    assert Scanner([("KEY", value.strip())]).scan("file", b"x: " + spelled + b"\n")


@settings(deadline=None)
@given(TOKENS, st.text(string.punctuation + " \n", max_size=200))
def test_what_is_not_there_is_not_reported(value: str, text: str) -> None:
    value += "q"  # so that no two of the characters below can be a spelling of it
    data = text.replace("q", "").encode()
    assert Scanner([("KEY", value)]).scan("file", data) == []


@settings(deadline=None)
@given(TOKENS, st.data())
def test_one_character_less_is_another_text(value: str, data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(value) - 1))
    rest = value[:gone] + "\x00" + value[gone + 1 :]
    assert Scanner([("KEY", value)]).scan("file", f"a {rest} b".encode()) == []


@settings(deadline=None)
@given(TOKENS, st.text("ä☃𝄞 \n", max_size=30), st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_text_in_utf_16_is_read(value: str, before: str, encoding: str) -> None:
    (leak,) = Scanner([("KEY", value)]).scan("file", f"\ufeff{before}{value}\n".encode(encoding))
    last_line = before.rpartition("\n")[2]
    assert (leak.line, leak.column) == (before.count("\n") + 1, len(last_line) + 1)


@settings(deadline=None)
@given(
    st.binary(min_size=3, max_size=40), st.integers(0, 12000), st.integers(0, 12000), st.integers(64, 9000)
)
def test_pieces_make_no_difference(around: bytes, before: int, after: int, size: int) -> None:
    value = "w7Kq" + "z9Fb" * 3
    filling = (around + b"\n") * 400
    data = filling[:before] + value.encode() + filling[:after] + b"\n" + value.encode()
    scanner = Scanner([("KEY", value)])
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert list(scanner.scan_pieces("f", pieces)) == scanner.scan("f", data)


def test_the_place_is_a_line_and_a_character() -> None:
    value = "w7Kqz9FbL2mN"
    text = f"erste\r\nüber {value}\n\n{value}{value}"
    found = Scanner([("KEY", value)]).scan("notes.md", text.encode())
    assert [(leak.line, leak.column) for leak in found] == [(2, 6), (4, 1), (4, 13)]
    assert found[0] == Leak("notes.md", 2, 6, "KEY", own=True)


def test_a_large_file_has_its_places(chance: random.Random) -> None:
    value = "w7Kqz9FbL2mN"
    line = b"nothing here, and again nothing\n"
    data = line * (2 * PIECE // len(line)) + f"  {value}\n".encode()
    pieces = (data[start : start + PIECE] for start in range(0, len(data), PIECE))
    (leak,) = Scanner([("KEY", value)]).scan_pieces("log", pieces)
    assert (leak.line, leak.column) == (2 * PIECE // len(line) + 1, 3)
    one_line = b"x" * (3 * PIECE // 2) + value.encode()
    cut = chance.randrange(PIECE, len(one_line))
    (leak,) = Scanner([("KEY", value)]).scan_pieces("line", [one_line[:cut], one_line[cut:]])
    assert (leak.line, leak.column) == (1, 3 * PIECE // 2 + 1)


def pem(chance: random.Random) -> str:
    """Make something of the shape of a private key."""
    body = base64.b64encode(chance.randbytes(1190)).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])


def test_a_key_of_many_lines_is_one_leak_however_it_is_written(chance: random.Random) -> None:
    key = pem(chance)
    scanner = Scanner([("SIGNING_KEY", key)])
    indented = "key: |\n" + "".join(f"    {line}\n" for line in key.splitlines())
    escaped = json.dumps({"key": key})
    middle = "\n".join(key.splitlines()[5:9])
    for text in (key, key.replace("\n", "\r\n"), indented, escaped, middle, quote(key)):
        assert [leak.what for leak in scanner.scan("f", text.encode())] == ["SIGNING_KEY"], text[:40]
    public = "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n"
    assert scanner.scan("f", public.encode()) == []


def test_a_key_inside_json_is_found_by_its_lines(chance: random.Random) -> None:
    account = json.dumps({"type": "service_account", "private_key": pem(chance)}, indent=2)
    scanner = Scanner([("ACCOUNT", account)])
    assert scanner.scan("key.pem", json.loads(account)["private_key"].encode())
    assert scanner.scan("doc", b'"type": "service_account",\n') == []


def test_the_password_of_a_url_is_found_alone() -> None:
    scanner = Scanner([("DATABASE_URL", "postgres://app:kT9%2FxQ2mLw@db.internal:5432/app")])
    for text in ("PGPASSWORD=kT9/xQ2mLw", "kT9%2FxQ2mLw"):
        assert [leak.what for leak in scanner.scan("f", text.encode())] == ["DATABASE_URL"]
    assert scanner.scan("f", b"postgres://app:other-password@db.internal:5432/app") == []


def test_one_value_of_two_secrets_names_both_and_two_values_of_one_are_both_found() -> None:
    value, older = "w7Kqz9FbL2mN", "p4Rt8Vx1Zc6H"
    scanner = Scanner([("NEW", value), ("SAME", value), ("NEW", older)])
    found = scanner.scan("f", f"{value}\n{older}\n".encode())
    assert [leak.what for leak in found] == ["NEW, SAME", "NEW"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x9K2m", "shorter"),
        ("   x9K2m    ", "shorter"),
        ("password", "well-known"),
        ("CHANGEME", "well-known"),
        ("aaaaaaaaaaaa", "well-known"),
        ("your-key-here", "well-known"),
        ("AKIAIOSFODNN7EXAMPLE", "AWS's documentation"),
        ("eu-central-1", "AWS region"),
        ("postgresql://postgres:password@db:5432/app", "well-known password"),
        ("postgresql://app:pw@db:5432/app", "fewer than 8"),
        ("http://localhost:4566/somewhere", "address on this machine"),
        ("https://api.honeycomb.io", "only names a host"),
    ],
)
def test_what_everybody_knows_is_skipped_and_named(value: str, reason: str) -> None:
    scanner = Scanner([("KEY", value)])
    assert reason in scanner.skipped["KEY"]
    assert value not in scanner.skipped["KEY"]
    assert scanner.scan("f", value.encode()) == []


def test_a_url_whose_path_is_the_secret_is_worth_looking_for() -> None:
    assert why_not("https://hooks.example.com/services/T0AB/B1CD/x9K2mQ7w") is None


def test_a_secret_in_a_file_s_name_is_found_and_masked() -> None:
    value = "w7Kqz9FbL2mN"
    scanner = Scanner([("KEY", value)])
    shown, leaks = scanner.scan_name(f"backup/{value}/{value}.txt", "HEAD:")
    assert shown == "HEAD:backup/[masked]/[masked].txt"
    assert [(leak.path, leak.what, leak.line) for leak in leaks] == [(shown, "KEY", 0)] * 2
    assert scanner.scan_name("b\udcff") == ("b\udcff", [])


def test_what_python_could_not_decode_is_found_as_the_bytes_that_it_was() -> None:
    value = b"\xff\xfe8 bytes\xe9".decode(errors="surrogateescape")
    assert Scanner([("KEY", value)]).scan("f", b"a \xff\xfe8 bytes\xe9 b")
