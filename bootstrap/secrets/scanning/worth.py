"""Which values are worth looking for: short ones and well-known ones stand anywhere by chance."""

import re
from urllib.parse import unquote, urlsplit

#: characters from which on a value is looked for
SHORTEST = 8
_KNOWN = frozenset(
    (
        *("12345678", "123456789", "1234567890", "administrator", "changeit", "changeme", "development"),
        *("example.com", "examplekey", "guestguest", "localhost", "localstack", "minioadmin", "mypassword"),
        *("mysecret", "mysecretpassword", "notasecret", "p@ssw0rd", "passw0rd", "password", "password1"),
        *("password123", "placeholder", "postgres", "postgresql", "production", "qwertyui", "rootpassword"),
        *("rootroot", "secretkey", "supersecret", "test1234", "testpassword", "testtest", "undefined"),
        "username",
    )
)
_PLACEHOLDER = re.compile(r"<.*>|\$\{.*\}|\{\{.*\}\}|(?:replace|change|your)[-_ ].*|x{8,}", re.IGNORECASE)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_HERE = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal"})  # noqa: S104 - compared


def why_not(value: str) -> str | None:
    """Say why nobody should look for `value`; None where it is worth it."""
    text = value.strip()
    if len(text) < SHORTEST:
        return f"is shorter than {SHORTEST} characters"
    if "://" in text and not any(blank in text for blank in "\r\n\t "):
        return _why_not_url(text)
    if text.upper().endswith(("EXAMPLE", "EXAMPLEKEY")):
        return "is an example from AWS's documentation"
    if _is_known(text):
        return "is a well-known default"
    if _REGION.fullmatch(text):
        return "is the name of an AWS region"
    return None


def password_of(value: str) -> str | None:
    """Find the password of scheme://user:password@host as it stands there; None where there is none."""
    try:
        return (urlsplit(value.strip()).password if "://" in value else None) or None
    except ValueError:
        return None


def _is_known(text: str) -> bool:
    lower = text.lower()
    return lower in _KNOWN or len(set(lower)) == 1 or _PLACEHOLDER.fullmatch(text) is not None


def _why_not_url(text: str) -> str | None:
    """Judge a URL by its password; without one by whether it leads anywhere in particular."""
    password = password_of(text)
    if password is not None:
        clear = unquote(password)
        if len(clear) < SHORTEST:
            return f"has a password of fewer than {SHORTEST} characters"
        return "has a well-known password" if _is_known(clear) else None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    if host in _HERE:
        return "is an address on this machine"
    if not parts.path.strip("/") and not parts.query and not parts.fragment and "@" not in parts.netloc:
        return "only names a host"
    return None
