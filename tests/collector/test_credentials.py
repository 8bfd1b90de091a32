from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.collector.telemetry.credentials import NAMES, mask_credentials, may_hold
from bootstrap.model.masking import MASK

TOKEN = "made-up.Token/1+2_3~4"
HONEYCOMB = "hcaik_" + "0a" * 29

MASKED = {
    f"Authorization: Bearer {TOKEN} is wrong": f"Authorization: {MASK} is wrong",
    f"sent authorization={TOKEN}, retrying": f"sent authorization={MASK}, retrying",
    f"x-honeycomb-team={TOKEN},x-honeycomb-dataset=a": f"x-honeycomb-team={MASK},x-honeycomb-dataset=a",
    f"X_HONEYCOMB_TEAM={TOKEN}": f"X_HONEYCOMB_TEAM={MASK}",
    '{"authorization": "Basic bWFkZTp1cA==", "a": 1}': f'{{"authorization": "{MASK}", "a": 1}}',
    f'"authorization":["Basic {TOKEN}"]': f'"authorization":["{MASK}"]',
    r'"{\"authorization\": \"Basic made\", \"b\": 1}"': rf'"{{\"authorization\": \"{MASK}\", \"b\": 1}}"',
    "{'Authorization': 'Basic x', 'Cookie': 'a=1; b'}": f"{{'Authorization': '{MASK}', 'Cookie': '{MASK}'}}",
    f"[(b'authorization', b'Bearer {TOKEN}')]": f"[(b'authorization', b'{MASK}')]",
    "Cookie: a=1; b=2\nHost: a": f"Cookie: {MASK}\nHost: a",
    r'"cookie": "a=\"made up\"; b=2", "x": 1': f'"cookie": "{MASK}", "x": 1',
    f"GET /?X-Amz-Security-Token={TOKEN}&x=1": f"GET /?X-Amz-Security-Token={MASK}&x=1",
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=a;b, Signature=ff\nHost: a": (
        f"Authorization: {MASK}\nHost: a"
    ),
    f"{{'access_token': '{'a1' * 16}', 'data': 1}}": f"{{'access_token': '{MASK}', 'data': 1}}",
    f'{{"accessToken":"{"a1" * 16}"}}': f'{{"accessToken":"{MASK}"}}',
    f"AWS_SESSION_TOKEN={TOKEN} AWS_REGION=x": f"AWS_SESSION_TOKEN={MASK} AWS_REGION=x",
    f"aws_secret_access_key = {TOKEN}": f"aws_secret_access_key = {MASK}",
    f'"SecretAccessKey": "{TOKEN}"': f'"SecretAccessKey": "{MASK}"',
    f"curl -H 'authorization: {TOKEN}' http://a": f"curl -H 'authorization: {MASK}' http://a",
    "failed with Basic bWFkZTp1cA==": f"failed with Basic {MASK}",
    f"key {HONEYCOMB}.": f"key {MASK}.",
}

INNOCENT = [
    "The Authorization header is missing",
    "basic authentication is used",
    "bearer tokens are wanted",
    "3 cookies: yes",
    "Basic internationalization",
    f"accessKeyId: AKIA{'MADEUP' * 2}MADE",
    "the session token has expired",
    f"commit {'0a' * 20}",
    '{"missing": "authorization", "path": "/a"}',
    '{"allowed": ["authorization", "content-type"]}',
    "[masked]",
    f"Authorization: {MASK}, and more",
]


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_credentials_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_credentials(text) == masked
    assert mask_credentials(masked) == masked


@pytest.mark.parametrize("text", MASKED)
def test_a_batch_that_holds_one_is_looked_at_more_closely(text: str) -> None:
    assert may_hold(b'{"a":1}\n' + json.dumps({"text": text}).encode())


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_stays(text: str) -> None:
    assert mask_credentials(text) == text


PLAIN = st.text("abcXYZ019-._~+/", min_size=8, max_size=40)


@given(st.sampled_from(sorted(NAMES)), PLAIN, st.sampled_from([": ", "=", " = ", '": "', "': '", "': b'"]))
def test_no_value_behind_the_name_of_a_credential_stays(name: str, value: str, between: str) -> None:
    quote = between[-1] if between[-1] in "\"'" else ""
    masked = mask_credentials(f"before {quote}{name}{between}{value}{quote} after")
    assert value not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after") or "cookie" in name
    assert mask_credentials(masked) == masked


WORDS = st.sampled_from(["Authorization", "cookie", "a", "access_token"])


@given(st.dictionaries(WORDS, st.text() | WORDS))
def test_json_stays_json(document: dict[str, str]) -> None:
    masked = mask_credentials(json.dumps(document))
    kept = json.loads(masked)
    assert kept.keys() == document.keys()
    if document.get("a") == "Authorization" or not may_hold(document.get("a", "").encode()):
        assert kept.get("a") == document.get("a")


@given(st.text("authorizationcookie:=\"'\\[], bearer", max_size=60))
def test_any_text_is_taken_and_masked_once(text: str) -> None:
    masked = mask_credentials(text)
    assert mask_credentials(masked) == masked
