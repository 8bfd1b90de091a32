"""The SSM store: the contract with moto's Parameter Store, its calls, and everything that AWS refuses."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.model.errors import BootstrapError, NotConfiguredError, RemoteRefusedError
from bootstrap.model.repository import of_remote
from bootstrap.secrets.interface import Fate
from bootstrap.secrets.ssm import Store
from bootstrap.system.aws import Keys
from bootstrap.system.ssm import Parameters
from tests.secrets.contract import CANARY, FIVE, StoreContract, secret, told
from tests.secrets.parameter_store import Front, front, moto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bootstrap.secrets.interface import Outcome, Place
    from tests.secrets.conftest import MakePlace
    from tests.secrets.contract import Open

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE0000TESTS",
    "AWS_SECRET_ACCESS_KEY": "not/a/real/key/but/forty/characters/long",
}
MANY = {f"SECRET_{number}": secret(f"{CANARY}-{number}") for number in range(25)}


class Impatient(Store):
    """A store that gives up after the second try, so that tests do not wait for a minute."""

    attempts = 2


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture(scope="module")
def shared(backend: str) -> Iterator[Front]:
    with front(backend) as opened:
        yield opened


@pytest.fixture(scope="module")
def clients() -> dict[str, Store]:
    """Stores that are open already, by repository."""
    return {}


@pytest.fixture
def aws(shared: Front) -> Front:
    """Parameter Store, empty and willing."""
    shared.reset()
    return shared


@pytest.fixture
def surroundings(aws: Front) -> Mapping[str, str]:
    """The environment of somebody who uses the store."""
    return {**KEYS, "AWS_ENDPOINT_URL_SSM": aws.url}


@pytest.fixture
def here(place: MakePlace, surroundings: Mapping[str, str]) -> Callable[..., Place]:
    """Places where the store works."""

    def make(slug: str = "acme/shop", **changes: Any) -> Place:
        return place(slug, **{"environ": surroundings, **changes})

    return make


class TestSsm(StoreContract):
    """Parameter Store with the project's own keys."""

    store = "ssm"
    atomic = True  # five values are read and written before the first outcome is known
    examples = 3

    @pytest.fixture
    def environ(self, surroundings: Mapping[str, str]) -> Mapping[str, str]:
        return surroundings

    @pytest.fixture
    def opened(self, here: Callable[..., Place], clients: dict[str, Store]) -> Open:
        """Open it once in each repository: all that it keeps is its client, which takes time to make."""

        def open_(slug: str = "acme/shop") -> Store:
            if slug not in clients:
                clients[slug] = Store(here(slug))
            return clients[slug]

        return open_

    @pytest.fixture
    def sabotage(self, aws: Front) -> Callable[[], AbstractContextManager[object]]:
        @contextlib.contextmanager
        def break_() -> Iterator[None]:
            aws.broken["PutParameter"] = "InternalError"
            yield
            aws.broken.clear()

        return break_


def fates(outcomes: list[Outcome]) -> set[Fate]:
    return {outcome.fate for outcome in outcomes}


def test_many_secrets_cost_the_fewest_calls(aws: Front, here: Callable[..., Place]) -> None:
    assert fates(list(Store(here()).set_many(MANY))) == {Fate.STORED}
    assert aws.calls == {"GetParameters": 3 + 3, "PutParameter": 25}
    aws.calls.clear()
    assert fates(list(Store(here()).set_many(MANY))) == {Fate.UNCHANGED}
    assert aws.calls == {"GetParameters": 3}
    aws.calls.clear()
    changed = MANY | {"SECRET_7": secret("new"), "SECRET_17": secret("newer")}
    outcomes = list(Store(here()).set_many(changed))
    assert [one.name for one in outcomes if one.fate is Fate.STORED] == ["SECRET_7", "SECRET_17"]
    assert aws.calls == {"GetParameters": 3 + 1, "PutParameter": 2}
    aws.calls.clear()
    assert Store(here()).get_many(MANY) == changed
    assert aws.calls == {"GetParameters": 3}


def test_listing_reads_every_page_also_after_an_empty_one(aws: Front, here: Callable[..., Place]) -> None:
    list(Store(here()).set_many(MANY))
    aws.calls.clear()
    assert Store(here()).names() == frozenset(MANY)
    assert aws.calls == {"GetParametersByPath": 1 + 3}
    assert Store(here("acme/shop-2")).names() == frozenset()


