from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.collector.access import cookie_name, session_value

if TYPE_CHECKING:
    from tests.collector.conftest import Answer, Collector, Starter

OPEN = ["/healthz"]
GUARDED = [
    "/",
    "/traces",
    "/traces/" + "a" * 32,
    "/latency",
    "/logs",
    "/errors",
    "/errors/a",
    "/static/",
    "/api/overview",
    "/api/latency",
    "/api/differences",
    "/api/stream",
    "/api/items/a",
    "/api/traces",
    "/api/traces/" + "a" * 32,
    "/api/received",
    "/api/logs",
    "/api/items",
    "/unknown",
    "/api/traces/",
    "//api/traces",
]


def get(collector: Collector, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return collector.request("GET", path, headers=named)


@pytest.mark.parametrize("path", OPEN)
def test_what_needs_no_token(collector: Collector, path: str) -> None:
    assert get(collector, path).status == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer é"},
        {"Authorization": "Basic {token}"},
        {"Authorization": "{token}"},
        {"Cookie": "bootstrap-collector=wrong"},
        {"Cookie": "{cookie}=wrong"},
        {"Cookie": "{cookie}={token}"},
        {"Cookie": "bootstrap-collector-1={session}"},
        {"Authorization": "Bearer {session}"},
    ],
    ids=repr,
)
def test_whoever_reads_needs_the_token(collector: Collector, path: str, headers: dict[str, str]) -> None:
    filled = {
        name: value.format(
            token=collector.token,
            session=session_value(collector.token),
            cookie=cookie_name(collector.token),
        )
        for name, value in headers.items()
    }
    answer = get(collector, path, **filled)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    # Whoever comes to the root by a program is told where things are.
    assert path == "/" or "error" in answer.json()
    assert "set-cookie" not in answer.headers


def test_the_token_as_bearer_and_as_cookie(collector: Collector) -> None:
    assert get(collector, "/api/traces", Authorization=f"Bearer {collector.token}").status == 200
    assert get(collector, "/api/traces", Authorization=f"bearer  {collector.token}").status == 200
    cookie = f"other=1; {cookie_name(collector.token)}={session_value(collector.token)}"
    assert get(collector, "/api/traces", Cookie=cookie).status == 200


@pytest.mark.parametrize("query", ["token=", "token=wrong", "token=%FF", "Token={token}", "token={token}x"])
def test_a_wrong_token_in_the_address(collector: Collector, query: str) -> None:
    answer = get(collector, f"/api/traces?{query.format(token=collector.token)}", Accept="text/html")
    assert answer.status == 401
    assert "set-cookie" not in answer.headers


def test_the_token_in_the_address_becomes_a_cookie(collector: Collector) -> None:
    answer = get(collector, f"/api/traces?token={collector.token}")
    assert answer.status == 200
    value, *properties = answer.headers["set-cookie"].split("; ")
    assert {text.lower() for text in properties} == {"httponly", "path=/", "samesite=lax"}
    assert collector.token not in value
    assert get(collector, "/api/traces", Cookie=value).status == 200


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/?token={token}", "/"),
        ("/api/traces?limit=2&token={token}&service=a%26b", "/api/traces?limit=2&service=a%26b"),
        ("//example.test/?token={token}", "/example.test/"),
        ("/%0d%0aX-Made-Up:%201?token={token}", "/%0D%0AX-Made-Up%3A%201"),
    ],
)
def test_a_browser_is_sent_on_without_the_token(collector: Collector, path: str, location: str) -> None:
    answer = get(collector, path.format(token=collector.token), Accept="text/html,*/*")
    assert (answer.status, answer.headers["location"]) == (303, location)
    assert session_value(collector.token) in answer.headers["set-cookie"]
    assert collector.token not in str(answer.headers)


def test_two_collectors_have_a_cookie_each(collector: Collector, start_collector: Starter) -> None:
    both = [collector, start_collector()]
    cookies = [get(each, f"/api/traces?token={each.token}").headers["set-cookie"] for each in both]
    sent = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    assert [get(each, "/api/traces", Cookie=sent).status for each in both] == [200, 200]


def test_cookies_of_earlier_runs_do_not_pile_up(collector: Collector) -> None:
    def answered(count: int) -> list[str]:
        earlier = "; ".join(f"{cookie_name(str(number))}=0" for number in range(count))
        answer = get(collector, f"/api/traces?token={collector.token}", Cookie=f"mine=1; {earlier}")
        return [str(value) for value in answer.headers.get_all("set-cookie") or []]

    assert len(answered(7)) == 1
    *removed, kept = answered(8)
    assert {value.partition("=")[0] for value in removed} == {cookie_name(str(number)) for number in range(8)}
    assert all("Max-Age=0" in value for value in removed)
    assert kept.startswith(f"{cookie_name(collector.token)}={session_value(collector.token)}")


@pytest.mark.parametrize("path", ["/api/traces", "/api/logs", "/api/items", "/api/stream", "/api/received"])
def test_nothing_is_read_with_post_whoever_sends_it(collector: Collector, path: str) -> None:
    headers = {"Cookie": f"{cookie_name(collector.token)}={session_value(collector.token)}"}
    assert collector.request("POST", path, b"", headers).status == 405


