"""Recognises secret values in text, in every spelling that they usually travel in, and masks them."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "[masked]"

#: characters from which on a value is masked inside a longer text
TELLING = 6

_PERCENT = re.compile("%[0-9A-F]{2}")


class Mask:
    """Replaces secret values by `[masked]`, wherever they stand inside a text.

    A value is recognised as it is, escaped as in Python's repr and in HTML, as in JSON and as in JSON in a
    text of JSON, percent-encoded once or twice, in base64 (as a whole, standard and URL-safe), with either
    kind of line end, by each of its lines, and by the password alone where it is a URL that holds one. Lines
    shorter than six characters stay: they occur by chance.

    A value shorter than six characters is masked only where it is the whole text. Inside longer texts it
    would be replaced by chance, and what is missing from a well-known text tells what the value is.
    """

    def __init__(self, hidden: Iterable[str]) -> None:
        self._forms: set[str] = set()
        self.learn(hidden)

    def learn(self, hidden: Iterable[str]) -> None:
        """Mask these values, too, from now on; other threads may be masking."""
        forms = self._forms = self._forms | {form for value in hidden for form in _forms(value)}
        inside = {text for form in forms if len(form) >= TELLING for text in _spellings(form)}
        self._whole = {text for form in forms if len(form) < TELLING for text in _spellings(form)} - {""}
        # The longest first: a spelling may begin with another one. No regular expression, because one of
        # many alternatives tries them all at every character, where `replace` hardly looks.
        self._inside = sorted(inside, key=len, reverse=True)
        #: characters of the longest spelling: a text that was cut may end with the beginning of a value
        #: that is one character shorter than this
        self.reach = max(map(len, self._inside), default=0)

    @property
    def spellings(self) -> frozenset[str]:
        """All that is looked for, inside texts or as the whole of one."""
        return frozenset(self._whole.union(self._inside))

    def __call__(self, text: str) -> str:
        """Return the text without any secret value."""
        if text in self._whole:
            return MASK
        if len(text) >= TELLING:
            for spelling in self._inside:
                text = text.replace(spelling, MASK)
        return text

    def finds(self, text: str) -> bool:
        """Say whether a secret value stands in the text."""
        return text in self._whole or any(spelling in text for spelling in self._inside)


def _forms(value: str) -> set[str]:
    """Collect what is secret by itself: the value, its lines, and the password in it."""
    unix = value.replace("\r\n", "\n")
    lines = {line for line in value.splitlines() if len(line) >= TELLING}
    return {value, unix, unix.replace("\n", "\r\n"), *lines, *_passwords(value)}


def _passwords(value: str) -> set[str]:
    """Find the password of scheme://user:password@host, as it stands there and decoded."""
    if "://" not in value:
        return set()
    try:
        password = urlsplit(value.strip()).password or ""
    except ValueError:
        return set()
    return {password, unquote(password)}


def _spellings(form: str) -> set[str]:
    """Spell one form in every encoding."""
    # A value that is not UTF-8 comes from the environment with surrogates in it.
    data = form.encode(errors="surrogatepass")
    escaped = {json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1], repr(form)[1:-1]}
    escaped |= {text.replace("/", "\\/") for text in escaped}
    escaped |= {json.dumps(text, ensure_ascii=False)[1:-1] for text in escaped}
    percent = {quote(data, safe=""), quote(data), quote_plus(data)}
    percent |= {_PERCENT.sub(lambda found: found[0].lower(), text) for text in percent}
    # An address inside an address.
    percent |= {text.replace("%", "%25") for text in percent}
    in_html = html.escape(form, quote=False)
    quoted = [in_html.replace('"', double) for double in ("&quot;", "&#34;")]
    quoted = [text.replace("'", single) for text in quoted for single in ("&#x27;", "&#39;")]
    padded = {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    return {form, in_html, *quoted} | escaped | percent | padded | {text.rstrip("=") for text in padded}
