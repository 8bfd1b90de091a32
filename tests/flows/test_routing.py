"""Where each vendor's telemetry goes: what was wished, chosen and answered, and what vendors say."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bootstrap.config.manifest import parse
from bootstrap.flows import routing
from bootstrap.flows.routing import Choices, Decision, Wishes, decide
from bootstrap.flows.sessions.handing import Sessions
from bootstrap.model.environment import Cloud, CollectorAddress, Local
from bootstrap.model.errors import BootstrapError, NotConfiguredError, RemoteRefusedError, UsageError
from bootstrap.model.repository import Repository
from bootstrap.model.secret import Secret
from bootstrap.system.state import State
from bootstrap.vendors import VENDORS
from tests.stand_ins.aws_telemetry import Logs
from tests.stand_ins.clouds import Clouds
from tests.stand_ins.server import Fixed, Request, Response, StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bootstrap.flows.environment import Lookup
    from bootstrap.model.project import Project
    from bootstrap.model.remark import Remark
    from bootstrap.vendors.interface import Vendor

OPTIONS: dict[str, type[Any]] = {name: vendor.options for name, vendor in VENDORS.items()}
SHOP = Repository("github.com/acme/shop", "acme/shop")
EVERY = tuple(VENDORS)


def project(*vendors: str) -> Project:
    services = {"web": {"build": "web", "telemetry": list(vendors or VENDORS)}, "job": {"build": "job"}}
    return parse({"project": {"name": "shop", "region": "eu-west-1"}, "services": services}, OPTIONS)


@pytest.fixture
def clouds() -> Iterator[Clouds]:
    with Clouds() as servers:
        yield servers


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, {"XDG_STATE_HOME": str(tmp_path / "state")})


class Desk:
    """One machine on which somebody runs a project, with what is asked there."""

    def __init__(self, state: State, clouds: Clouds, values: Mapping[str, str]) -> None:
        self.state = state
        self.repository = SHOP
        self.project = project()
        self.environ = {**clouds.environ, "PATH": ""}
        self.values = dict(values)
        self.answers: dict[str, bool] | None = None
        self.questions: list[str] = []
        self.view: Any = "container"

    @property
    def lookup(self) -> Lookup:
        return lambda name: Secret(self.values[name], "test") if self.values.get(name) else None

    @property
    def choices(self) -> Choices:
        return Choices(self.state, self.repository)

    def _agree(self, vendor: Vendor, found: Remark) -> bool:
        assert "works" in found.text
        self.questions.append(vendor.name)
        assert self.answers is not None
        return self.answers[vendor.name]

    def up(self, *, every: Any = "auto", patience: float = 30, **each: Any) -> dict[str, Decision]:
        """Decide, as a run with these wishes does."""
        decisions = decide(
            self.project,
            Sessions(self.project, lambda: self.lookup, self.environ),
            self.environ,
            choices=self.choices,
            view=self.view,
            wishes=Wishes(every, each),
            agree=None if self.answers is None else self._agree,
            patience=patience,
        )
        for decision in decisions:
            assert not any(value in decision.reason for value in self.values.values())
        return {decision.vendor: decision for decision in decisions}


def where(decisions: Mapping[str, Decision]) -> dict[str, str]:
    """Where they lead; while the collector does not receive a vendor's, what stays here is off."""
    return {
        name: "local" if decision.where == "off" and VENDORS[name].local is None else decision.where
        for name, decision in decisions.items()
    }


@pytest.fixture
def desk(state: State, clouds: Clouds) -> Desk:
    return Desk(state, clouds, clouds.every_key())


def test_the_first_run_needs_no_account_and_asks_nobody(desk: Desk, clouds: Clouds) -> None:
    desk.values, desk.answers = {}, {}
    found = desk.up()
    assert where(found) == dict.fromkeys(EVERY, "local")
    assert found["honeycomb"].reason == (
        "HONEYCOMB_API_KEY is not set: bootstrap secrets set HONEYCOMB_API_KEY"
    )
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set" in found["xray"].reason
    assert (clouds.asked, desk.questions, desk.choices.read()) == (0, [], {})


def test_ready_is_not_agreed(desk: Desk) -> None:
    found = desk.up()
    assert where(found) == dict.fromkeys(EVERY, "local")
    for name, decision in found.items():
        assert f"bootstrap up --telemetry {name}=cloud" in decision.reason
    assert desk.choices.read() == {}


