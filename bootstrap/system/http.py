"""Asks one HTTPS question with a key in its headers, and takes a small JSON answer."""

import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from bootstrap.model.errors import NotConfiguredError, RemoteRefusedError
from bootstrap.system.endpoints import is_loopback

#: seconds for each of connecting, sending and the answer's next bytes, and for the answer as a whole
TIMEOUT = 5.0
#: bytes of the longest answer that is read
LIMIT = 1 << 20
# What http.client refuses of a header's value it would quote.
_HEADER = re.compile("[ -~]*", re.ASCII)


class Answer(Struct, frozen=True):
    """What was answered: the status, and the JSON document (None where the body is none)."""

    status: int
    document: Any = None


def get(url: str, headers: Mapping[str, str]) -> Answer:
    """Ask with GET. Follows no redirect, so that a key goes nowhere else; TLS is verified.

    Proxies are those that curl and requests would use (HTTPS_PROXY, NO_PROXY ...), and none for this machine;
    REQUESTS_CA_BUNDLE and SSL_CERT_FILE may name other authorities. Raises RemoteRefusedError where nobody
    answers; its text holds neither headers nor a proxy's password.
    """
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - slow to import, and rarely needed

    if urlsplit(url).scheme != "https" and not is_loopback(url):
        raise NotConfiguredError(
            f"{urlsplit(url).hostname} is asked over https alone", "Use an https address."
        )
    if not all(_HEADER.fullmatch(value) for value in headers.values()):
        raise NotConfiguredError("a key holds characters that cannot be sent", "bootstrap secrets check")
    until = time.monotonic() + TIMEOUT
    try:
        with _manager(url) as manager:
            response = manager.request(
                "GET", url, headers=dict(headers), redirect=False, retries=False, preload_content=False
            )
            try:
                return Answer(response.status, _document(response, until))
            finally:
                response.close()
    except (HTTPError, OSError, _TooLongError) as error:
        raise RemoteRefusedError(
            f"{urlsplit(url).hostname} cannot be reached: {_cause(error)}",
            "Check the network, HTTPS_PROXY and SSL_CERT_FILE.",
        ) from None


class _TooLongError(Exception):
    """The answer has more bytes, or takes more time, than any answer should."""


def _document(response: Any, until: float) -> Any:
    """Read at most LIMIT bytes by `until`; a body in any other form than JSON is None."""
    body = b""
    while chunk := response.read1(65536, decode_content=False):
        body += chunk
        if len(body) > LIMIT or time.monotonic() > until:
            raise _TooLongError("its answer does not end")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _manager(url: str) -> Any:
    import urllib3  # noqa: PLC0415 - as in `get`

    settings: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=TIMEOUT, read=TIMEOUT),
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": os.environ.get("REQUESTS_CA_BUNDLE") or None,
    }
    proxy = None if is_loopback(url) else _proxy(url)
    if proxy is None:
        return urllib3.PoolManager(**settings)
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise NotConfiguredError("the proxy of the environment is no HTTP proxy", "See: HTTPS_PROXY")
    return urllib3.ProxyManager(proxy, proxy_headers=_proxy_headers(proxy), **settings)


def _proxy(url: str) -> str | None:
    """Find the proxy for an address, as requests and curl would."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - slow to import

    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _proxy_headers(proxy: str) -> dict[str, str]:
    """Make the proxy's own password into its header, which only the proxy sees."""
    from urllib3 import make_headers  # noqa: PLC0415 - as in `get`

    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def _cause(error: Exception) -> str:
    """Say in words why there is no answer; the exceptions' own texts may hold a proxy's password."""
    from urllib3 import exceptions  # noqa: PLC0415 - as in `get`

    if isinstance(error, _TooLongError):
        return str(error)
    causes: tuple[tuple[type[Exception], str], ...] = (
        (exceptions.ProxyError, "the proxy does not let us through"),
        (exceptions.SSLError, "its certificate is not to be trusted"),
        (exceptions.NameResolutionError, "there is no such name"),
        (exceptions.NewConnectionError, "no connection"),
        (exceptions.TimeoutError, f"no answer within {TIMEOUT:.0f} seconds"),
    )
    return next((words for kind, words in causes if isinstance(error, kind)), "the connection broke off")
