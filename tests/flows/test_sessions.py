"""Short-lived AWS keys: how they are made of whose key, what refusals mean, and when they are renewed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.config.manifest import parse
from bootstrap.flows.environment import check_required, fill_in, resolve
from bootstrap.flows.sessions import standing, times
from bootstrap.flows.sessions.consumers import Consumer
from bootstrap.flows.sessions.handing import Sessions, said
from bootstrap.flows.sessions.making import session_name
from bootstrap.flows.sessions.remarks import remarks
from bootstrap.flows.sessions.renewing import Renewing
from bootstrap.model.environment import Claim, Cloud, FromSecret, Variable
from bootstrap.model.errors import BootstrapError, NotConfiguredError, RemoteRefusedError
from bootstrap.model.grant import PURPOSES, Purpose
from bootstrap.model.secret import Secret
from bootstrap.system import aws
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS, policies
from tests.stand_ins.clouds import ROOT, USER
from tests.stand_ins.sts import PARTS, Known, Role, Sts, key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bootstrap.flows.environment import Lookup
    from bootstrap.model.project import Project

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
ACCOUNT = "123456789012"
ASSUMED = f"arn:aws:sts::{ACCOUNT}:assumed-role/Developer/somebody"
DEVELOPER = f"arn:aws:iam::{ACCOUNT}:role/team/Developer"
EVERYTHING = frozenset(
    {
        Sts.federate,
        *(
            f"logs:{name}"
            for name in ("CreateLogStream", "PutLogEvents", "FilterLogEvents", "DeleteLogGroup")
        ),
        *(f"xray:{name}" for name in ("PutTraceSegments", "GetSamplingRules", "DeleteGroup")),
    }
)


def project(
    principal: str | None = None, name: str = "shop", *, account: str | None = None, **more: Any
) -> Project:
    services = {"web": {"build": "web", "telemetry": ["xray", "cloudwatch"], **more}, "job": {"build": "job"}}
    tables: dict[str, Any] = {"project": {"name": name, "region": "eu-west-1"}, "services": services}
    provision = {"principal": principal, "account": account}
    return parse(tables | {"provision": {name: text for name, text in provision.items() if text}}, OPTIONS)


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as server:
        yield server


def key(sts: Sts, arn: str = USER, allowed: frozenset[str] = EVERYTHING) -> dict[str, str]:
    """Make a key known: a temporary one, where its owner has no other."""
    temporary = ":sts:" in arn
    values = dict(zip(PARTS, (key_id("ASIA" if temporary else "AKIA"), secret_key()), strict=False))
    if temporary:
        values[PARTS[2]] = session_token()
    known = Known(values[PARTS[1]], arn, values.get(PARTS[2]), allowed=allowed)
    sts.keys[values[PARTS[0]]] = known
    return values


def roles(sts: Sts, made: Project, principal: str, **more: Any) -> None:
    for purpose in PURPOSES:
        arn = f"arn:aws:iam::{ACCOUNT}:role/bootstrap/{policies.name(made, purpose)}"
        sts.roles[arn] = Role(principal, EVERYTHING, **more)


def among(values: Mapping[str, str]) -> Lookup:
    return lambda name: Secret(values[name], "test") if values.get(name) else None


def sessions(sts: Sts, made: Project, values: Mapping[str, str], **more: Any) -> Sessions:
    return Sessions(made, lambda: among(values), {"AWS_ENDPOINT_URL_STS": sts.url}, **more)


def given_for(handed: Sessions, purpose: Purpose | None) -> dict[str, str]:
    found = {part: handed(Claim(part, purpose)) for part in PARTS}
    return {part: secret.reveal() for part, secret in found.items() if secret is not None}


def allowed(sts: Sts, values: Mapping[str, str]) -> frozenset[str]:
    return sts.keys[values[PARTS[0]]].allowed


def test_each_purpose_has_a_session_of_its_own_that_may_do_that_alone(sts: Sts) -> None:
    handed = sessions(sts, project(), key(sts))
    found = {purpose: given_for(handed, purpose) for purpose in (*PURPOSES, *PURPOSES)}
    assert len(sts.sessions) == len(PURPOSES) == len({each[PARTS[0]] for each in found.values()})
    assert allowed(sts, found["logs"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert allowed(sts, found["daemon"]) == {"xray:PutTraceSegments", "xray:GetSamplingRules"}
    assert allowed(sts, found["verify"]) == {"logs:FilterLogEvents"}
    for asked, values in sts.sessions:
        assert asked["DurationSeconds"] == "43200"
        keys = aws.Keys(values[PARTS[0]], values[PARTS[1]], values[PARTS[2]])
        who = aws.identity(keys, "eu-west-1", {"AWS_ENDPOINT_URL_STS": sts.url})
        assert who.arn == f"arn:aws:sts::{ACCOUNT}:federated-user/{asked['Name']}"
    assert given_for(handed, None) == {}


def test_who_wants_the_key_itself_gets_it_for_everything(sts: Sts) -> None:
    values = key(sts)
    handed = sessions(sts, project(), values, raw=True)
    assert [given_for(handed, purpose) for purpose in (None, *PURPOSES)] == [values] * 4
    assert sts.sessions == []


@pytest.mark.parametrize("raw", [False, True])
def test_the_key_of_the_account_itself_is_given_to_nobody(sts: Sts, *, raw: bool) -> None:
    handed = sessions(sts, project(), key(sts, ROOT), raw=raw)
    with pytest.raises(NotConfiguredError, match="key of the account itself"):
        given_for(handed, "logs")
    assert sts.sessions == []


@pytest.mark.parametrize(("arn", "principal"), [(ASSUMED, DEVELOPER), (USER, USER)])
def test_a_principal_of_the_manifest_assumes_the_project_s_roles(sts: Sts, arn: str, principal: str) -> None:
    made = project(principal)
    roles(sts, made, principal.replace("/team", ""))
    values = given_for(sessions(sts, made, key(sts, arn)), "logs")
    (asked, given) = sts.sessions[0]
    assert given == values
    assert asked["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/bootstrap/shop-logs"
    assert json.loads(asked["Policy"]) == policies.policy(made, "logs")
    # AWS gives who has come by a role already no more than an hour.
    assert asked["DurationSeconds"] == ("3600" if arn == ASSUMED else "43200")


def test_a_shorter_limit_of_the_role_is_respected(sts: Sts) -> None:
    made = project(USER)
    roles(sts, made, USER, longest=3_600)
    given_for(sessions(sts, made, key(sts)), "logs")
    assert [asked["DurationSeconds"] for asked, _ in sts.sessions] == ["3600"]


@pytest.mark.slow
def test_a_role_that_was_just_made_is_waited_for(sts: Sts) -> None:
    made = project(USER)
    roles(sts, made, USER, settling=1)
    assert given_for(sessions(sts, made, key(sts)), "logs")


def test_another_user_than_the_principal_has_a_session_of_its_own_key(sts: Sts) -> None:
    given_for(sessions(sts, project(DEVELOPER), key(sts)), "logs")
    assert [asked["Action"] for asked, _ in sts.sessions] == ["GetFederationToken"]


@pytest.mark.parametrize(
    ("principal", "words", "hint"),
    [
        (None, "temporary AWS keys make no sessions", f"arn:aws:iam::{ACCOUNT}:role/Developer"),
        (USER, f"{ASSUMED}, and only {USER} may assume", "bootstrap provision apply"),
    ],
)
def test_temporary_keys_that_can_make_none_are_not_configured(
    sts: Sts, principal: str | None, words: str, hint: str
) -> None:
    with pytest.raises(NotConfiguredError, match=words) as caught:
        given_for(sessions(sts, project(principal), key(sts, ASSUMED)), "logs")
    assert hint in caught.value.hint


def test_a_key_of_another_account_than_the_manifest_s_makes_no_session(sts: Sts) -> None:
    """Its lines would be written there, where nobody of the project looks for them."""
    values = key(sts)
    with pytest.raises(NotConfiguredError, match=r"provision\.account says 111122223333"):
        given_for(sessions(sts, project(account="111122223333"), values), "logs")
    assert sts.sessions == []
    assert given_for(sessions(sts, project(account=ACCOUNT), values), "logs")


def test_the_principal_of_another_account_gets_a_session_in_the_manifest_s(sts: Sts) -> None:
    there = "111122223333"
    made = project(USER, account=there)
    sts.roles[f"arn:aws:iam::{there}:role/bootstrap/shop-logs"] = Role(USER, EVERYTHING)
    assert given_for(sessions(sts, made, key(sts)), "logs")


def test_a_key_that_aws_does_not_know_is_said_with_what_to_do(sts: Sts) -> None:
    values = key(sts)
    sts.keys.clear()
    with pytest.raises(aws.AwsRefusedError, match="InvalidClientTokenId") as caught:
        given_for(sessions(sts, project(), values), "logs")
    assert caught.value.hint == "bootstrap secrets check --online"
    assert said(caught.value).endswith(
        "token included in the request is invalid. bootstrap secrets check --online"
    )


def test_who_may_make_none_is_told_what_to_allow(sts: Sts) -> None:
    values = key(sts, allowed=frozenset())
    with pytest.raises(RemoteRefusedError, match=f"GetFederationToken: {USER} may make no session") as caught:
        given_for(sessions(sts, project(), values), "daemon")
    statement = json.loads(re.findall(r"\{.*\}", caught.value.hint)[0])
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:GetFederationToken",
        "Resource": f"arn:aws:sts::{ACCOUNT}:federated-user/shop-daemon",
    }


@pytest.mark.slow
def test_a_role_that_is_not_there_is_to_be_made(sts: Sts) -> None:
    with pytest.raises(RemoteRefusedError, match="role/bootstrap/shop-logs, or there is no") as caught:
        given_for(sessions(sts, project(USER), key(sts)), "logs")
    assert "bootstrap provision apply" in caught.value.hint
    assert '"Action": "sts:AssumeRole"' in caught.value.hint


def test_keys_that_have_ended_are_to_be_fetched_again(sts: Sts) -> None:
    values = key(sts, ASSUMED)
    known = sts.keys[values[PARTS[0]]]
    sts.keys[values[PARTS[0]]] = Known(known.secret, known.arn, known.token, expired=True)
    with pytest.raises(aws.AwsRefusedError, match="ExpiredToken") as caught:
        given_for(sessions(sts, project(DEVELOPER), values), "logs")
    assert "aws sso login" in caught.value.hint


def test_a_policy_that_aws_would_not_take_is_never_sent(sts: Sts) -> None:
    services = {f"s{number}": {"build": ".", "telemetry": ["cloudwatch"]} for number in range(2)}
    tables = {
        "project": {"name": "shop"},
        "services": services,
        "telemetry": {"cloudwatch": {"log_group": "g" * 512}},
    }
    handed = sessions(sts, parse(tables, OPTIONS), key(sts))
    assert len(sts.sessions) == 0
    for purpose in ("logs", "verify"):  # the longest name that a log group can have fits
        assert given_for(handed, purpose)
    assert all(len(asked["Policy"]) <= 2_048 for asked, _ in sts.sessions)


@given(
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}", fullmatch=True), purpose=st.sampled_from(PURPOSES)
)
def test_names_of_sessions_are_names_and_tell_projects_apart(name: str, purpose: Purpose) -> None:
    made = session_name(project(name=name), purpose)
    assert re.fullmatch(r"[\w+=,.@-]{2,32}", made, re.ASCII)
    assert purpose in made
    if len(name) > 40:
        other = session_name(project(name=f"{name[:-1]}{'a' if name[-1] != 'a' else 'b'}"), purpose)
        assert other != made


def test_a_half_of_a_key_makes_nothing(sts: Sts) -> None:
    for part in PARTS:
        values = key(sts, ASSUMED)
        values.pop(part, None)
        handed = sessions(sts, project(), values, fail=lambda *_: None)
        assert given_for(handed, "logs") == {}


def test_what_cannot_be_had_is_told_once_and_left_out(sts: Sts) -> None:
    told: list[tuple[Purpose, BootstrapError]] = []
    values = key(sts, allowed=frozenset())
    handed = sessions(sts, project(), values, fail=lambda *each: told.append(each))
    variables = resolve(
        project(), project().services["web"], view="host", routing={"cloudwatch": Cloud()}, url=str
    )
    names = {item.name for item in fill_in(variables, handed)}
    assert not names & {*PARTS, "CLOUDWATCH_LOG_GROUP"}
    assert [purpose for purpose, _ in told] == ["logs"]


def test_a_service_that_declares_the_key_is_told_what_it_gets(sts: Sts) -> None:
    made = project(secrets=list(PARTS[:2]))
    for raw, words in ((False, "those of a session that may only write"), (True, "The AWS key itself")):
        handed = sessions(sts, made, key(sts), raw=raw)
        (said,) = remarks(made, (), {"cloudwatch"}, handed)
        assert words in said
        assert "--raw-aws-keys" in said
    made = parse(
        {
            "project": {"name": "shop"},
            "services": {"job": {"build": "job", "secrets": {"MY_ID": PARTS[0]}}},
            "secrets": {PARTS[0]: {"required": True}},
        },
        OPTIONS,
    )
    values = key(sts)
    assert "gets none of them" in next(iter(remarks(made, (), set(), sessions(sts, made, values))))
    with pytest.raises(NotConfiguredError, match="needs AWS_ACCESS_KEY_ID"):
        check_required(made, made.services["job"], sessions(sts, made, values))
    raw_ones = sessions(sts, made, values, raw=True)
    check_required(made, made.services["job"], raw_ones)
    assert list(remarks(made, (), set(), sessions(sts, made, {}))) == []


class Watch:
    """Consumers of a run, and what it is told to exchange."""

    def __init__(self, handed: Sessions, state: State, **more: Any) -> None:
        web = tuple(Variable(part, FromSecret(part, purpose="logs"), "test") for part in PARTS)
        daemon = tuple(Variable(part, FromSecret(part, purpose="daemon"), "test") for part in PARTS)
        self.said: list[str] = []
        self.state = state
        self.consumers = (
            Consumer("web", web),
            Consumer("daemon", daemon),
            Consumer("collector", masking=lambda keys: {"MASK": json.dumps(list(keys))}),
            Consumer("job"),
        )
        self.renewing = Renewing(handed, self.consumers, state, self.said.append, **more)

    def until(self, there: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 30
        while not (found := there()):
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)
        return found

    def standing(self, purpose: Purpose) -> standing.Standing:
        return next(each for each in standing.recorded(self.state) if each.purpose == purpose)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, {"XDG_STATE_HOME": str(tmp_path / "state")})


def test_a_session_is_renewed_before_it_ends_for_those_who_have_it(sts: Sts, state: State) -> None:
    now = datetime.now(UTC)
    # The first for the daemon is over already, as after a night with the lid closed; all others last.
    sts.ends = {"daemon": [now - timedelta(hours=1)]}
    values = key(sts)
    watch = Watch(sessions(sts, project(), values), state)
    first = sts.sessions[0][1]
    values.update(rotated := key(sts))
    with watch.renewing as renewals:
        (renewal,) = watch.until(renewals)
    assert [asked["Name"] for asked, _ in sts.sessions] == ["shop-daemon", "shop-logs", "shop-daemon"]
    daemon, second = sts.sessions[0][1], sts.sessions[2][1]
    assert renewal.services.keys() == {"daemon", "collector"}
    assert renewal.services["daemon"] == second
    assert renewal.values == {f"{name}__DAEMON": value for name, value in second.items()} | {
        "MASK": renewal.services["collector"]["MASK"]
    }
    masked = set(json.loads(renewal.values["MASK"]))
    assert masked >= {*second.values(), *daemon.values(), *sts.sessions[1][1].values()}
    assert set(renewal.hidden) == masked
    assert "renewed, until " in renewal.why
    assert (watch.said, watch.standing("daemon").problem) == ([], "")
    assert first == daemon
    # It is made of the key as it is stored by then.
    last = [each for each in sts.requests if b"GetFederationToken" in each.body][-1]
    assert f"Credential={rotated[PARTS[0]]}/" in last.headers["Authorization"]


def test_what_fails_is_said_once_and_tried_again(sts: Sts, state: State) -> None:
    sts.ends = {"daemon": [datetime.now(UTC) - timedelta(seconds=1)]}
    values = key(sts)
    watch = Watch(sessions(sts, project(), values), state, retries=(0.0,))
    known = sts.keys.pop(values[PARTS[0]])
    with watch.renewing as renewals:
        watch.until(lambda: len(sts.requests) > 6)
        assert renewals() == []
        problem = watch.standing("daemon").problem
        assert "InvalidClientTokenId" in problem
        sts.keys[values[PARTS[0]]] = known
        watch.until(renewals)
    assert len(watch.said) == 1
    assert "The AWS session for 'daemon'" in watch.said[0]
    assert problem in watch.said[0]
    assert watch.standing("daemon").problem == ""
    assert not any(value in str(watch.said) for value in values.values())


def test_a_full_disk_and_a_closed_terminal_end_no_renewals(sts: Sts, state: State) -> None:
    sts.ends = {"daemon": [datetime.now(UTC) - timedelta(seconds=1)] * 2}
    values, folder = key(sts), state.directory
    watch = Watch(sessions(sts, project(), values), state)
    heard: list[str] = []

    def closed(line: str) -> None:
        heard.append(line)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    renewing = Renewing(sessions(sts, project(), values), watch.consumers, state, closed, retries=(0.0,))
    with renewing as renewals:
        known = sts.keys.pop(values[PARTS[0]])
        shutil.rmtree(folder)
        folder.write_text("no folder, so that nothing can be written there")
        watch.until(lambda: heard)
        sts.keys[values[PARTS[0]]] = known
        (renewal,) = watch.until(renewals)
    assert renewal.services.keys() == {"daemon", "collector"}


def test_raw_keys_are_never_renewed_and_their_holders_are_known(sts: Sts, state: State) -> None:
    watch = Watch(sessions(sts, project(), key(sts), raw=True), state)
    with watch.renewing as renewals:
        assert renewals() == []
    assert [(each.purpose, each.consumers, each.until) for each in standing.recorded(state)] == [
        ("daemon", ("daemon",), None),
        ("logs", ("web",), None),
    ]
    assert all("the key itself" in standing.words(each) for each in standing.recorded(state))


@given(since=st.floats(min_value=1e9, max_value=4e9), life=st.floats(min_value=-1e5, max_value=129_600))
def test_renewals_come_early_and_not_at_once(since: float, life: float) -> None:
    until = since + life
    due = times.renewal(since, until)
    assert due <= until
    assert until - due <= 3_601
    if life >= 900:
        assert since + life / 2 < due < until - 200