def test_outcomes_come_while_it_works(aws: Front, here: Callable[..., Place]) -> None:
    first = next(iter(Store(here()).set_many(MANY)))
    assert first.fate is Fate.STORED
    assert aws.calls == {"GetParameters": 3 + 1, "PutParameter": 10}
    aws.calls.clear()
    again = list(Store(here()).set_many(MANY))
    assert [one.fate for one in again] == [Fate.UNCHANGED] * 10 + [Fate.STORED] * 15
    assert aws.calls == {"GetParameters": 3 + 2, "PutParameter": 15}


def parameters(aws: Front, root: str = "/bootstrap/acme/shop") -> Parameters:
    """Look at Parameter Store past the store."""
    keys = Keys(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    environ = {"AWS_ENDPOINT_URL_SSM": aws.url}
    return Parameters(root, region="eu-central-1", credentials=keys, environ=environ)


SERVICES = {"SHARED": ("api", "worker"), "OWN": ("api",)}


def test_each_service_has_its_own_copy(aws: Front, here: Callable[..., Place]) -> None:
    store = Store(here(services=SERVICES))
    list(store.set_many({"SHARED": secret("a"), "OWN": secret("b"), "NOBODY": secret("c")}))
    root = "/bootstrap/acme/shop"
    assert parameters(aws).listed() == {
        f"{root}/api/SHARED",
        f"{root}/worker/SHARED",
        f"{root}/api/OWN",
        f"{root}/_project/NOBODY",
    }
    assert all(one.encrypted for one in parameters(aws).read([f"{root}/api/OWN"]).values())
    assert store.names() == {"SHARED", "OWN", "NOBODY"}
    assert store.get("SHARED") == secret("a")
    list(store.delete_many(["SHARED"]))
    assert parameters(aws).listed() == {f"{root}/api/OWN", f"{root}/_project/NOBODY"}


def test_copies_that_disagree_are_told_and_can_be_mended(aws: Front, here: Callable[..., Place]) -> None:
    store = Store(here(services=SERVICES))
    store.set("SHARED", secret(CANARY))
    parameters(aws).write("/bootstrap/acme/shop/worker/SHARED", "another")
    with pytest.raises(BootstrapError) as failed:
        store.get("SHARED")
    assert "/bootstrap/acme/shop/api/SHARED" in failed.value.message
    assert "/bootstrap/acme/shop/worker/SHARED" in failed.value.message
    assert CANARY not in told(failed.value)
    aws.calls.clear()
    assert store.set("SHARED", secret(CANARY)) is Fate.STORED
    assert aws.calls == {"GetParameters": 2, "PutParameter": 1}
    assert store.get("SHARED") == secret(CANARY)


def test_a_copy_that_is_missing_is_made(aws: Front, here: Callable[..., Place]) -> None:
    Store(here(services={"SHARED": ("api",)})).set("SHARED", secret(CANARY))
    assert Store(here(services=SERVICES)).get("SHARED") == secret(CANARY)
    assert Store(here(services=SERVICES)).set("SHARED", secret(CANARY)) is Fate.STORED
    assert parameters(aws).read(["/bootstrap/acme/shop/worker/SHARED"])


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("git@github.com:Acme/Shop.git", "/bootstrap/acme/shop"),
        ("https://gitlab.com/acme/group/shop", "/bootstrap/gitlab.com/acme/group/shop"),
        ("ssh://git@git.example.com/acme/shop", "/bootstrap/git.example.com/acme/shop"),
    ],
)
def test_the_path_follows_from_the_remote(
    url: str, root: str, aws: Front, here: Callable[..., Place], tmp_path: Path
) -> None:
    Store(here(repository=of_remote(url, tmp_path))).set("KEY", secret("a"))
    assert parameters(aws, root).listed() == {f"{root}/_project/KEY"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/srv/git/shop.git", "it has none"),
        ("https://git.example.com/~tester/shop", "other characters"),
        ("https://git.example.com:8443/acme/shop", "other characters"),
        (f"https://gitlab.com/{'group/' * 13}shop", "more levels"),
    ],
)
def test_what_cannot_be_a_path_is_refused(
    url: str, words: str, here: Callable[..., Place], tmp_path: Path
) -> None:
    reason = Store(here(repository=of_remote(url, tmp_path))).unavailable()
    assert reason is not None
    assert words in reason


