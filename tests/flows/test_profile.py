"""An AWS profile that somebody names: its own keys, its role's, and none of the account itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from bootstrap.flows.profile import with_profile
from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.system import aws
from tests.stand_ins.clouds import ROOT, USER, Clouds
from tests.stand_ins.server import Fixed, Response
from tests.stand_ins.sts import Known, Sts, key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bootstrap.flows.environment import Lookup
    from tests.stand_ins.server import Request

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
STORED = dict.fromkeys((*NAMES, "HONEYCOMB_API_KEY"), "stored")


class Roles(Sts):
    """Lets who is known assume one role."""

    role = "arn:aws:iam::123456789012:role/writer"

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, str] = {}

    def serve(self, request: Request, known: Known) -> Response:
        if parse_qs(request.body.decode()).get("Action") != ["AssumeRole"]:
            return super().serve(request, known)
        if parse_qs(request.body.decode())["RoleArn"] != [self.role]:
            return self.error(
                403, "AccessDenied", f"{known.arn} is not authorized to perform: sts:AssumeRole"
            )
        self.given = dict(zip(NAMES, (key_id("ASIA"), secret_key(), session_token()), strict=True))
        secret, token = self.given["AWS_SECRET_ACCESS_KEY"], self.given["AWS_SESSION_TOKEN"]
        self.keys[self.given["AWS_ACCESS_KEY_ID"]] = Known(secret, f"{self.role}/session", token)
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
            f"<Credentials><AccessKeyId>{self.given['AWS_ACCESS_KEY_ID']}</AccessKeyId>"
            f"<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
            f"<Expiration>{until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
        return Response(200, body.encode(), {"Content-Type": "text/xml"})


@pytest.fixture
def sts() -> Iterator[Roles]:
    with Roles() as server:
        yield server


@pytest.fixture
def home(clean_environment: Path) -> Path:
    (clean_environment / ".aws").mkdir()
    return clean_environment


def known(sts: Sts, *, temporary: bool = False, arn: str = USER) -> dict[str, str]:
    values = dict(zip(NAMES, (key_id("ASIA" if temporary else "AKIA"), secret_key()), strict=False))
    token = session_token() if temporary else None
    sts.keys[values["AWS_ACCESS_KEY_ID"]] = Known(values["AWS_SECRET_ACCESS_KEY"], arn, token)
    return values | ({} if token is None else {"AWS_SESSION_TOKEN": token})


def write(home: Path, **profiles: Mapping[str, str]) -> None:
    text = "".join(
        f"[{name}]\n" + "".join(f"{key.lower()} = {value}\n" for key, value in profile.items())
        for name, profile in profiles.items()
    )
    (home / ".aws" / "credentials").write_text(text, encoding="utf-8")


def looked_up(sts: Sts, name: str) -> dict[str, str | None]:
    def stored(wanted: str) -> Secret | None:
        return Secret(STORED[wanted], "store") if wanted in STORED else None

    lookup: Lookup = with_profile(stored, name, "eu-west-1", {"AWS_ENDPOINT_URL_STS": sts.url})
    found = {wanted: lookup(wanted) for wanted in STORED}
    return {wanted: secret.reveal() if secret else None for wanted, secret in found.items()}


@pytest.mark.parametrize("temporary", [False, True])
def test_all_parts_of_its_keys_or_none_of_ours(sts: Roles, home: Path, *, temporary: bool) -> None:
    values = known(sts, temporary=temporary)
    write(home, work=values, default=known(sts))
    assert looked_up(sts, "work") == {"AWS_SESSION_TOKEN": None, **values, "HONEYCOMB_API_KEY": "stored"}


def test_a_role_gives_keys_for_a_while(sts: Roles, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, base=known(sts), work={"role_arn": Roles.role, "source_profile": "base"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
    found = looked_up(sts, "work")
    assert found == {**sts.given, "HONEYCOMB_API_KEY": "stored"}


def test_a_role_that_is_refused_is_aws_s_word(
    sts: Roles, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, base=known(sts), work={"role_arn": f"{Roles.role}s", "source_profile": "base"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
    with pytest.raises(aws.AwsRefusedError, match=r"'work'.*AccessDenied"):
        looked_up(sts, "work")


def test_the_keys_of_the_account_itself_are_refused(sts: Roles, home: Path) -> None:
    write(home, root=known(sts, arn=ROOT))
    with pytest.raises(NotConfiguredError, match="'root' holds the keys of the account itself"):
        looked_up(sts, "root")


def test_keys_that_aws_does_not_know_are_refused(sts: Roles, home: Path) -> None:
    write(home, work={"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()})
    with pytest.raises(aws.AwsRefusedError, match="InvalidClientTokenId"):
        looked_up(sts, "work")


def test_a_policy_may_forbid_the_question(home: Path) -> None:
    values = {"AWS_ACCESS_KEY_ID": key_id(), "AWS_SECRET_ACCESS_KEY": secret_key()}
    write(home, work=values)
    words = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    with Fixed(Response(403, words)) as denies:
        keys = aws.keys_of(aws.Profile("work"), "eu-west-1", {})
        lookup = with_profile(lambda _: None, "work", "eu-west-1", {"AWS_ENDPOINT_URL_STS": denies.url})
    found = lookup("AWS_ACCESS_KEY_ID")
    assert found is not None
    assert found.reveal() == keys.access_key_id


@pytest.mark.parametrize("name", ["nobody", "bare", "half"])
def test_a_profile_without_keys_asks_no_machine_for_its_own(
    sts: Roles, home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ambient = known(sts)
    write(home, bare={"region": "eu-west-1"}, half={"AWS_ACCESS_KEY_ID": key_id()}, default=ambient)
    with Fixed(Response(500)) as machine:
        for variable in ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            monkeypatch.setenv(variable, machine.url)
        for variable, value in ambient.items():
            monkeypatch.setenv(variable, value)
        with pytest.raises(NotConfiguredError, match=repr(name)) as caught:
            looked_up(sts, name)
    assert "aws " in caught.value.hint
    assert (machine.requests, sts.requests) == ([], [])


def test_a_profile_that_is_not_signed_in_says_how(sts: Roles, home: Path) -> None:
    config = (
        "[profile work]\nsso_session = acme\nsso_account_id = 123456789012\nsso_role_name = writer\n"
        "[sso-session acme]\nsso_region = eu-west-1\nsso_start_url = https://acme.example.com/start\n"
    )
    (home / ".aws" / "config").write_text(config, encoding="utf-8")
    with pytest.raises(NotConfiguredError, match="'work' is not signed in") as caught:
        looked_up(sts, "work")
    assert caught.value.hint == "aws sso login --profile work"


def test_no_folder_s_variables_choose_who_gives_a_role_s_keys(
    sts: Roles, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever answers AssumeRole would choose in whose account the telemetry ends.
    write(home, base=known(sts), work={"role_arn": Roles.role, "source_profile": "base"})
    with Clouds() as others:
        monkeypatch.setenv("AWS_ENDPOINT_URL", others.sts.url)
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        with pytest.raises(aws.AwsUnreachableError):
            with_profile(lambda _: None, "work", "eu-west-1", {})
        assert others.asked == 0