def test_somebody_is_asked_once_for_each_vendor(desk: Desk) -> None:
    desk.answers = {"honeycomb": True, "xray": False, "cloudwatch": True, "rollbar": False}
    found = desk.up()
    answered = {"honeycomb": "cloud", "xray": "local", "cloudwatch": "cloud", "rollbar": "local"}
    assert where(found) == answered
    assert "--telemetry honeycomb=local" in found["honeycomb"].reason
    assert "--telemetry xray=cloud" in found["xray"].reason
    assert (desk.questions, desk.choices.read()) == (list(EVERY), answered)
    desk.answers = {}
    assert where(desk.up()) == answered
    desk.answers = None
    assert where(desk.up()) == answered


def test_an_answer_counts_although_the_next_question_is_interrupted(desk: Desk) -> None:
    desk.answers = {"honeycomb": True}
    with pytest.raises(KeyError):  # as Ctrl-C, from the same place
        desk.up()
    assert desk.choices.read() == {"honeycomb": "cloud"}


def test_what_is_local_is_asked_nothing(desk: Desk, clouds: Clouds) -> None:
    assert where(desk.up(every="local")) == dict.fromkeys(EVERY, "local")
    assert clouds.asked == 0
    desk.answers = {}
    assert where(desk.up()) == dict.fromkeys(EVERY, "local")  # it is remembered
    assert (clouds.asked, desk.questions) == (0, [])


def test_a_wish_for_the_cloud_is_an_agreement(desk: Desk) -> None:
    desk.answers = {"xray": False, "cloudwatch": False, "rollbar": False}
    assert where(desk.up(honeycomb="cloud"))["honeycomb"] == "cloud"
    assert desk.questions == ["xray", "cloudwatch", "rollbar"]
    assert where(desk.up())["honeycomb"] == "cloud"
    assert where(desk.up(every="cloud")) == dict.fromkeys(EVERY, "cloud")
    assert desk.choices.read() == dict.fromkeys(EVERY, "cloud")


def test_what_is_said_of_one_goes_before_what_is_said_of_all(desk: Desk) -> None:
    found = where(desk.up(every="cloud", rollbar="local"))
    assert found == {"honeycomb": "cloud", "xray": "cloud", "cloudwatch": "cloud", "rollbar": "local"}


def test_auto_for_one_forgets_and_auto_for_all_does_not(desk: Desk) -> None:
    desk.project = project("honeycomb", "rollbar")
    desk.up(every="cloud")
    assert where(desk.up(every="auto")) == {"honeycomb": "cloud", "rollbar": "cloud"}
    assert where(desk.up(honeycomb="auto")) == {"honeycomb": "local", "rollbar": "cloud"}
    assert desk.choices.read() == {"rollbar": "cloud"}


def test_another_repository_in_the_same_folder_has_nobodys_consent(desk: Desk) -> None:
    desk.project = project("honeycomb", "rollbar")
    desk.up(every="cloud")
    desk.repository = Repository("github.com/somebody/else", "somebody/else")
    assert where(desk.up()) == {"honeycomb": "local", "rollbar": "local"}
    desk.up(honeycomb="local")
    desk.repository = SHOP
    assert where(desk.up()) == {"honeycomb": "cloud", "rollbar": "cloud"}


@pytest.mark.parametrize(
    "written", [{"github.com/acme/shop": {"honeycomb": "everywhere"}}, {SHOP.identity: 1}]
)
def test_what_is_no_choice_is_none(desk: Desk, written: dict[str, Any]) -> None:
    desk.state.write("routing-choices", written)
    assert desk.choices.read() == {}


def test_what_was_agreed_and_is_not_ready_stays_here_and_says_why(desk: Desk, clouds: Clouds) -> None:
    desk.up(every="cloud")
    clouds.honeycomb._keys.clear()
    desk.values |= clouds.aws_key(Logs.action) | clouds.rollbar_token("post_client_item")
    found = desk.up()
    assert where(found) == {
        "honeycomb": "local",
        "xray": "local",
        "cloudwatch": "cloud",
        "rollbar": "local",
    }
    assert "does not know this key" in found["honeycomb"].reason
    assert "bootstrap secrets set HONEYCOMB_API_KEY" in found["honeycomb"].reason
    assert "xray:GetSamplingRules" in found["xray"].reason
    assert desk.choices.read() == dict.fromkeys(EVERY, "cloud")


