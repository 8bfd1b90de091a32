"""Makes sessions with the project's AWS key: each may do what one purpose needs, and nothing else."""

import hashlib
import json
import threading
from collections.abc import Mapping

from bootstrap.flows.sessions import RAW
from bootstrap.model.errors import BootstrapError, NotConfiguredError, RemoteRefusedError
from bootstrap.model.grant import Purpose
from bootstrap.model.project import Project
from bootstrap.system import aws, aws_sessions
from bootstrap.system.aws_sessions import CHAINED, LONGEST, NAME_LIMIT, POLICY_LIMIT, Session
from bootstrap.vendors import policies
from bootstrap.vendors.aws import partition

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_TOO_LONG = frozenset({"PackedPolicyTooLarge", "PackedPolicyTooLargeException", "MalformedPolicyDocument"})


class Maker:
    """Makes sessions of one key; threads may use it."""

    def __init__(self, project: Project, keys: aws.Keys, environ: Mapping[str, str]) -> None:
        self._project = project
        self._keys = keys
        self._environ = environ
        self._asking = threading.Lock()
        self._known: list[aws.Identity | None] = []

    def __repr__(self) -> str:
        return "Maker(...)"

    @property
    def patience(self) -> float:
        """How many seconds one session may take longer than a call, as a role that is new settles."""
        return aws_sessions.PATIENCE if self._project.provision.principal else 0.0

    def session(self, purpose: Purpose) -> Session:
        """Make a session for one purpose.

        Raises NotConfiguredError where this key can make none, with what to do about it; RemoteRefusedError
        or a subclass where AWS refuses or does not answer.
        """
        owner = self.owner()
        policy = self._policy(purpose)
        if self._assumes(owner):
            return self._assume(owner, purpose, policy)
        if self._keys.session_token is not None:
            raise NotConfiguredError(
                f"temporary AWS keys make no sessions by themselves ({_whose(owner)})",
                f'Set [provision] principal = "{_principal(owner)}" in bootstrap.toml, then type: bootstrap '
                f"provision apply; or hand out the keys themselves: {RAW}.",
            )
        self._check_account(owner)
        return self._federate(owner, purpose, policy)

    def owner(self) -> aws.Identity | None:
        """Whose key it is, asked once; None where a policy forbids the question.

        Raises NotConfiguredError for the account's own key, which is given to nobody, and as `session`.
        """
        with self._asking:
            if not self._known:
                self._known.append(self._ask())
            return self._known[0]

    def _ask(self) -> aws.Identity | None:
        try:
            owner = aws.identity(self._keys, self._project.region, self._environ)
        except aws.AwsRefusedError as error:
            if error.code in aws.DENIED:
                return None
            raise _worded(error) from None
        if owner.is_root:
            raise NotConfiguredError(
                f"the AWS key is the key of the account itself, which may do everything ({_whose(owner)})",
                "Delete it at IAM > My security credentials, and make a key for a user with a narrow policy.",
            )
        return owner

    def _check_account(self, owner: aws.Identity | None) -> None:
        """Refuse a key of another account than the manifest's: nothing of the project is there."""
        pinned = self._project.provision.account
        if pinned is not None and owner is not None and owner.account != pinned:
            raise NotConfiguredError(
                f"the AWS key belongs to account {owner.account}, and provision.account says {pinned}",
                "Take a key of that account, or a profile's: --profile NAME",
            )

    def _policy(self, purpose: Purpose) -> str:
        text = json.dumps(policies.policy(self._project, purpose), separators=(",", ":"))
        if len(text) > POLICY_LIMIT:
            raise _too_long(purpose)
        return text

    def _assumes(self, owner: aws.Identity | None) -> bool:
        """Whether the key is that of the principal for whom the project has roles."""
        principal = self._project.provision.principal
        if principal is None:
            return False
        if owner is None or _is(principal, owner):
            return True
        if self._keys.session_token is None:
            return False
        raise NotConfiguredError(
            f"the AWS keys are of {owner.arn}, and only {principal} may assume the project's roles",
            "Correct [provision] principal in bootstrap.toml, then type: bootstrap provision apply",
        )

    def _assume(self, owner: aws.Identity | None, purpose: Purpose, policy: str) -> Session:
        region, principal = self._project.region, self._project.provision.principal or ""
        account = self._project.provision.account or (owner.account if owner else principal.split(":")[4])
        name = policies.name(self._project, purpose)
        role = f"arn:{partition(region)}:iam::{account}:role{policies.PATH}{name}"
        chained = owner is None or ":assumed-role/" in owner.arn
        try:
            return aws_sessions.assume(
                self._keys,
                role=role,
                name=session_name(self._project, purpose),
                policy=policy,
                seconds=CHAINED if chained and self._keys.session_token else LONGEST,
                region=region,
                environ=self._environ,
            )
        except aws.AwsRefusedError as error:
            if error.code in aws.DENIED:
                raise RemoteRefusedError(
                    f"sts:AssumeRole: {_whose(owner)} may not assume {role}, or there is no such role",
                    "Make it as bootstrap.toml says: bootstrap provision apply. If that changes nothing, "
                    f"allow {principal}: {_statement('sts:AssumeRole', role)}",
                ) from None
            raise _worded(error, purpose) from None

    def _federate(self, owner: aws.Identity | None, purpose: Purpose, policy: str) -> Session:
        region, name = self._project.region, session_name(self._project, purpose)
        try:
            return aws_sessions.federate(
                self._keys, name=name, policy=policy, region=region, environ=self._environ
            )
        except aws.AwsRefusedError as error:
            if error.code in aws.DENIED:
                account = owner.account if owner else "*"
                resource = f"arn:{partition(region)}:sts::{account}:federated-user/{name}"
                raise RemoteRefusedError(
                    f"sts:GetFederationToken: {_whose(owner)} may make no session for {purpose!r}",
                    f"Allow it: {_statement('sts:GetFederationToken', resource)}; or hand out the key "
                    f"itself: {RAW}.",
                ) from None
            raise _worded(error, purpose) from None


