"""Asks one question over HTTPS (this machine itself over HTTP, too), and takes a small JSON answer."""

import json
import os
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

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
    #: by their names in lower case
    headers: Mapping[str, str] = field(default_factory=dict)
    #: by how many seconds the other side's clock is ahead of ours, as far as it says
    ahead: float = 0.0


def get(url: str, headers: Mapping[str, str], *, limit: int = LIMIT, timeout: float = TIMEOUT) -> Answer:
    """Ask with GET; an answer of more than `limit` bytes counts as none.

    Follows no redirect, so that a key goes nowhere else; TLS is verified. Proxies are those that curl and
    requests would use (HTTPS_PROXY, NO_PROXY ...), and none for this machine; REQUESTS_CA_BUNDLE and
    SSL_CERT_FILE may name other authorities. Raises RemoteRefusedError where nobody answers; its text holds
    neither headers nor a proxy's password.
    """
    return _ask(_Question("GET", url, headers), limit=limit, timeout=timeout)


def post(url: str, headers: Mapping[str, str], document: Any) -> Answer:
    """Send a JSON document with POST; everything else as `get` does it."""
    return _ask(_Question("POST", url, headers, json.dumps(document).encode()))


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    document: Any = None,
    *,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,
) -> Answer:
    """Ask with any method, and with a JSON document unless that is None; everything else as `get` does it."""
    body = None if document is None else json.dumps(document).encode()
    return _ask(_Question(method, url, headers, body), limit=limit, timeout=timeout)


def visit(url: str, headers: Mapping[str, str], *, timeout: float) -> Answer:
    """Ask with GET for what need not be read: the body may be anything, and as long as it likes."""
    return _ask(_Question("GET", url, headers, whole=False), timeout=timeout)


class _Question(Struct, frozen=True):
    """What is sent to whom; `whole` says whether all of the answer matters."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    whole: bool = True

    def __repr__(self) -> str:
        return f"_Question({self.method})"

    @property
    def all_headers(self) -> dict[str, str]:
        """Those that were given, and what says that the body is JSON."""
        return {**self.headers, **({} if self.body is None else {"Content-Type": "application/json"})}


def _ask(question: _Question, *, limit: int = LIMIT, timeout: float = TIMEOUT) -> Answer:
    url, headers = question.url, question.headers
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - slow to import, and rarely needed

    if urlsplit(url).scheme != "https" and not is_loopback(url):
        raise NotConfiguredError(
            f"{urlsplit(url).hostname} is asked over https alone", "Use an https address."
        )
    if not all(_HEADER.fullmatch(value) for value in headers.values()):
        raise NotConfiguredError("a key holds characters that cannot be sent", "bootstrap secrets check")
    until = time.monotonic() + timeout
    try:
        with _manager(url, timeout) as manager:
            response = manager.request(
                question.method,
                url,
                body=question.body,
                headers=question.all_headers,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                return _answer(response, _Bounds(limit, until), whole=question.whole)
            finally:
                response.close()
    except (HTTPError, OSError, _TooLongError) as error:
        raise RemoteRefusedError(
            f"{urlsplit(url).hostname} cannot be reached: {_cause(error, timeout)}",
            "Check the network, HTTPS_PROXY and SSL_CERT_FILE.",
        ) from None


class _TooLongError(Exception):
    """The answer has more bytes, or takes more time, than any answer should."""


class _Bounds(Struct, frozen=True):
    """How many bytes are read, and until when."""

    limit: int
    until: float


def _answer(response: Any, bounds: _Bounds, *, whole: bool) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        document = _document(response, bounds)
    except _TooLongError:
        if whole:
            raise
        document = None
    return Answer(response.status, document, headers, _ahead(headers.get("date", "")))


def _ahead(date: str) -> float:
    """Compare their clock with ours; a date says whole seconds, so that a second of difference is none."""
    try:
        difference = parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return 0.0
    return difference if abs(difference) > 1 else 0.0


def _document(response: Any, bounds: _Bounds) -> Any:
    """Read within bounds; a body in any other form than JSON is None."""
    body = b""
    while chunk := response.read1(65536, decode_content=False):
        body += chunk
        if len(body) > bounds.limit or time.monotonic() > bounds.until:
            raise _TooLongError("its answer does not end")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _manager(url: str, timeout: float) -> Any:
    import urllib3  # noqa: PLC0415 - as in `get`

    settings: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=timeout, read=timeout),
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


def _cause(error: Exception, timeout: float) -> str:
    """Say in words why there is no answer; the exceptions' own texts may hold a proxy's password."""
    from urllib3 import exceptions  # noqa: PLC0415 - as in `get`

    if isinstance(error, _TooLongError):
        return str(error)
    causes: tuple[tuple[type[Exception], str], ...] = (
        (exceptions.ProxyError, "the proxy does not let us through"),
        (exceptions.SSLError, "its certificate is not to be trusted"),
        (exceptions.NameResolutionError, "there is no such name"),
        (exceptions.NewConnectionError, "no connection"),
        (exceptions.TimeoutError, f"no answer within {timeout:.0f} seconds"),
    )
    return next((words for kind, words in causes if isinstance(error, kind)), "the connection broke off")
