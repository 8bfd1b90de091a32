"""Names at their limits: what we would send is what AWS's model takes, or the manifest is refused before."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.config.errors import ManifestError
from bootstrap.config.manifest import parse
from bootstrap.flows import provision
from bootstrap.model.errors import NotConfiguredError, UsageError
from bootstrap.model.repository import Repository, of_remote
from bootstrap.provisioning.aws import tags
from bootstrap.provisioning.aws.provider import PATH, Aws
from bootstrap.provisioning.interface import Opening, Owner
from bootstrap.vendors import VENDORS, policies
from bootstrap.vendors.cloudwatch import log_group
from bootstrap.vendors.xray import group, sampling_rule

if TYPE_CHECKING:
    from bootstrap.model.project import Project

PRINCIPAL = "arn:aws:iam::123456789012:user/ann"


def project(
    name: str = "shop",
    otel: str | None = None,
    *,
    principal: str | None = None,
    region: str = "us-east-1",
    vendors: tuple[str, ...] = ("xray", "cloudwatch"),
    **telemetry: Any,
) -> Project:
    service = {"build": ".", "telemetry": list(vendors)} | ({"otel_service_name": otel} if otel else {})
    return parse(
        {
            "project": {"name": name, "region": region},
            "services": {"web": service},
            "telemetry": telemetry,
            "provision": {"principal": principal} if principal else {},
        },
        {vendor.name: vendor.options for vendor in VENDORS.values()},
    )


@functools.cache
def shape(service: str, operation: str) -> Any:
    return get_session().get_service_model(service).operation_model(operation).input_shape


def accepted(service: str, operation: str, **arguments: Any) -> None:
    report = ParamValidator().validate(arguments, shape(service, operation))
    assert not report.has_errors(), report.generate_report()


def check(made: Project) -> None:
    """Check it as every command does before it calls anybody."""
    for vendor in VENDORS.values():
        if made.reporting_to(vendor.name):
            vendor.check(made)


@given(
    st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"),
    st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"),
)
def test_names_are_accepted_or_refused_with_the_manifests_key(name: str, otel: str) -> None:
    made = project(name, otel)
    if "default" in (name.lower(), otel.lower()):
        with pytest.raises(ManifestError, match=r"project\.name|services\.web\.otel_service_name"):
            check(made)
        return
    check(made)
    marks = tags.of_owner(Owner(tags.text("github.com/acme/shop"), tags.maker(PRINCIPAL)), tags.text(name))
    accepted("xray", "CreateGroup", **group(made), Tags=tags.pairs(marks))
    rule = sampling_rule(made, made.services["web"])
    accepted("xray", "CreateSamplingRule", SamplingRule=rule, Tags=tags.pairs(marks))
    accepted("logs", "CreateLogGroup", logGroupName=log_group(made), tags=marks)
    for purpose in policies.purposes(made):
        role = {"RoleName": policies.name(made, purpose), "Path": PATH}
        accepted("iam", "CreateRole", **role, AssumeRolePolicyDocument="{}", Tags=tags.pairs(marks))


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (lambda: project("Default"), "project.name"),
        (lambda: project(xray={"group": "default"}), "telemetry.xray.group"),
        (lambda: project(otel="Default"), "services.web.otel_service_name"),
        (lambda: project(xray={"sampling": {"reservoir": 2**31}}), "telemetry.xray.sampling.reservoir"),
        (lambda: project(cloudwatch={"log_group": "aws/mine"}), "telemetry.cloudwatch.log_group"),
        (lambda: project(principal=PRINCIPAL, region="cn-north-1"), "provision.principal"),
        (lambda: project(principal=PRINCIPAL + "/"), "provision.principal"),
        (lambda: project(principal=PRINCIPAL + "n" * 62), "provision.principal"),
        (lambda: project(principal="arn:aws:iam::123456789012:role//x"), "provision.principal"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_any_call(made: Any, key: str) -> None:
    """The environment leads nowhere, so that a call would be another error."""
    opening = Opening(
        project=made(),
        repository=Repository("github.com/acme/shop", "acme/shop"),
        lookup=lambda _name: pytest.fail("somebody looks for keys"),
        environ={"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
    )
    with pytest.raises(ManifestError) as caught:
        provision.plan(opening)
    assert caught.value.key == key
    assert caught.value.hint


def test_what_has_no_remote_has_no_name_to_be_marked_with() -> None:
    opening = Opening(
        project=project(), repository=Repository("/tmp/shop"), lookup=lambda _name: None, environ={}
    )
    with pytest.raises(NotConfiguredError, match="it has none on a host") as caught:
        Aws(opening)
    assert caught.value.hint.startswith("git remote add origin URL. ")


def test_a_vendor_with_nothing_to_make_is_no_argument() -> None:
    opening = Opening(
        project=project(vendors=("xray", "rollbar")),
        repository=Repository("github.com/acme/shop", "acme/shop"),
        lookup=lambda _name: None,
        environ={},
    )
    for name in ("rollbar", "cloudwatch"):
        with pytest.raises(UsageError) as caught:
            provision.plan(opening, only=[name])
        assert "xray" in caught.value.hint


@given(st.text(max_size=300))
def test_any_text_can_be_a_tag(text: str) -> None:
    written = tags.text(text.encode(errors="replace").decode())
    assert len(written) <= 256
    assert all(letter.isascii() and (letter.isalnum() or letter in "_.:/=+-@") for letter in written)


@given(st.text(max_size=300), st.text(max_size=300))
def test_different_texts_are_different_tags(first: str, second: str) -> None:
    first, second = (text.encode(errors="replace").decode() for text in (first, second))
    assert (tags.text(first) == tags.text(second)) == (first == second)


def test_remotes_of_all_kinds_can_be_a_mark() -> None:
    for url in ("git@git.sr.ht:~ann/shop", "https://git.example:8443/Group/Sub Group/Ünï.git"):
        repository = of_remote(url, None)  # type: ignore[arg-type]  # no path is looked at
        accepted(
            "xray", "TagResource", ResourceARN="arn", Tags=tags.pairs({"a": tags.text(repository.identity)})
        )


def test_sessions_of_one_role_are_one_maker() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/Admin"
    assert tags.maker(f"{role}/ann@example.com") == tags.maker(f"{role}/bob") == role
    assert tags.maker(PRINCIPAL) == PRINCIPAL
    assert tags.maker("arn:aws:iam::123456789012:user/a,b") != tags.maker(
        "arn:aws:iam::123456789012:user/a.b"
    )