def test_a_path_may_have_fifteen_levels(here: Callable[..., Place], tmp_path: Path) -> None:
    deep = of_remote(f"https://gitlab.com/{'group/' * 10}shop", tmp_path)
    assert Store(here(repository=deep)).set("KEY", secret("a")) is Fate.STORED


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("KEY", "x" * 4097, "4096 bytes"),
        ("KEY", "é" * 2049, "4096 bytes"),
        ("KEY", "a{{ssm:other}}b", "refer to another parameter"),
        ("KEY", "", "empty"),
        ("K" * 1000, "a", "too long a name"),
        ("A/B", "a", "not the name of a variable"),
    ],
)
def test_what_aws_would_refuse_is_not_sent(
    name: str, value: str, words: str, aws: Front, here: Callable[..., Place]
) -> None:
    (outcome,) = Store(here()).set_many({name: secret(value)})
    assert outcome.fate is Fate.REFUSED
    assert outcome.error is not None
    assert words in outcome.error.message
    assert not aws.calls


def test_what_just_fits_is_kept(here: Callable[..., Place]) -> None:
    assert Store(here()).set("KEY", secret("é" * 2048)) is Fate.STORED


def test_while_aws_is_busy_it_is_asked_again(aws: Front, here: Callable[..., Place]) -> None:
    aws.plan("GetParameters", "ThrottlingException", "", "ThrottlingException")
    aws.plan("PutParameter", "", "", "ThrottlingException")
    assert fates(list(Store(here()).set_many(FIVE))) == {Fate.STORED}
    assert aws.calls == {"GetParameters": 2 + 2, "PutParameter": 5 + 1}


def test_what_stays_busy_is_told_for_each_name(aws: Front, here: Callable[..., Place]) -> None:
    aws.plan("PutParameter", *[""] * 12, *["ThrottlingException"] * 200)
    outcomes = list(Impatient(here()).set_many(MANY))
    assert [one.fate for one in outcomes] == [Fate.STORED] * 12 + [Fate.FAILED] * 13
    assert aws.calls["PutParameter"] == 12 + 2
    error = outcomes[-1].error
    assert isinstance(error, RemoteRefusedError)
    assert "ThrottlingException" in error.message
    assert "Run the same command again" in error.hint
    aws.plan("PutParameter")
    again = list(Store(here()).set_many(MANY))
    assert [one.fate for one in again] == [Fate.UNCHANGED] * 12 + [Fate.STORED] * 13


def test_reading_that_stays_busy_takes_nothing_back(aws: Front, here: Callable[..., Place]) -> None:
    list(Store(here()).set_many(dict(list(MANY.items())[:20])))
    aws.plan("GetParameters", "", *["ThrottlingException"] * 200)
    outcomes = list(Impatient(here()).set_many(MANY))
    assert [one.fate for one in outcomes] == [Fate.UNCHANGED] * 10 + [Fate.FAILED] * 15
    assert aws.calls["PutParameter"] == 20


def test_what_is_there_already_does_not_fail_with_the_rest(aws: Front, here: Callable[..., Place]) -> None:
    store = Store(here())
    store.set("NUMBER_4", FIVE["NUMBER_4"])
    aws.broken["PutParameter"] = "ExpiredTokenException"
    fates_of_five = [one.fate for one in store.set_many(FIVE)]
    assert fates_of_five == [Fate.FAILED] * 3 + [Fate.UNCHANGED, Fate.FAILED]
    assert aws.calls["PutParameter"] == 2


def test_what_cannot_be_read_back_is_not_called_done(aws: Front, here: Callable[..., Place]) -> None:
    aws.plan("GetParameters", "", "", "", "ExpiredTokenException")
    outcomes = list(Store(here()).set_many(MANY))
    assert fates(outcomes) == {Fate.FAILED}
    assert aws.calls == {"GetParameters": 3 + 1, "PutParameter": 10}


@pytest.mark.parametrize(
    ("action", "ask"),
    [
        ("GetParameters", lambda store: store.get("KEY")),
        ("PutParameter", lambda store: store.set("KEY", secret(CANARY))),
        ("GetParametersByPath", lambda store: store.names()),
        ("DeleteParameters", lambda store: next(store.delete_many(["KEY"])).error),
    ],
)
def test_a_missing_permission_is_named(
    action: str, ask: Callable[[Store], object], aws: Front, here: Callable[..., Place]
) -> None:
    aws.denied[action] = "/bootstrap"
    try:
        error = ask(Store(here()))
    except BootstrapError as raised:
        error = raised
    assert isinstance(error, RemoteRefusedError)
    assert error.exit_code == 4
    assert f"ssm:{action} /bootstrap/acme/shop" in error.message
    assert error.hint == f"Allow ssm:{action} on arn:aws:ssm:eu-central-1:*:parameter/bootstrap/acme/shop/*"
    assert CANARY not in told(error)