@pytest.mark.parametrize("operation", ["FilterLogEvents", "GetLogEvents"])
def test_a_cookie_reads_no_log_lines(collector: Collector, operation: str) -> None:
    cookie = f"{cookie_name(collector.token)}={session_value(collector.token)}"
    body = {"logGroupName": "cruddur", "logStreamName": "web"}
    refused = collector.logs(operation, body, Cookie=cookie, X_Amz_Security_Token="")
    assert (refused.status, refused.json()["__type"]) == (400, "AccessDeniedException")


HOSTS: dict[str, tuple[str, bool]] = {
    "by number": ("127.0.0.1:{port}", True),
    "by name": ("LocalHost:{port}", True),
    "IPv6": ("[::1]:{port}", True),
    "forwarded": ("4318-workspace.example.test", True),
    "another port": ("127.0.0.1:1", False),
    "no port": ("127.0.0.1", False),
    "rebound": ("attacker.example.test:{port}", False),
    "forwarded with a port": ("4318-workspace.example.test:{port}", False),
    "a name that begins like ours": ("localhost.example.test:{port}", False),
    "empty": ("", False),
}


@pytest.mark.parametrize(("host", "ours"), HOSTS.values(), ids=HOSTS.keys())
@pytest.mark.parametrize("request_line", ["GET /healthz", "POST /v1/traces", "POST /GetSamplingRules"])
def test_only_our_own_names(collector: Collector, host: str, request_line: str, *, ours: bool) -> None:
    assert _passes(collector, request_line, {"Host": host}) == ours


ORIGINS: dict[str, tuple[str, bool]] = {
    "our page": ("http://127.0.0.1:{port}", True),
    "our page by name": ("http://localhost:{port}", True),
    "our forwarded page": ("https://4318-workspace.example.test", True),
    "another page": ("https://attacker.example.test", False),
    "another port of this machine": ("http://localhost:1", False),
    "this machine without a port": ("http://localhost", False),
    "no page": ("null", False),
    "empty": ("", False),
}


@pytest.mark.parametrize(("origin", "ours"), ORIGINS.values(), ids=ORIGINS.keys())
@pytest.mark.parametrize("request_line", ["GET /api/traces", "POST /v1/traces", "POST /GetSamplingRules"])
def test_only_our_own_pages(collector: Collector, origin: str, request_line: str, *, ours: bool) -> None:
    headers = {"Origin": origin, "Authorization": f"Bearer {collector.token}"}
    assert _passes(collector, request_line, headers) == ours


LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FRAME = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
SCRIPT = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
READ, INGEST, RULES = "GET /api/traces", "POST /v1/traces", "POST /GetSamplingRules"


@pytest.mark.parametrize(
    ("request_line", "site", "fetch", "passes"),
    [
        (READ, "none", LINK, True),
        (READ, "same-origin", FETCH, True),
        (READ, "same-site", FETCH, False),
        (READ, "same-site", SCRIPT, False),
        (READ, "same-site", FRAME, False),
        (READ, "same-site", LINK, True),
        (READ, "cross-site", SCRIPT, False),
        (READ, "cross-site", FRAME, False),
        (READ, "cross-site", LINK, True),
        (READ, "cross-site", {}, False),
        ("GET /healthz", "cross-site", SCRIPT, False),
        (INGEST, "same-origin", FETCH, True),
        (INGEST, "same-site", FETCH, True),
        (INGEST, "cross-site", FETCH, False),
        (INGEST, "cross-site", LINK, False),
        (RULES, "same-site", FETCH, True),
        (RULES, "cross-site", FETCH, False),
    ],
)
def test_what_a_browser_says_about_who_asks(
    collector: Collector, request_line: str, site: str, fetch: dict[str, str], *, passes: bool
) -> None:
    headers = {"Sec-Fetch-Site": site, "Authorization": f"Bearer {collector.token}"} | fetch
    assert _passes(collector, request_line, headers) == passes


def test_cross_origin_access_is_not_offered(collector: Collector) -> None:
    headers = {"Origin": "https://attacker.example.test", "Access-Control-Request-Method": "POST"}
    answer = collector.request("OPTIONS", "/v1/traces", headers=headers)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_answers_are_not_cached_sniffed_or_referred(collector: Collector) -> None:
    for path in ("/", "/api/traces"):
        headers = get(collector, path).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy)


def _passes(collector: Collector, request_line: str, headers: dict[str, Any]) -> bool:
    """Whether a request that is otherwise right gets past the guards."""
    method, path = request_line.split()
    port = collector.daemon_port if path == "/GetSamplingRules" else collector.port
    filled = {name: value.format(port=port) for name, value in headers.items()}
    body = b"{}" if method == "POST" else None
    answer = collector.request(method, path, body, {"Content-Type": "application/json"} | filled, port=port)
    assert answer.status in {200, 403}
    return answer.status == 200
