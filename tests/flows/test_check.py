"""`bootstrap secrets check`: what is missing, what paste has spoilt, and what the vendors say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config.manifest import parse
from bootstrap.flows.environment import secret_specs
from bootstrap.flows.secrets import slips
from bootstrap.flows.secrets.check import check
from bootstrap.model.remark import Mark, Remark
from bootstrap.model.secret import Secret
from bootstrap.vendors import VENDORS
from tests.stand_ins.honeycomb import Honeycomb, configuration_key, ingest_key
from tests.stand_ins.rollbar import Rollbar, token
from tests.stand_ins.sts import Known, Sts, key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conftest import Bootstrap, Repository

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
PROJECT = parse(
    {
        "project": {"name": "shop"},
        "services": {"web": {"build": ".", "telemetry": list(VENDORS)}},
        "secrets": {
            "DATABASE_URL": {"pattern": "^postgres://", "required": True},
            "PASSWORD": {},
        },
    },
    OPTIONS,
)
SPECS = secret_specs(PROJECT)
DATABASE = {"DATABASE_URL": "postgres://somebody@db/shop"}


def remarks(values: Mapping[str, str], online: Mapping[str, str] | None = None) -> list[Remark]:
    """Check PROJECT with these values set; none of them may be quoted."""
    held = {name: Secret(value, "a test") for name, value in values.items()}
    found = list(check(PROJECT, SPECS, held.get, online=online))
    for remark in found:
        words = f"{remark.text} {remark.hint}"
        assert not any(value in words for value in values.values() if len(value) > 5), remark
    return found


def about(name: str, values: Mapping[str, str]) -> Remark:
    (remark,) = (remark for remark in remarks(values) if remark.subject == name)
    return remark


def marks(found: list[Remark]) -> dict[str, Mark]:
    return {remark.subject: remark.mark for remark in found}


def test_nothing_set() -> None:
    found = remarks({})
    assert marks(found) == {
        **dict.fromkeys(SPECS, Mark.NOTE),
        "DATABASE_URL": Mark.PROBLEM,
    }
    words = {remark.subject: remark.text for remark in found}
    assert words["HONEYCOMB_API_KEY"] == "is not set: nothing is sent to Honeycomb"
    assert words["AWS_ACCESS_KEY_ID"] == "is not set: nothing is sent to X-Ray and CloudWatch Logs"
    assert words["AWS_SESSION_TOKEN"] == "is not set: only temporary keys have one"
    assert words["HONEYCOMB_CONFIGURATION_KEY"].startswith("is not set; it is for `bootstrap provision`")
    assert words["ROLLBAR_READ_TOKEN"].startswith("is not set; it is for `bootstrap verify`")
    assert words["PASSWORD"] == "is not set, and optional"
    hint = next(remark.hint for remark in found if remark.subject == "HONEYCOMB_API_KEY")
    assert hint.startswith("bootstrap secrets set HONEYCOMB_API_KEY  (https://")


def test_everything_right() -> None:
    found = remarks(
        {
            **DATABASE,
            "PASSWORD": "x7",
            "HONEYCOMB_API_KEY": ingest_key(),
            "HONEYCOMB_CONFIGURATION_KEY": configuration_key(),
            "ROLLBAR_ACCESS_TOKEN": token(),
            "ROLLBAR_READ_TOKEN": token(),
            "AWS_ACCESS_KEY_ID": key_id("ASIA"),
            "AWS_SECRET_ACCESS_KEY": secret_key(),
        }
        | {"AWS_SESSION_TOKEN": session_token()}
    )
    assert {remark.mark for remark in found if remark.subject != "AWS_SESSION_TOKEN"} == {Mark.OK}
    assert about("AWS_SESSION_TOKEN", {**DATABASE, "AWS_SESSION_TOKEN": session_token()}).text == "is set"


KEY = "hcxik_" + "a1" * 29


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (f'"{KEY}"', "stands in quotes"),
        (f"'{KEY}'", "stands in quotes"),
        (f"\u201c{KEY}\u201d", "stands in quotes"),
        (f"{KEY}'", "quote at one end"),
        (f" {KEY}", "blanks around it"),
        (f"{KEY}\t", "blanks around it"),
        (f"\ufeff{KEY}", "blanks around it"),
        (f"{KEY}\u00a0", "blanks around it"),
        (f"{KEY}\n", "line end"),
        (f"{KEY}\r\n", "line end"),
        (f"{KEY}\r", "line end"),
        (f"HONEYCOMB_API_KEY={KEY}", "begins with HONEYCOMB_API_KEY="),
        (f"HONEYCOMB_API_KEY = {KEY}", "begins with HONEYCOMB_API_KEY="),
        (f"HONEYCOMB_API_KEY: {KEY}", "begins with HONEYCOMB_API_KEY="),
        (f"export HONEYCOMB_API_KEY={KEY}", "begins with a command"),
        (f"set -x HONEYCOMB_API_KEY {KEY}", "begins with a command"),
        (f"gp env HONEYCOMB_API_KEY={KEY}", "begins with a command"),
        (f"= {KEY}", "equals sign"),
        (f"={KEY}", "equals sign"),
        ("your-key-here", "placeholder"),
        ("YOUR_API_KEY", "placeholder"),
        ("<paste it here>", "placeholder"),
        ("xxxxxxxx", "placeholder"),
        ("changeme", "placeholder"),
        ("...", "placeholder"),
        ("${HONEYCOMB_API_KEY}", "name of a variable"),
        ("$HONEYCOMB_API_KEY", "name of a variable"),
        (" \n", "nothing but blanks"),
        (f"{KEY}\x1b[D", "control characters"),
        (f"\x1b[200~{KEY}\x1b[201~", "control characters"),
        ("a b c", "does not look like what it has to be: An ingest key"),
        (KEY[:-1], "part of an ingest key"),
    ],
    ids=str,
)
def test_what_paste_does_to_a_key(value: str, words: str) -> None:
    remark = about("HONEYCOMB_API_KEY", {**DATABASE, "HONEYCOMB_API_KEY": value})
    assert remark.mark is Mark.PROBLEM
    assert words in remark.text
    assert "bootstrap secrets set HONEYCOMB_API_KEY" in remark.hint
    assert KEY not in f"{remark.text}{remark.hint}"


def test_a_value_of_ones_own_may_look_as_it_likes() -> None:
    for value in ("'quoted'", "changeme", " x ", "line\n", "=x", "x\x1b[D"):
        remark = about("PASSWORD", {**DATABASE, "PASSWORD": value})
        assert (remark.mark, remark.text.endswith("by its looks")) == (Mark.NOTE, True)
    for value in ("PASSWORD=abcdef", "export PASSWORD=abcdef", "   "):
        assert about("PASSWORD", {**DATABASE, "PASSWORD": value}).mark is Mark.PROBLEM
    for value in ("-----BEGIN KEY-----\nabc\n-----END KEY-----", '{\n  "a": 1\n}', "{}"):
        assert about("PASSWORD", {**DATABASE, "PASSWORD": value}).mark is Mark.OK


@pytest.mark.parametrize("value", ["-----BEGIN PRIVATE KEY-----", "-----BEGIN KEY-----\n", "{", " [ "])
def test_what_a_prompt_leaves_of_several_lines_is_told(value: str) -> None:
    remark = about("PASSWORD", {**DATABASE, "PASSWORD": value})
    assert remark.mark is Mark.PROBLEM
    assert remark.text.endswith(
        "of several lines: give all of it on stdin, bootstrap secrets set PASSWORD < FILE"
    )


def test_the_projects_own_pattern_decides() -> None:
    remark = about("DATABASE_URL", {"DATABASE_URL": "mysql://somebody@db"})
    assert remark.mark is Mark.PROBLEM
    assert remark.text == "does not match its pattern: ^postgres://"
    assert about("DATABASE_URL", {"DATABASE_URL": '"postgres://somebody@db"'}).text.startswith(
        "stands in quotes"
    )


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        ("^a", "a\n", True),
        ("^(a|ab)$", "ab\n", False),
        ("a", "xax", True),
        ("^$", "\n", False),
    ],
)
def test_the_end_of_a_pattern_is_the_end(pattern: str, value: str, *, fits: bool) -> None:
    assert slips.matches(pattern, value) == fits


names = st.sampled_from(sorted(SPECS))
shapes = [shape.pattern for vendor in VENDORS.values() for shape in vendor.tokens]
shapes += [spec.pattern for spec in SPECS.values() if spec.pattern]
looks = st.one_of(
    st.sampled_from(shapes).flatmap(st.from_regex),
    st.text(min_size=1),
    st.text(alphabet="=:\"' \t\nAhc_ik0$<>{}", min_size=1),
)


@given(values=st.dictionaries(names, looks), prefix=st.sampled_from(["", "export X=", '"', " ", "= "]))
def judged_and_not_quoted(values: dict[str, str], prefix: str) -> None:
    # Longer than any word of ours, so that it is found only where it was quoted.
    canary = "Zq7" * 5
    held = {name: f"{prefix}{value}{canary}" for name, value in values.items()}
    for given_ in (values, held):
        found = list(check(PROJECT, SPECS, {name: Secret(v, "t") for name, v in given_.items()}.get))
        assert {remark.subject for remark in found} == set(SPECS)
        assert not any(canary in f"{remark.text}{remark.hint}" for remark in found)


@pytest.mark.soak
def test_whatever_is_set_it_is_judged_and_never_quoted(soak: int) -> None:
    examples = 60 * soak if soak > 1 else 20
    settings(deadline=None, max_examples=examples)(judged_and_not_quoted)()


@pytest.fixture
def vendors() -> Iterator[tuple[Honeycomb, Rollbar, Sts]]:
    with Honeycomb() as honeycomb, Rollbar() as rollbar, Sts() as sts:
        yield honeycomb, rollbar, sts
    assert rollbar.items == []


def addresses(vendors: tuple[Honeycomb, Rollbar, Sts]) -> dict[str, str]:
    honeycomb, rollbar, sts = vendors
    return {
        "BOOTSTRAP_HONEYCOMB_ENDPOINT": honeycomb.url,
        "BOOTSTRAP_ROLLBAR_ENDPOINT": rollbar.url,
        "AWS_ENDPOINT_URL_STS": sts.url,
    }


def known(vendors: tuple[Honeycomb, Rollbar, Sts]) -> dict[str, str]:
    """Make a key with every vendor."""
    honeycomb, rollbar, sts = vendors
    values = {
        **DATABASE,
        "HONEYCOMB_API_KEY": honeycomb.add(ingest_key(), "createDatasets"),
        "ROLLBAR_ACCESS_TOKEN": rollbar.add(token(), "post_server_item"),
        "AWS_ACCESS_KEY_ID": key_id(),
        "AWS_SECRET_ACCESS_KEY": secret_key(),
    }
    arn = "arn:aws:iam::123456789012:user/somebody"
    sts.keys[values["AWS_ACCESS_KEY_ID"]] = Known(values["AWS_SECRET_ACCESS_KEY"], arn)
    return values


def works(remark: Remark) -> bool:
    return remark.text.startswith("works")


def test_online_every_vendor_is_asked_once(vendors: tuple[Honeycomb, Rollbar, Sts]) -> None:
    values = known(vendors)
    found = remarks(values, addresses(vendors))
    assert [remark.subject for remark in found if works(remark)] == [
        "HONEYCOMB_API_KEY",
        "AWS_ACCESS_KEY_ID",
        "ROLLBAR_ACCESS_TOKEN",
    ]
    assert [len(vendor.requests) for vendor in vendors] == [1, 1, 1]


def test_offline_nobody_is_asked(vendors: tuple[Honeycomb, Rollbar, Sts]) -> None:
    remarks(known(vendors))
    assert [vendor.requests for vendor in vendors] == [[], [], []]


def test_what_is_wrong_by_its_looks_is_sent_nowhere(vendors: tuple[Honeycomb, Rollbar, Sts]) -> None:
    spoilt = {name: f'"{value}"' for name, value in known(vendors).items()}
    remarks(spoilt, addresses(vendors))
    swapped = {"HONEYCOMB_API_KEY": secret_key(), "AWS_ACCESS_KEY_ID": ingest_key()}
    remarks(swapped, addresses(vendors))
    assert [vendor.requests for vendor in vendors] == [[], [], []]


def test_an_answer_that_quotes_a_key_is_masked(vendors: tuple[Honeycomb, Rollbar, Sts]) -> None:
    honeycomb = vendors[0]
    key = ingest_key()
    honeycomb.add(key, "createDatasets", environment=key)
    (said,) = (remark for remark in remarks({"HONEYCOMB_API_KEY": key}, addresses(vendors)) if works(remark))
    assert "environment [masked])" in said.text


def test_an_answer_of_any_length_is_a_remark_of_one(vendors: tuple[Honeycomb, Rollbar, Sts]) -> None:
    key = vendors[0].add(ingest_key(), "createDatasets", environment="e" * 100_000)
    (said,) = (remark for remark in remarks({"HONEYCOMB_API_KEY": key}, addresses(vendors)) if works(remark))
    assert len(said.text) <= 400


MANIFEST = """\
[project]
name = "shop"