def test_what_is_denied_for_one_service_is_kept_for_the_other(aws: Front, here: Callable[..., Place]) -> None:
    aws.denied["PutParameter"] = "/bootstrap/acme/shop/api/"
    services = {"A": ("api",), "B": ("worker",), "C": ("api", "worker")}
    outcomes = list(Store(here(services=services)).set_many(dict.fromkeys("ABC", secret(CANARY))))
    assert [one.fate for one in outcomes] == [Fate.FAILED, Fate.STORED, Fate.FAILED]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredTokenException", "expired"),
        ("UnrecognizedClientException", "does not know these keys"),
        ("InvalidKeyId", "KMS key"),
        ("HierarchyTypeMismatchException", "another type"),
        ("ParameterLimitExceeded", "no room"),
        ("SomethingNew", "https://"),
    ],
)
def test_a_refusal_is_told_in_words_and_without_the_value(
    code: str, words: str, aws: Front, here: Callable[..., Place]
) -> None:
    aws.broken["PutParameter"] = code
    with pytest.raises(RemoteRefusedError) as failed:
        Store(here()).set("KEY", secret(f"line {CANARY}\nline"))
    assert code in failed.value.message
    assert words in failed.value.hint
    assert CANARY not in told(failed.value)


def test_what_aws_gives_back_otherwise_is_told(aws: Front, here: Callable[..., Place]) -> None:
    store = Store(here())
    aws.mangled = "bent"
    with pytest.raises(BootstrapError, match="gives back is not what was given") as failed:
        store.set("KEY", secret(CANARY))
    assert CANARY not in told(failed.value)


def test_aws_that_is_not_there_is_told(backend: str, place: MakePlace) -> None:
    with front(backend) as gone:
        environ = {**KEYS, "AWS_ENDPOINT_URL_SSM": gone.url}
    nowhere = place(environ=environ)
    outcomes = list(Impatient(nowhere).set_many(MANY))
    assert fates(outcomes) == {Fate.FAILED}
    assert outcomes[-1].error is not None
    assert "cannot be reached" in outcomes[-1].error.message
    with pytest.raises(RemoteRefusedError, match="cannot be reached"):
        Impatient(nowhere).names()


@pytest.fixture
def lying_around(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that somebody has for other things."""
    profile(clean_environment, "default")
    monkeypatch.setenv("AWS_PROFILE", "default")


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
@pytest.mark.usefixtures("lying_around")
def test_keys_that_lie_around_are_not_used(
    missing: str, aws: Front, here: Callable[..., Place], surroundings: Mapping[str, str]
) -> None:
    environ = {name: value for name, value in surroundings.items() if name != missing}
    store = Store(here(environ={**environ, "AWS_PROFILE": "default"}))
    reason = store.unavailable()
    assert reason is not None
    assert f"export {missing}" in reason
    with pytest.raises(NotConfiguredError, match=missing):
        store.get("KEY")
    assert not aws.calls


def test_temporary_keys_need_their_token(place: MakePlace, surroundings: Mapping[str, str]) -> None:
    temporary = {**surroundings, "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE0000TESTS"}
    reason = Store(place(environ=temporary)).unavailable()
    assert reason is not None
    assert "export AWS_SESSION_TOKEN" in reason
    whole = Store(place(environ={**temporary, "AWS_SESSION_TOKEN": "made-up"}))
    assert whole.unavailable() is None
    assert whole.set("KEY", secret(CANARY)) is Fate.STORED


def profile(home: Path, name: str) -> None:
    """Write a profile into somebody's home."""
    (home / ".aws").mkdir()
    text = f"[{name}]\naws_access_key_id = AKIAEXAMPLEOFAPROFIL\naws_secret_access_key = made-up\n"
    (home / ".aws" / "credentials").write_text(text, encoding="utf-8")


def test_a_profile_that_was_named_is_used(
    aws: Front, here: Callable[..., Place], clean_environment: Path
) -> None:
    profile(clean_environment, "shop")
    assert Store(here(profile="shop")).set("KEY", secret(CANARY)) is Fate.STORED
    assert aws.keys == {"AKIAEXAMPLEOFAPROFIL"}
    assert aws.regions == {"eu-central-1"}


def test_a_profile_that_is_not_there_is_told(here: Callable[..., Place]) -> None:
    with pytest.raises(NotConfiguredError, match="'shop' cannot be used"):
        Store(here(profile="shop")).get("KEY")


def test_keys_are_sent_to_no_other_machine(place: MakePlace) -> None:
    environ = {**KEYS, "AWS_ENDPOINT_URL_SSM": "https://ssm.example.com"}
    reason = Store(place(environ=environ)).unavailable()
    assert reason is not None
    assert "does not lead to this machine" in reason
    with pytest.raises(NotConfiguredError):
        Store(place(environ=environ)).get("KEY")
