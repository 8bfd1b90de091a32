"""From bytes to lines: nothing lost, nothing hidden shown, nothing without bound."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.model.masking import MASK, Mask
from bootstrap.stack.lines import LIMIT, Lines


def lines_of(chunks: list[bytes], *hidden: str) -> list[str]:
    lines = Lines(Mask(hidden))
    found = [line for chunk in chunks for line in lines.feed(chunk)]
    return found + lines.close()


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_where_the_stream_is_cut_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    expected = data.decode(errors="replace").split("\n")
    if expected[-1] == "":
        expected.pop()
    assert lines_of(chunks) == [line.removesuffix("\r") for line in expected]


@given(
    st.lists(st.text(st.sampled_from("abc")) | st.just("SECRET-VALUE"), max_size=30),
    st.integers(1, 50),
)
def test_a_hidden_value_never_gets_through(pieces: list[str], size: int) -> None:
    data = "".join(pieces).encode()
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert lines_of(chunks, "SECRET-VALUE") == (
        [text] if (text := "".join(pieces).replace("SECRET-VALUE", MASK)) else []
    )


@settings(max_examples=30)
@given(st.integers(-40, 40), st.integers(100, 70_000))
def test_a_hidden_value_at_the_limit_of_a_line_never_gets_through(offset: int, size: int) -> None:
    secret = "s3cret-of-nobody"
    for limit in (LIMIT, 4 * LIMIT, 4 * (LIMIT + len(secret))):
        data = (b"x" * (limit + offset)) + secret.encode() * 3 + b"\nnext"
        chunks = [data[start : start + size] for start in range(0, len(data), size)]
        long, after = lines_of(chunks, secret)
        assert after == "next"
        assert "s3c" not in long


def test_a_line_without_end_is_bounded_and_the_next_one_is_whole() -> None:
    chunks = [b"y" * 100_000 for _ in range(50)]
    long, after = lines_of([*chunks, b"\nshort\n"], "hidden")
    assert long == "y" * LIMIT + " [the line goes on]"
    assert after == "short"


def test_undecodable_bytes_are_replaced() -> None:
    assert lines_of([b"caf\xe9\r\n", b"\xe2\x82", b"\xac"]) == ["caf\ufffd", "\u20ac"]


def test_the_lines_of_a_hidden_value_are_hidden_one_by_one() -> None:
    key = "-----BEGIN-----\nabcdefgh\nij\n-----END-----"
    assert lines_of([b"abcdefgh\r\nij stays\n-----END-----\n"], key) == [MASK, "ij stays", MASK]


def test_a_value_in_another_spelling_is_hidden() -> None:
    assert lines_of([b"?key=a%2fb%2bc-secret\n", rb'"a\/b+c-secret"'], "a/b+c-secret") == [
        f"?key={MASK}",
        f'"{MASK}"',
    ]


def test_the_longer_of_two_hidden_values_goes_first() -> None:
    assert lines_of([b"passing passingly\n"], "passing", "passingly", "") == [f"{MASK} {MASK}"]