[services.web]
build = "web"
telemetry = ["honeycomb", "xray", "rollbar"]
"""


@pytest.fixture
def shop(repository: Repository) -> Repository:
    repository.write("bootstrap.toml", MANIFEST)
    return repository


def test_the_command_line_when_all_is_well(
    shop: Repository, bootstrap: Bootstrap, vendors: tuple[Honeycomb, Rollbar, Sts]
) -> None:
    values = known(vendors)
    env = values | addresses(vendors)
    offline = bootstrap("secrets", "check", cwd=shop.root, env=env)
    offline.check(0, "ok       HONEYCOMB_API_KEY", "is an ingest key")
    online = bootstrap("secrets", "check", "--online", cwd=shop.root, env=env)
    online.check(0, "team acme-shops, environment production", "account 123456789012", "post_server_item")
    printed = offline.out + offline.err + online.out + online.err
    assert not any(value in printed for value in values.values())


def test_a_key_that_does_not_work_is_a_problem(
    shop: Repository, bootstrap: Bootstrap, vendors: tuple[Honeycomb, Rollbar, Sts]
) -> None:
    values = known(vendors) | {"HONEYCOMB_API_KEY": ingest_key()}
    done = bootstrap("secrets", "check", "--online", cwd=shop.root, env=values | addresses(vendors))
    done.check(5, "does not know this key", "1 problem found", "works: account")
    assert not any(value in done.out + done.err for value in values.values())


def test_a_vendor_that_does_not_answer_is_4_and_hides_nothing(
    shop: Repository, bootstrap: Bootstrap, vendors: tuple[Honeycomb, Rollbar, Sts]
) -> None:
    values = known(vendors)
    with Rollbar() as gone:
        pass
    env = values | addresses(vendors) | {"BOOTSTRAP_ROLLBAR_ENDPOINT": gone.url}
    done = bootstrap("secrets", "check", "--online", cwd=shop.root, env=env)
    done.check(4, "nobody could be asked about ROLLBAR_ACCESS_TOKEN", "works: account", "team acme-shops")
    wrong = env | {"HONEYCOMB_API_KEY": ingest_key()}
    bootstrap("secrets", "check", "--online", cwd=shop.root, env=wrong).check(
        5, "unknown  ROLLBAR_ACCESS_TOKEN"
    )


def test_as_json_it_is_one_document(
    shop: Repository, bootstrap: Bootstrap, vendors: tuple[Honeycomb, Rollbar, Sts]
) -> None:
    env = known(vendors) | addresses(vendors) | {"ROLLBAR_READ_TOKEN": "xxx"}
    done = bootstrap("secrets", "check", "--online", "--json", cwd=shop.root, env=env).check(5)
    document = json.loads(done.out)
    assert {entry["mark"] for entry in document} == {"ok", "note", "problem"}
    assert set(document[0]) == {"subject", "mark", "text", "hint"}
    (problem,) = (entry for entry in document if entry["mark"] == "problem")
    assert problem["subject"] == "ROLLBAR_READ_TOKEN"


def test_a_folder_does_not_choose_where_keys_go(
    shop: Repository, bootstrap: Bootstrap, vendors: tuple[Honeycomb, Rollbar, Sts]
) -> None:
    env = known(vendors) | addresses(vendors) | {"AWS_ENDPOINT_URL_STS": "https://sts.example.com"}
    done = bootstrap("secrets", "check", "--online", cwd=shop.root, env=env)
    done.check(4, "AWS_ENDPOINT_URL_STS does not lead to this machine", "unset AWS_ENDPOINT_URL_STS")
