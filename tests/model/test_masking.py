"""No spelling of a secret value gets through, and nothing else is touched."""

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.masking import MASK, TELLING, Mask

SECRET = 'made/up + "né\\w" value?'
KEY = "-----BEGIN-----\nabcdefgh+/==\nij\n-----END-----\n"


def url_safe(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def standard(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def lower(text: str) -> str:
    """Percent signs with digits in lower case, letters outside them as they are."""
    first, *rest = text.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON with escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON in JSON in UTF-8": lambda text: json.dumps(
        json.dumps(text, ensure_ascii=False), ensure_ascii=False
    )[3:-3],
    "repr": lambda text: repr(text)[1:-1],
    "a path": quote,
    "a part of a path": lambda text: quote(text, safe=""),
    "a form": quote_plus,
    "a path in lower case": lambda text: lower(quote(text)),
    "a form in lower case": lambda text: lower(quote_plus(text)),
    "an address in an address": lambda text: quote(quote(text, safe=""), safe=""),
    "an address in an address in lower case": lambda text: quote(lower(quote(text, safe="")), safe=""),
    "a text of HTML": lambda text: html.escape(text, quote=False),
    "an attribute of HTML": html.escape,
    "HTML of a template": lambda text: str(markupsafe.escape(text)),
    "base64": standard,
    "base64 without padding": lambda text: standard(text).rstrip("="),
    "base64 for URLs": url_safe,
    "base64 for URLs without padding": lambda text: url_safe(text).rstrip("="),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CRLF in JSON": lambda text: json.dumps(text.replace("\n", "\r\n"))[1:-1],
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("secret", [SECRET, KEY, "s3cret-\U0001f600~", "\x00\x1f??>>~~"], ids=repr)
def test_every_spelling_is_masked(secret: str, spell: Callable[[str], str]) -> None:
    masked = Mask(["another value", secret])(f"<{spell(secret)}>")
    assert masked == f"<{MASK}>"


@given(st.text(min_size=TELLING), st.sampled_from(list(SPELLINGS)), st.text(), st.text())
def test_no_text_keeps_a_spelling(secret: str, name: str, before: str, after: str) -> None:
    spelled = SPELLINGS[name](secret)
    mask = Mask([secret])
    assert mask.finds(before + spelled + after)
    assert all(spelled not in part for part in mask(before + spelled + after).split(MASK))


@given(st.lists(st.text("ab:/@.-%é\r\n"), max_size=5), st.text("ab:/@.-%é\r\n"))
def test_any_values_make_a_mask_that_settles(hidden: list[str], text: str) -> None:
    mask = Mask(hidden)
    assert mask.finds(text) == (mask(text) != text)
    assert mask.reach >= max((len(value) for value in hidden if len(value) >= TELLING), default=0)


@given(st.text(max_size=TELLING - 1), st.text(), st.text())
def test_a_short_value_is_masked_only_as_a_whole(secret: str, before: str, after: str) -> None:
    mask = Mask([secret])
    assert mask(secret) == (MASK if secret else "")
    longer = before + "......" + secret + after
    assert mask(longer) == longer


def test_the_lines_of_a_value_are_masked_one_by_one() -> None:
    assert Mask([KEY])("abcdefgh+/==\nij stays") == f"{MASK}\nij stays"
    assert Mask([KEY])("abcdefgh%2B%2F%3D%3D") == MASK


@pytest.mark.parametrize("said", ["p%40ss-word", "p@ss-word"])
def test_the_password_in_an_address_is_masked_alone(said: str) -> None:
    address = "postgresql://cruddur:p%40ss-word@db.example.test:5432/cruddur"
    assert Mask([address])(f"password={said} user=cruddur") == f"password={MASK} user=cruddur"


@pytest.mark.parametrize(
    "value", ["postgresql://db.example.test/a", "http://[broken", "mailto:user:password@host"]
)
def test_an_address_without_a_password_is_masked_as_it_is(value: str) -> None:
    assert Mask([value])(f"{value} password db.example.test") == f"{MASK} password db.example.test"


def test_a_value_that_begins_with_another_is_masked_whole() -> None:
    assert Mask(["made-up", "made-up-longer"])("made-up-longer made-up") == f"{MASK} {MASK}"


def test_nothing_hidden_changes_nothing() -> None:
    for hidden in ([], [""]):
        mask = Mask(hidden)
        assert (mask("a text"), mask(""), mask.reach, mask.finds("")) == ("a text", "", 0, False)


def test_a_value_that_is_not_utf_8_is_no_trouble() -> None:
    assert Mask(["caf\udce9-secret"])("a caf\udce9-secret") == f"a {MASK}"


def test_many_long_values_are_still_fast() -> None:
    keys = ["\n".join(url_safe(f"{number}-{line}" * 8) for line in range(30)) for number in range(10)]
    mask = Mask(keys)
    text = "an innocent line of a log, " * 600
    start = time.monotonic()
    for _ in range(10):
        assert mask(text) == text
    # 0.05 s on an idle machine.
    assert time.monotonic() - start < 5
