"""Tokens of vendors are found where people paste them, and words a little like them are left alone."""

from __future__ import annotations

import hashlib
import string
import uuid
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.tokens import TokenShape
from bootstrap.secrets.scanning.scanner import Scanner

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SHAPES = (
    TokenShape("an ingest key", r"hc[a-z]i[ck]_[a-z0-9]{58}"),
    TokenShape("a classic key", r"[0-9a-f]{32}", ("honeycomb",)),
    TokenShape("a configuration key", r"[A-Za-z0-9]{20,23}", ("honeycomb", "hny")),
    TokenShape("a project token", r"[0-9a-f]{32}", ("rollbar",)),
    TokenShape("an access key's id", r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}"),
    TokenShape("a secret access key", r"[A-Za-z0-9/+]{40}", ("secret_access_key", "secret access key")),
)
HEX = "0123456789abcdef"
WORD = string.ascii_letters + string.digits


@pytest.fixture
def token(chance: random.Random) -> Callable[[str, int], str]:
    """Make up a token of an alphabet and a length, as mixed as a vendor's: token(alphabet, length)."""

    def make(alphabet: str, length: int) -> str:
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        wanted = [[c for c in kind if c in alphabet] for kind in kinds if set(kind) & set(alphabet)]
        chosen = [chance.choice(wanted[position % len(wanted)]) for position in range(length)]
        return "".join(chosen)

    return make


def titles(text: str) -> list[str]:
    """Say what the scanner takes a text for."""
    return [leak.what for leak in Scanner((), SHAPES).scan("f", text.encode())]


def test_what_people_paste_is_found(token: Callable[[str, int], str]) -> None:
    ingest = f"hcaik_{token(string.ascii_lowercase + string.digits, 58)}"
    classic, word = token(HEX, 32), token(WORD, 22)
    key, secret = f"AKIA{token(string.ascii_uppercase + '234567', 16)}", token(WORD, 39) + "/"
    for text, title in [
        (f'export HONEYCOMB_API_KEY="{ingest}"\n', "an ingest key"),
        (f"x-honeycomb-team={ingest}", "an ingest key"),
        (f"anything {ingest}", "an ingest key"),
        (f"gp env HONEYCOMB_API_KEY={word}", "a configuration key"),
        (f'```sh\nexport HONEYCOMB_API_KEY="{word}"\n```', "a configuration key"),
        (f"    - 'HONEYCOMB_API_KEY={classic}'", "a classic key"),
        (f'{{"x-honeycomb-team": "{classic}"}}', "a classic key"),
        (f"Honeycomb's key:\r\n{classic}\r\n", "a classic key"),
        (f"HNY={word}", "a configuration key"),
        (f"rollbar_token = '{classic}'", "a project token"),
        (f"rollbar.init(\n  '{classic}',", "a project token"),
        (f"aws_access_key_id = {key}", "an access key's id"),
        (f"https://s3.amazonaws.com/?X-Amz-Credential={key}%2F2026", "an access key's id"),
        (f"AWS_SECRET_ACCESS_KEY={secret}", "a secret access key"),
        (f"AWS Secret Access Key [None]: {secret}", "a secret access key"),
        (f'"source": ["export HONEYCOMB_API_KEY=\\n{word}\\n"]', "a configuration key"),
        (f"x-honeycomb-team%3D{word}%0A", "a configuration key"),
    ]:
        assert titles(text) == [title], text


def test_a_bare_word_needs_its_keyword_nearby(token: Callable[[str, int], str]) -> None:
    classic = token(HEX, 32)
    assert titles(f"honeycomb\n{classic}") == ["a classic key"]
    assert titles(f"{classic} is for Honeycomb") == ["a classic key"]
    assert titles(f"honeycomb\n\n{classic}") == []
    assert titles(f"{classic}\nhoneycomb") == []
    assert titles(f"honeycomb {'x ' * 300}{classic}") == []
    assert titles(f"{classic}\n" * 50) == []
    assert titles(f"wHNYdq 1\n{token(WORD, 22)}") == []  # short keywords are part of anything