def refused(desk: Desk, error: type[BootstrapError], words: str, **wishes: Any) -> BootstrapError:
    before = desk.choices.read()
    with pytest.raises(error, match=words) as caught:
        desk.up(**wishes)
    assert desk.choices.read() == before
    assert caught.value.hint
    return caught.value


def test_a_wish_is_never_silently_replaced(desk: Desk, clouds: Clouds) -> None:
    good = dict(desk.values)
    desk.values = {}
    error = refused(desk, NotConfiguredError, "Honeycomb cannot .* is not set", honeycomb="cloud")
    assert (error.exit_code, error.hint) == (3, "bootstrap secrets set HONEYCOMB_API_KEY")
    desk.values = {"HONEYCOMB_API_KEY": "your key here"}
    assert refused(desk, NotConfiguredError, "placeholder", honeycomb="cloud").exit_code == 3
    assert clouds.asked == 0
    desk.project = project("honeycomb", "rollbar")
    desk.values = {**good, **clouds.rollbar_token("read")}
    assert refused(desk, NotConfiguredError, "may read every item", every="cloud").exit_code == 3
    desk.values = {**good, **clouds.rollbar_token("write")}
    assert refused(desk, RemoteRefusedError, "Rollbar cannot", rollbar="cloud").exit_code == 4


def test_a_vendor_to_which_nobody_reports_is_left_out(desk: Desk) -> None:
    desk.project = project("honeycomb")
    assert list(desk.up(every="cloud")) == ["honeycomb"]
    assert desk.choices.read() == {"honeycomb": "cloud"}
    assert "X-Ray" in refused(desk, UsageError, "no service reports to", xray="local").message


class Patient(StandIn):
    """Answers nobody before it is told to."""

    def __init__(self, told: Callable[[], object]) -> None:
        super().__init__()
        self._told = told

    def answer(self, _request: Request) -> Response:
        self._told()
        return Response(500)


ENDPOINTS = ("BOOTSTRAP_HONEYCOMB_ENDPOINT", "BOOTSTRAP_ROLLBAR_ENDPOINT")


def test_who_does_not_answer_in_time_keeps_nobody_waiting(desk: Desk) -> None:
    desk.project = project("honeycomb", "rollbar")
    decided = threading.Event()
    with Patient(lambda: decided.wait(60)) as patient:
        desk.environ |= dict.fromkeys(ENDPOINTS, patient.url)
        found = desk.up(patience=0.2)
        decided.set()
    assert where(found) == {"honeycomb": "local", "rollbar": "local"}
    assert "no answer within" in found["honeycomb"].reason
    assert "again: bootstrap up" in found["honeycomb"].reason


def test_all_are_asked_at_the_same_time(desk: Desk) -> None:
    desk.project = project("honeycomb", "rollbar")
    together = threading.Barrier(2, timeout=60)
    with Patient(together.wait) as patient:
        desk.environ |= dict.fromkeys(ENDPOINTS, patient.url)
        found = desk.up()
    assert all("HTTP 500" in decision.reason for decision in found.values())


