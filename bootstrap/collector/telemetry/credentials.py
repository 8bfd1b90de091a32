"""Credentials that stand in somebody's text: after the name of their header or setting, or by their looks.

What is known to be secret is masked wherever it stands; this is for what nobody has told the collector: a
client that logs the headers it sent, a library that prints the payload with its token.
"""

import re

from bootstrap.model.masking import MASK

#: headers and settings that hold nothing else; as keys they are masked whatever they hold
NAMES = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-amz-security-token",
        "x-honeycomb-team",
        "x-rollbar-access-token",
        "access-token",
        "aws-secret-access-key",
        "aws-session-token",
    }
)

#: one of these stands in every text that holds any, once its letters are small and its joints are gone
_SIGNS = (
    b"authorization",
    b"cookie",
    b"xapikey",
    b"securitytoken",
    b"honeycombteam",
    b"accesstoken",
    b"accesskey",
    b"sessiontoken",
    b"bearer ",
    b"basic ",
)
_SMALL = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_JOINTS = b"_-"

_SHORTEST = 8

_NAME = (
    r"(?P<pair>\(b?[\"'])?(?<![a-z0-9])(?:(?P<lines>(?:set[-_])?cookie)|(?:proxy[-_])?authorization|x[-_]api[-_]key"
    r"|x[-_]amz[-_]security[-_]token|x[-_]honeycomb[-_]team|(?:x[-_]rollbar[-_])?access[-_]?token"
    r"|(?:aws[-_]?)?secret[-_]?access[-_]?key|(?:aws[-_]?)?session[-_]?token)"
)
# `Name: value`, `name=value`, `"name": "value"`, `('name', b'value')`, `"name": ["value"]`; not twice.
_BETWEEN = r"""(?:\\*["'])?\s*(?:=>|[:=]|(?(pair),|(?!)))(?!\s*\[masked\])\s*\[?\s*"""
_QUOTED = r"""b?(?:"(?P<double>(?:[^"\\]|\\.)*)|'(?P<single>(?:[^'\\]|\\.)*)|\\+["'](?P<escaped>[^"'\\]*))"""
_BARE = (
    r"(?P<bare>(?!\s)(?(lines)[^\r\n\"'\\]+|(?:(?:aws4-hmac-sha256|digest|oauth)\s[^\r\n\"'\\]+"
    r"|(?:(?:bearer|basic|token|apikey|negotiate)\s+)?(?:\[masked\]|[^\s,;&\"'\\}\])]+))))"
)
_VALUES = frozenset({"double", "single", "escaped", "bare"})
_NAMED = re.compile(f"{_NAME}{_BETWEEN}(?:{_QUOTED}|{_BARE})", re.IGNORECASE | re.ASCII)

_SCHEME = re.compile(
    r"(?<![a-z0-9])(?:bearer|basic)\s+(?P<bare>[a-z0-9\-._~+/]{8,}=*)", re.IGNORECASE | re.ASCII
)
# A word of ordinary text has no digit, no capital inside and no sign.
_UNLIKELY = re.compile(r"[0-9+/=_]|[a-z][A-Z]")

_KEY = r"hc[a-z](?:[a-z]{2}_[a-z0-9]{58}|mk_[a-z0-9]{26}:[a-z0-9]{32})"
_HONEYCOMB = re.compile(rf"(?<![A-Za-z0-9])(?P<bare>{_KEY})(?![A-Za-z0-9])")
_HONEYCOMB_BYTES = re.compile(_KEY.encode())


def may_hold(data: bytes) -> bool:
    """Whether text in UTF-8 may hold a credential: quick, for a whole batch at once, and seldom true."""
    small = data.translate(_SMALL, _JOINTS)
    # A loop of its own takes a third of the time that any() takes.
    for sign in _SIGNS:
        if sign in small:
            return True
    return _HONEYCOMB_BYTES.search(data) is not None


def mask_credentials(text: str) -> str:
    """The text without credentials."""
    if len(text) < _SHORTEST or not may_hold(text.encode(errors="replace")):
        return text
    text = _NAMED.sub(_masked, text)
    text = _SCHEME.sub(lambda found: _masked(found) if _UNLIKELY.search(found["bare"]) else found[0], text)
    return _HONEYCOMB.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    """Leave what stands before the value, and behind it."""
    whole = found[0]
    [name] = (name for name, value in found.groupdict().items() if name in _VALUES and value is not None)
    start, end = found.span(name)
    if start == end:
        return whole
    return whole[: start - found.start()] + MASK + whole[end - found.start() :]
