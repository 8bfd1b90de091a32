"""AWS clients: with exactly the keys that were given, and what they say when AWS says no."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.errors import NotConfiguredError
from bootstrap.system import aws
from tests.stand_ins.server import Fixed, Response
from tests.stand_ins.sts import Known, Sts, key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "arn:aws:iam::123456789012:user/somebody"


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as server:
        yield server


def known(sts: Sts, *, temporary: bool = False, expired: bool = False, arn: str = USER) -> aws.Keys:
    """Make keys that the stand-in knows."""
    keys = aws.Keys(
        key_id("ASIA" if temporary else "AKIA"), secret_key(), session_token() if temporary else None
    )
    sts.keys[keys.access_key_id] = Known(keys.secret_access_key, arn, keys.session_token, expired)
    return keys


def ask(sts: Sts, keys: aws.Keys | aws.Profile) -> aws.Identity:
    return aws.identity(keys, "us-east-1", {"AWS_ENDPOINT_URL_STS": sts.url})


def refusal(sts: Sts, keys: aws.Keys) -> aws.AwsRefusedError:
    with pytest.raises(aws.AwsRefusedError) as caught:
        ask(sts, keys)
    words = f"{caught.value!r} {caught.value.message} {caught.value.hint}"
    assert keys.secret_access_key not in words
    assert (keys.session_token or "-" * 200) not in words
    assert caught.value.__suppress_context__
    return caught.value


@pytest.mark.parametrize("temporary", [False, True])
def test_a_good_key_is_somebodys(sts: Sts, temporary: bool) -> None:  # noqa: FBT001 - a parameter
    found = ask(sts, known(sts, temporary=temporary))
    assert found == aws.Identity("123456789012", USER)
    assert not found.is_root


def test_the_accounts_own_key_is_told_apart(sts: Sts) -> None:
    assert ask(sts, known(sts, arn="arn:aws:iam::123456789012:root")).is_root
    assert not ask(sts, known(sts, arn="arn:aws:iam::123456789012:user/root")).is_root


def test_each_refusal_has_its_code(sts: Sts) -> None:
    keys = known(sts, temporary=True)
    wrong = aws.Keys(keys.access_key_id, secret_key(), keys.session_token)
    assert refusal(sts, wrong).code == "SignatureDoesNotMatch"
    assert refusal(sts, aws.Keys(key_id(), secret_key())).code == "InvalidClientTokenId"
    bare = aws.Keys(keys.access_key_id, keys.secret_access_key)
    assert refusal(sts, bare).code == "InvalidClientTokenId"
    assert refusal(sts, known(sts, temporary=True, expired=True)).code == "ExpiredToken"


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(hours=3)])
def test_a_clock_that_is_wrong_is_the_cause(ahead: timedelta) -> None:
    with Sts(ahead=ahead) as sts:
        assert refusal(sts, known(sts)).clock
        assert not refusal(sts, aws.Keys(key_id(), secret_key())).clock


def test_a_clock_that_is_right_is_not_the_cause(sts: Sts) -> None:
    keys = known(sts)
    assert not refusal(sts, aws.Keys(keys.access_key_id, secret_key())).clock


def test_only_what_was_given_is_used(
    sts: Sts, monkeypatch: pytest.MonkeyPatch, clean_environment: Path
) -> None:
    ambient = known(sts)
    home = clean_environment / ".aws"
    home.mkdir()
    lines = (
        f"aws_access_key_id = {ambient.access_key_id}\naws_secret_access_key = {ambient.secret_access_key}\n"
    )
    (home / "credentials").write_text(f"[default]\n{lines}[other]\n{lines}", encoding="utf-8")
    elsewhere = "endpoint_url = http://127.0.0.1:9\n"
    (home / "config").write_text(f"[default]\n{elsewhere}[profile other]\n{elsewhere}", encoding="utf-8")
    for name, value in {
        "AWS_ACCESS_KEY_ID": ambient.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ambient.secret_access_key,
        "AWS_SESSION_TOKEN": session_token(),
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    given = known(sts, arn="arn:aws:iam::123456789012:user/given")
    assert ask(sts, given).arn.endswith("given")
    assert ask(sts, aws.Profile("other")).arn == USER


def test_a_profile_without_keys_asks_no_machine_for_its_own(
    sts: Sts, monkeypatch: pytest.MonkeyPatch, clean_environment: Path
) -> None:
    (clean_environment / ".aws").mkdir()
    (clean_environment / ".aws" / "config").write_text(
        "[profile bare]\nregion = us-east-1\n", encoding="utf-8"
    )
    with Fixed(Response(200)) as metadata:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", known(sts).access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key())
        with pytest.raises(NotConfiguredError, match="NoCredentialsError") as caught:
            ask(sts, aws.Profile("bare"))
    assert "--profile bare" in caught.value.hint
    assert (metadata.requests, sts.requests) == ([], [])


def test_a_profile_that_is_not_there_is_named(sts: Sts) -> None:
    with pytest.raises(NotConfiguredError, match="'nobody'"):
        ask(sts, aws.Profile("nobody"))


def test_another_address_has_to_be_this_machine() -> None:
    with pytest.raises(NotConfiguredError, match="AWS_ENDPOINT_URL_STS"):
        aws.identity(
            aws.Keys(key_id(), secret_key()), "us-east-1", {"AWS_ENDPOINT_URL_STS": "https://sts.example.com"}
        )


def test_without_another_address_it_is_the_regions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://sts.example.com")
    made = aws.client("sts", region="eu-central-1", credentials=aws.Keys(key_id(), secret_key()), environ={})
    assert made.meta.endpoint_url == "https://sts.eu-central-1.amazonaws.com"


def test_nobody_there_is_not_a_wrong_key() -> None:
    with Sts() as sts:
        keys = known(sts)
        url = sts.url
    with pytest.raises(aws.AwsUnreachableError):
        aws.identity(keys, "us-east-1", {"AWS_ENDPOINT_URL_STS": url})


@pytest.mark.parametrize("body", [b"<html>Log in to the network</html>", b"", b"{}", b"\xff"])
def test_what_is_not_aws_is_not_a_wrong_key(body: bytes) -> None:
    with Fixed(Response(200, body)) as portal, pytest.raises(aws.AwsUnreachableError):
        aws.identity(aws.Keys(key_id(), secret_key()), "us-east-1", {"AWS_ENDPOINT_URL_STS": portal.url})


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    with Fixed(Response(502)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert ask(sts, known(sts)).arn == USER
    assert proxy.requests == []


@pytest.mark.parametrize("token", ["two\nlines", "schl\u00fcssel", " "])
def test_what_no_key_holds_is_refused_unquoted(sts: Sts, token: str) -> None:
    with pytest.raises(NotConfiguredError) as caught:
        ask(sts, aws.Keys(key_id("ASIA"), secret_key(), token))
    assert token.strip() == "" or token not in caught.value.message
    assert sts.requests == []


def test_keys_do_not_show_themselves() -> None:
    keys = aws.Keys(key_id(), secret_key(), session_token())
    for part in (keys.access_key_id, keys.secret_access_key, keys.session_token):
        assert str(part) not in f"{keys} {keys!r}"


def test_moto_knows_its_own_keys_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # The real service's model, as another program has it: what we send is what GetCallerIdentity takes.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        found = aws.identity(
            aws.Keys(key_id(), secret_key()),
            "us-east-1",
            {"AWS_ENDPOINT_URL_STS": f"http://{host}:{port}"},
        )
    finally:
        server.stop()
    assert found.account == "123456789012"
    assert found.arn.startswith("arn:aws:sts::123456789012:")