def test_nothing_ambient_is_ever_used(
    desk: Desk, clouds: Clouds, monkeypatch: pytest.MonkeyPatch, clean_environment: Path
) -> None:
    ambient = clouds.aws_key(arn="arn:aws:iam::123456789012:user/ambient")
    lines = "\n".join(f"{name.lower()} = {value}" for name, value in ambient.items())
    folder = clean_environment / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(f"[default]\n{lines}\n[work]\n{lines}\n", encoding="utf-8")
    desk.project, mine = project("xray", "cloudwatch"), desk.values["AWS_ACCESS_KEY_ID"]
    with Fixed(Response(500)) as machine:
        monkeypatch.setenv("AWS_PROFILE", "work")
        for name in ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            monkeypatch.setenv(name, machine.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL", machine.url)
        found = desk.up()
        assert all("somebody" not in decision.reason for decision in found.values())
        used = {request.headers["Authorization"].split("/")[0] for request in clouds.sts.requests}
        made = {values["AWS_ACCESS_KEY_ID"] for _, values in clouds.sts.sessions}
        assert used == {f"AWS4-HMAC-SHA256 Credential={each}" for each in made | {mine}}
        before, desk.values = clouds.asked, {}
        found = desk.up()
    assert where(found) == {"xray": "local", "cloudwatch": "local"}
    assert "are not set" in found["xray"].reason
    assert (clouds.asked, machine.requests) == (before, [])


def test_a_cloud_is_asked_with_what_its_consumers_will_have(desk: Desk, clouds: Clouds) -> None:
    desk.project = project("xray", "cloudwatch")
    found = desk.up(every="cloud")
    assert "federated-user/shop-daemon" in found["xray"].reason
    assert "federated-user/shop-logs" in found["cloudwatch"].reason
    own = desk.values["AWS_ACCESS_KEY_ID"]
    asked = [*clouds.xray.requests, *clouds.logs.requests]
    assert len(asked) == 2
    assert not [each for each in asked if own in each.headers["Authorization"]]


def test_what_a_session_may_not_is_found_before_a_run(desk: Desk, clouds: Clouds) -> None:
    desk.project = project("cloudwatch")
    # Its owner may do something else with logs; a session adds nothing to that.
    desk.values = clouds.aws_key("logs:FilterLogEvents")
    error = refused(desk, NotConfiguredError, "does not allow logs:PutLogEvents", cloudwatch="cloud")
    assert '"Action": ["logs:CreateLogStream", "logs:PutLogEvents"]' in error.hint
    desk.values = clouds.aws_key(temporary=True, arn="arn:aws:sts::123456789012:assumed-role/dev/me")
    error = refused(desk, NotConfiguredError, "temporary AWS keys make no sessions", cloudwatch="cloud")
    assert 'principal = "arn:aws:iam::123456789012:role/dev"' in error.hint
    desk.values = clouds.aws_key()
    known = clouds.sts.keys[desk.values["AWS_ACCESS_KEY_ID"]]
    clouds.sts.keys[desk.values["AWS_ACCESS_KEY_ID"]] = replace(known, allowed=frozenset())
    error = refused(desk, RemoteRefusedError, "sts:GetFederationToken", cloudwatch="cloud")
    assert '"Action": "sts:GetFederationToken"' in error.hint
    assert where(desk.up()) == {"cloudwatch": "local"}


def test_without_containers_x_ray_takes_its_daemon(desk: Desk, clouds: Clouds, tmp_path: Path) -> None:
    desk.project, desk.view = project("xray"), "host"
    error = refused(desk, NotConfiguredError, "no program 'xray' is on the PATH", xray="cloud")
    assert "https://docs.aws.amazon.com/xray" in error.hint
    assert where(desk.up()) == {"xray": "local"}
    assert clouds.asked == 0
    program = tmp_path / "xray"
    program.touch(0o755)
    desk.environ["PATH"] = str(tmp_path)
    assert where(desk.up(xray="cloud")) == {"xray": "cloud"}


COLLECTOR = CollectorAddress(otlp="http://127.0.0.1:4318", daemon="127.0.0.1:2000")
DECISIONS = [
    Decision("honeycomb", "Honeycomb", "cloud", ""),
    Decision("xray", "X-Ray", "local", ""),
    Decision("rollbar", "Rollbar", "off", ""),
]


def test_decisions_become_routes() -> None:
    assert routing.routes(DECISIONS, COLLECTOR, "127.0.0.1:2001") == {
        "honeycomb": Cloud("127.0.0.1:2001"),
        "xray": Local(COLLECTOR),
    }
    assert routing.routes(DECISIONS, None) == {"honeycomb": Cloud()}
    assert routing.staying(DECISIONS) == {"xray", "rollbar"}


def test_what_was_recorded_is_read_back(state: State) -> None:
    assert (routing.recorded(state), routing.current(state, COLLECTOR)) == ([], None)
    for daemon in ("127.0.0.1:2001", None):
        routing.record(state, DECISIONS, daemon)
        assert routing.recorded(state) == DECISIONS
        assert routing.current(state, COLLECTOR) == routing.routes(DECISIONS, COLLECTOR, daemon)
    assert routing.current(state, None) == {"honeycomb": Cloud()}
    state.write("routing", {"decisions": [{"vendor": 1}]})
    assert routing.recorded(state) == []


def test_a_run_that_is_over_decides_nothing(state: State) -> None:
    state.write("routing", {"decisions": msgspec.to_builtins(DECISIONS)})
    assert routing.recorded(state) == DECISIONS
    assert routing.current(state, COLLECTOR) is None