def session_name(project: Project, purpose: Purpose) -> str:
    """What CloudTrail shows: the role's name, or the beginning of it and a hash where that is too long."""
    name = policies.name(project, purpose)
    if len(name) <= NAME_LIMIT:
        return name
    end = f"-{hashlib.sha256(name.encode()).hexdigest()[:6]}-{purpose}"
    return name[: NAME_LIMIT - len(end)] + end


def _is(principal: str, owner: aws.Identity) -> bool:
    """Whether a key is a principal's: a role's session is called after the role, without its path."""
    _, account, kind, name = _parts(owner.arn)
    _, wanted_account, wanted_kind, wanted_name = _parts(principal)
    if kind == "assumed-role":
        role = name.split("/")[0]
        return (account, "role", role) == (wanted_account, wanted_kind, wanted_name.rpartition("/")[2])
    return (account, kind, name) == (wanted_account, wanted_kind, wanted_name)


def _parts(arn: str) -> tuple[str, str, str, str]:
    """Partition, account, kind and name of a principal's ARN."""
    fields = arn.split(":", 5)
    if len(fields) < len(("arn", "partition", "service", "region", "account", "resource")):
        return "", "", "", arn
    kind, _, name = fields[5].partition("/")
    return fields[1], fields[4], kind, name


def _principal(owner: aws.Identity | None) -> str:
    """What a manifest would say of a key's owner; a role's path is not in a session's name."""
    if owner is None:
        return "arn:aws:iam::ACCOUNT:role/NAME"
    part, account, kind, name = _parts(owner.arn)
    if kind == "assumed-role":
        return f"arn:{part}:iam::{account}:role/{name.split('/')[0]}"
    return owner.arn


def _whose(owner: aws.Identity | None) -> str:
    return owner.arn if owner else "the owner of the AWS key"


def _statement(action: str, resource: str) -> str:
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})


def _too_long(purpose: Purpose) -> NotConfiguredError:
    return NotConfiguredError(
        f"the policy of a session for {purpose!r} is longer than AWS takes",
        "Shorten telemetry.cloudwatch.log_group in bootstrap.toml.",
    )


def _worded(error: aws.AwsRefusedError, purpose: Purpose | None = None) -> BootstrapError:
    """Say of a refusal what to do about it, where that is known."""
    if purpose is not None and error.code in _TOO_LONG:
        return _too_long(purpose)
    if error.code == "RegionDisabledException":
        return NotConfiguredError(
            error.message, "Activate the region: IAM > Account settings > STS; or change project.region."
        )
    if error.code in aws.BAD_KEY:
        return aws.AwsRefusedError(
            error.message, "bootstrap secrets check --online", code=error.code, clock=error.clock
        )
    if error.code in _EXPIRED:
        return aws.AwsRefusedError(
            error.message,
            "Sign in again (aws sso login), or store new keys: bootstrap secrets set AWS_ACCESS_KEY_ID "
            "AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
            code=error.code,
            clock=error.clock,
        )
    return error
