"""The parts of an AWS key: whether they belong together, and whose key STS says it is."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors.keys import aws
from bootstrap.vendors.keys.aws import ID, SECRET, TOKEN
from tests.stand_ins.server import Fixed, Response
from tests.stand_ins.sts import Known, Sts, key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER = "arn:aws:iam::123456789012:user/somebody"


def inspected(**values: str) -> dict[str, Remark]:
    given = {f"AWS_{name}": value for name, value in values.items()}
    remarks = list(aws.inspect(given))
    for remark in remarks:
        assert not any(value in f"{remark.text}{remark.hint}" for value in given.values())
    found = {remark.subject: remark for remark in remarks}
    assert len(found) == len(remarks)
    return found


def problems(found: Mapping[str, Remark]) -> dict[str, str]:
    return {name: remark.text for name, remark in found.items() if remark.mark is Mark.PROBLEM}


def test_a_key_of_a_user_needs_no_token() -> None:
    found = inspected(ACCESS_KEY_ID=key_id(), SECRET_ACCESS_KEY=secret_key())
    assert [remark.mark for remark in found.values()] == [Mark.OK, Mark.OK, Mark.NOTE]
    assert "does not expire" in found[ID].text


def test_a_temporary_key_needs_its_token() -> None:
    parts = {"ACCESS_KEY_ID": key_id("ASIA"), "SECRET_ACCESS_KEY": secret_key()}
    assert problems(inspected(**parts, SESSION_TOKEN=session_token())) == {}
    assert list(problems(inspected(**parts))) == [TOKEN]


def test_a_token_does_not_go_with_a_key_of_a_user() -> None:
    found = inspected(ACCESS_KEY_ID=key_id(), SECRET_ACCESS_KEY=secret_key(), SESSION_TOKEN=session_token())
    assert list(problems(found)) == [TOKEN]
    assert found[TOKEN].hint == "bootstrap secrets unset AWS_SESSION_TOKEN"


def test_swapped_parts_are_both_named() -> None:
    found = problems(inspected(ACCESS_KEY_ID=secret_key(), SECRET_ACCESS_KEY=key_id()))
    assert set(found) == {ID, SECRET}
    assert all("swapped" in text for text in found.values())


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        ({"SECRET_ACCESS_KEY": secrets.token_hex(20), "ACCESS_KEY_ID": key_id()}, SECRET, "commit of git"),
        ({"ACCESS_KEY_ID": key_id("AIDA"), "SECRET_ACCESS_KEY": secret_key()}, ID, "id of a user"),
        ({"ACCESS_KEY_ID": key_id("AROA"), "SECRET_ACCESS_KEY": secret_key()}, ID, "id of a role"),
        ({"ACCESS_KEY_ID": key_id()}, SECRET, "is missing"),
        ({"SECRET_ACCESS_KEY": secret_key()}, ID, "is missing"),
        ({"ACCESS_KEY_ID": secret_key(), "SECRET_ACCESS_KEY": secret_key()}, ID, "secret half"),
        ({"ACCESS_KEY_ID": key_id(), "SECRET_ACCESS_KEY": key_id()}, SECRET, "id of a key"),
        ({"ACCESS_KEY_ID": "AKIA" + "B" * 9 + "EXAMPLE", "SECRET_ACCESS_KEY": secret_key()}, ID, "example"),
        ({"ACCESS_KEY_ID": key_id(), "SECRET_ACCESS_KEY": "x" * 30 + "EXAMPLEKEY"}, SECRET, "example"),
    ],
)
def test_what_is_wrong_with_one_part(values: dict[str, str], name: str, words: str) -> None:
    found = problems(inspected(**values))
    assert list(found) == [name]
    assert words in found[name]


def test_nothing_set_is_nothing_wrong() -> None:
    assert [remark.mark for remark in inspected().values()] == [Mark.NOTE]


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as server:
        yield server


def made(sts: Sts, *, prefix: str = "AKIA", arn: str = USER, expired: bool = False) -> dict[str, str]:
    """Make a key that the stand-in knows."""
    values = {ID: key_id(prefix), SECRET: secret_key()}
    if prefix == "ASIA":
        values[TOKEN] = session_token()
    sts.keys[values[ID]] = Known(values[SECRET], arn, values.get(TOKEN), expired)
    return values


def asked(sts: Sts | Fixed, values: dict[str, str]) -> Remark:
    (remark,) = aws.ask("us-east-1", values, {"AWS_ENDPOINT_URL_STS": sts.url})
    assert not any(value in f"{remark.text}{remark.hint}" for value in values.values())
    return remark


@pytest.mark.parametrize("prefix", ["AKIA", "ASIA"])
def test_a_key_that_works_says_whose_it_is(sts: Sts, prefix: str) -> None:
    remark = asked(sts, made(sts, prefix=prefix))
    assert (remark.mark, remark.text) == (Mark.OK, f"works: account 123456789012, {USER}")


def test_the_accounts_own_key_is_a_danger(sts: Sts) -> None:
    remark = asked(sts, made(sts, arn="arn:aws:iam::123456789012:root"))
    assert remark.mark is Mark.PROBLEM
    assert "may do everything" in remark.text


def test_each_cause_is_named(sts: Sts) -> None:
    good = made(sts)
    remark = asked(sts, {**good, SECRET: secret_key()})
    assert (remark.subject, "does not belong to AWS_ACCESS_KEY_ID" in remark.text) == (SECRET, True)
    assert "no such id" in asked(sts, {ID: key_id(), SECRET: secret_key()}).text
    assert "has expired" in asked(sts, made(sts, prefix="ASIA", expired=True)).text
    temporary = made(sts, prefix="ASIA")
    assert "not the one that came with it" in asked(sts, {**temporary, TOKEN: session_token()}).text


def test_a_wrong_clock_is_named_before_the_key() -> None:
    with Sts(ahead=timedelta(hours=-2)) as sts:
        remark = asked(sts, made(sts))
    assert remark.mark is Mark.PROBLEM
    assert "clock" in remark.text


def test_a_policy_may_forbid_the_question() -> None:
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    with Fixed(Response(403, denied)) as server:
        assert asked(server, {ID: key_id(), SECRET: secret_key()}).mark is Mark.NOTE


def test_any_other_answer_is_no_verdict() -> None:
    body = b"<ErrorResponse><Error><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>"
    with Fixed(Response(400, body)) as server:
        remark = asked(server, {ID: key_id(), SECRET: secret_key()})
    assert remark.mark is Mark.UNKNOWN
    assert "Throttling" in remark.text


@pytest.mark.parametrize(
    "values",
    [
        {},
        {ID: key_id()},
        {ID: key_id("ASIA"), SECRET: secret_key()},
        {ID: key_id(), SECRET: secret_key(), TOKEN: session_token()},
        {ID: secret_key(), SECRET: key_id()},
        {ID: key_id(), SECRET: "two\nlines"},
    ],
)
def test_what_cannot_work_is_sent_nowhere(sts: Sts, values: dict[str, str]) -> None:
    assert list(aws.ask("us-east-1", values, {"AWS_ENDPOINT_URL_STS": sts.url})) == []
    assert sts.requests == []


def test_nobody_there_is_no_verdict() -> None:
    with Sts() as gone:
        values = made(gone)
    assert asked(gone, values).mark is Mark.UNKNOWN
