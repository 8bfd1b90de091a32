"""What the parts of an AWS key say about themselves, and whose key AWS says it is."""

import json
import re
from collections.abc import Callable, Iterator, Mapping

from bootstrap.model.errors import BootstrapError
from bootstrap.model.remark import Mark, Remark
from bootstrap.system import aws, aws_telemetry
from bootstrap.vendors.interface import Values
from bootstrap.vendors.keys import remarks
from bootstrap.vendors.keys.remarks import fine, first_problem, note, problem, unknown

ID, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_ID = re.compile(r"(AKIA|ASIA)[A-Z2-7]{16}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9/+]{40}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_OTHER_IDS = {"AIDA": "a user", "AROA": "a role", "AGPA": "a group", "ANPA": "a policy", "AIPA": "a profile"}
_SET = "bootstrap secrets set"
_BOTH = f"{_SET} {ID} {SECRET}"
_TEMPORARY = f"Copy all three parts again, then: {_SET} {ID} {SECRET} {TOKEN}"


def inspect(values: Values) -> Iterator[Remark]:
    """Say what kind of key it is, and whether its parts belong together."""
    identifier, secret = values.get(ID, ""), values.get(SECRET, "")
    if _SECRET.fullmatch(identifier) and _ID.fullmatch(secret):
        yield problem(ID, f"is the secret, and {SECRET} is the id: they are swapped", _BOTH)
        yield problem(SECRET, f"is the id, and {ID} is the secret: they are swapped", _BOTH)
        return
    yield from _identifier(identifier, secret)
    yield from _secret(identifier, secret)
    yield from _token(identifier, values.get(TOKEN, ""))


def _identifier(identifier: str, secret: str) -> Iterator[Remark]:
    if identifier.endswith("EXAMPLE"):
        yield problem(ID, "is the example of AWS's documentation", f"{_SET} {ID}")
    elif identifier[:4] in _OTHER_IDS:
        yield problem(ID, f"is the id of {_OTHER_IDS[identifier[:4]]}, not of an access key", f"{_SET} {ID}")
    elif _SECRET.fullmatch(identifier):
        yield problem(
            ID, "is as long as the secret half of a key; an id starts with AKIA or ASIA", f"{_SET} {ID}"
        )
    elif secret and not identifier:
        yield problem(
            ID, f"is missing, and {SECRET} is set: one is nothing without the other", f"{_SET} {ID}"
        )
    elif _ID.fullmatch(identifier):
        kind = (
            "a temporary key" if identifier.startswith("ASIA") else "a key of a user, which does not expire"
        )
        yield fine(ID, f"is the id of {kind}")


def _secret(identifier: str, secret: str) -> Iterator[Remark]:
    if secret.endswith("EXAMPLEKEY"):
        yield problem(SECRET, "is the example of AWS's documentation", f"{_SET} {SECRET}")
    elif _COMMIT.fullmatch(secret):
        yield problem(SECRET, "is a commit of git: forty hexadecimal digits", f"{_SET} {SECRET}")
    elif _ID.fullmatch(secret):
        yield problem(SECRET, "is the id of a key, not its secret", f"{_SET} {SECRET}")
    elif identifier and not secret:
        yield problem(
            SECRET, f"is missing, and {ID} is set: one is nothing without the other", f"{_SET} {SECRET}"
        )
    elif _SECRET.fullmatch(secret):
        yield fine(SECRET, "looks like the secret of a key")


def _token(identifier: str, token: str) -> Iterator[Remark]:
    temporary = identifier.startswith("ASIA")
    if temporary and not token:
        yield problem(
            TOKEN, f"is missing: {ID} starts with ASIA, and such a key works only with it", _TEMPORARY
        )
    elif token and identifier.startswith("AKIA"):
        yield problem(
            TOKEN,
            f"belongs to a temporary key, and {ID} starts with AKIA: AWS refuses the two together",
            f"bootstrap secrets unset {TOKEN}",
        )
    elif not token:
        yield note(TOKEN, "is not set: only temporary keys have one")


def ask(region: str, values: Values, environ: Mapping[str, str]) -> Iterator[Remark]:
    """Ask STS whose key it is, with exactly this key."""
    keys = _keys(values)
    if keys is None:
        return
    try:
        yield _owner(aws.identity(keys, region, environ))
    except aws.AwsRefusedError as error:
        yield refusal(error, region, temporary=bool(keys.session_token))
    except BootstrapError as error:
        yield unknown(ID, error.message, error.hint)


def _keys(values: Values) -> aws.Keys | None:
    """The whole key, so that AWS can be asked about it; None where its parts do not belong together."""
    identifier, secret, token = (values.get(name, "") for name in (ID, SECRET, TOKEN))
    whole = _ID.fullmatch(identifier) and _SECRET.fullmatch(secret)
    if not whole or identifier.startswith("ASIA") != bool(token):
        return None
    return aws.Keys(identifier, secret, token or None)


def ready_for_xray(region: str, values: Values, environ: Mapping[str, str]) -> Remark:
    """Say whether X-Ray would take segments signed with the key.

    A daemon's policy allows it to ask for the sampling rules (AWSXRayDaemonWriteAccess does), and services
    are given none without: a key that may not is none for X-Ray.
    """

    def look(keys: aws.Keys, whose: str) -> Remark:
        try:
            aws_telemetry.ask_xray(keys, region, environ)
        except aws.AwsRefusedError as error:
            if error.code not in aws.DENIED:
                raise
            return note(ID, f"{whose}; its policy does not allow xray:GetSamplingRules", _XRAY_POLICY)
        return fine(ID, whose)

    return _ready(region, values, environ, look)


def ready_for_logs(
    group: str, resource: str, region: str, values: Values, environ: Mapping[str, str]
) -> Remark:
    """Say whether there is a log group, with the ARN `resource`, that takes lines signed with the key."""

    def look(keys: aws.Keys, whose: str) -> Remark:
        try:
            if aws_telemetry.has_log_group(group, keys, region, environ):
                return fine(ID, f"{whose}; the log group {group} is there")
        except aws.AwsRefusedError as error:
            if error.code not in aws.DENIED:
                raise
            return note(
                ID,
                f"{whose}; its policy does not allow logs:PutLogEvents in the log group {group}",
                f"Allow it, and logs:CreateLogStream: {_statement(resource)}",
            )
        text = f"{whose}; the log group {group} does not exist in {region}"
        return note(ID, text, "bootstrap provision apply cloudwatch")

    return _ready(region, values, environ, look)


def _ready(
    region: str, values: Values, environ: Mapping[str, str], look: Callable[[aws.Keys, str], Remark]
) -> Remark:
    """Ask whose key it is, and with the key of somebody who is not the account itself, `look` further."""
    keys = _keys(values)
    whose = next(ask(region, values, environ), None)
    if keys is None or whose is None:
        return remarks.ready((), first_problem(inspect(values), ID))
    if whose.mark in (Mark.OK, Mark.NOTE):  # NOTE: a policy denies the question, and the key is taken
        try:
            whose = look(keys, whose.text)
        except aws.AwsRefusedError as error:
            whose = refusal(error, region, temporary=bool(keys.session_token))
        except BootstrapError as error:
            whose = unknown(ID, error.message, error.hint)
    return remarks.ready((), whose)


def _owner(identity: aws.Identity) -> Remark:
    whose = f"account {identity.account}, {identity.arn}"
    if identity.is_root:
        return problem(
            ID,
            f"works, and is the key of the account itself, which may do everything ({whose})",
            "Delete it at IAM > My security credentials, and make a key for a user with a narrow policy.",
        )
    return fine(ID, f"works: {whose}")


def refusal(error: aws.AwsRefusedError, region: str, *, temporary: bool) -> Remark:
    """Name the cause behind each of STS's codes."""
    if error.clock:
        return problem(
            ID, f"this machine's clock is wrong, so that AWS refuses every call ({error.code})", _CLOCK
        )
    if error.code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return problem(ID, "has expired, as temporary keys do", _TEMPORARY)
    if error.code in ("SignatureDoesNotMatch", "InvalidSignatureException"):
        return problem(SECRET, f"does not belong to {ID}: AWS knows the id, and refuses the signature", _BOTH)
    if error.code in ("InvalidClientTokenId", "UnrecognizedClientException"):
        return _unknown_id(region, temporary=temporary)
    if error.code in aws.DENIED:
        return note(ID, "works, and may not ask whose it is: a policy denies sts:GetCallerIdentity")
    return unknown(ID, error.message, "Try again.")


def _unknown_id(region: str, *, temporary: bool) -> Remark:
    if temporary:
        return problem(ID, f"AWS knows no such id, or {TOKEN} is not the one that came with it", _TEMPORARY)
    return problem(
        ID,
        f"AWS knows no such id: it was deleted or deactivated, or the account does not use {region}",
        f"Look at IAM > Users > Security credentials, then: {_BOTH}",
    )


def _statement(resource: str) -> str:
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return json.dumps({"Effect": "Allow", "Action": actions, "Resource": resource})


_XRAY_POLICY = "Attach AWSXRayDaemonWriteAccess to it: IAM > Users > Permissions > Add permissions."
_CLOCK = "Set it right, for example: sudo timedatectl set-ntp true"