def test_what_only_looks_a_little_like_a_token_is_none(chance: random.Random) -> None:
    number = chance.randbytes(64)
    for text in (
        f"honeycomb {hashlib.sha1(number).hexdigest()}",
        f"honeycomb sha256:{hashlib.sha256(number).hexdigest()}",
        f"honeycomb {uuid.UUID(bytes=number[:16])}",
        f"honeycomb md5: {hashlib.md5(number).hexdigest()}",
        f"honeycomb trace.trace_id = {number[:16].hex()}",
        f"secret_access_key: {hashlib.sha1(number).hexdigest()}",
        f"honeycomb/{hashlib.md5(number).hexdigest()}-bundle.js",
        "honeycomb getDatasetNameTeam2026",
        "honeycomb cruddurDataset20260214",
        "HONEYCOMB_API_KEY=honeycombWriteKey12345",
        "HONEYCOMB_API_KEY=0123456789abcdef0123456789abcdef",
        "HONEYCOMB_API_KEY=" + "deadbeef" * 4,
        "HONEYCOMB_API_KEY=your1Honeycomb2Key3Here",
        "HONEYCOMB_API_KEY=hcaik_" + "x" * 58,
        "honeycomb internationalizations",
        "rollbar " + "1" * 32,
        "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "secret_access_key src/main/resources/some/where/else/2026/",
        "secret_access_key KmsS3EncryptionOperationsServerMigration",
        "BAKIAIOSFODNN7ABCDEFG",
    ):
        assert titles(text) == [], text


def test_bare_words_are_not_looked_for_in_binary_files(token: Callable[[str, int], str]) -> None:
    assert titles(f"\0honeycomb {token(HEX, 32)}") == []
    assert titles(f"\0AKIA{token(string.ascii_uppercase + '234567', 16)}") == ["an access key's id"]


def test_an_own_value_is_named_rather_than_its_shape(token: Callable[[str, int], str]) -> None:
    value, other = token(HEX, 32), token(HEX, 32)
    scanner = Scanner([("HONEYCOMB_API_KEY", value)], SHAPES)
    found = scanner.scan("f", f"HONEYCOMB_API_KEY={value}\nHONEYCOMB_API_KEY={other}".encode())
    assert [(leak.what, leak.own) for leak in found] == [
        ("HONEYCOMB_API_KEY", True),
        ("a classic key", False),
    ]


@pytest.mark.parametrize("comment", ["# {}", "// {}", "<!-- {} -->", "/* {} */", "; {}", "-- {}"])
def test_an_allowance_with_a_reason_counts_in_any_comment(
    token: Callable[[str, int], str], comment: str
) -> None:
    line = f"rollbar {token(HEX, 32)} " + comment.format("bootstrap:allow-secret revoked in May")
    (leak,) = Scanner((), SHAPES).scan("f", line.encode())
    assert leak.allowed == "revoked in May"


@pytest.mark.parametrize("reason", ["", " -->", " # */", ": ", " x", " 12"])
def test_an_allowance_without_a_reason_does_not_count(token: Callable[[str, int], str], reason: str) -> None:
    text = f"rollbar {token(HEX, 32)} # bootstrap:allow-secret{reason}\nno reason on another line"
    (leak,) = Scanner((), SHAPES).scan("f", text.encode())
    assert not leak.allowed
    assert "no reason" in leak.note


def test_an_allowance_counts_for_its_own_line_only(token: Callable[[str, int], str]) -> None:
    text = f"# bootstrap:allow-secret of a test\nrollbar {token(HEX, 32)}"
    (leak,) = Scanner((), SHAPES).scan("f", text.encode())
    assert not leak.allowed


def test_no_vendor_s_token_is_lost_to_chance(chance: random.Random) -> None:
    """What makes a word look real must not be so strict that real ones fail."""
    for alphabet, length, line, bearable in (
        (WORD, 22, "HONEYCOMB_API_KEY={}", 0.05),
        (HEX, 32, "HONEYCOMB_API_KEY={}", 0.002),
        (WORD + "/+", 40, "AWS_SECRET_ACCESS_KEY={}", 0.01),
        (string.ascii_uppercase + "234567", 16, "AKIA{}", 0.002),
    ):
        tokens = ["".join(chance.choices(alphabet, k=length)) for _ in range(2000)]
        missed = sum(not titles(line.format(token)) for token in tokens)
        assert missed <= bearable * len(tokens), (alphabet, missed)
