"""Whether somebody has asked for another address than a vendor's own: only this machine's is taken."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bootstrap.model.errors import NotConfiguredError

_LOOPBACK = re.compile(r"localhost|::1|127(\.[0-9]{1,3}){3}", re.ASCII)


def override(environ: Mapping[str, str], variable: str) -> str | None:
    """Return the base URL in `variable` without a final slash; None where it is not set.

    Raises NotConfiguredError unless it leads to this machine: a folder that sets variables for whoever enters
    it must not choose where a key is sent.
    """
    url = environ.get(variable, "")
    if not url:
        return None
    if not is_loopback(url):
        raise NotConfiguredError(
            f"{variable} does not lead to this machine, and keys are sent nowhere else",
            f"unset {variable}, or give it an address like http://127.0.0.1:8080",
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Say whether an http or https URL without a user leads to this machine."""
    try:
        parts = urlsplit(url)
        host, user = parts.hostname or "", parts.username
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and user is None and bool(_LOOPBACK.fullmatch(host))
