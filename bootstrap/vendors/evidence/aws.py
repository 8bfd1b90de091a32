"""What reading from AWS takes, and the cause behind each of its refusals."""

from collections.abc import Mapping

from bootstrap.model.errors import BootstrapError
from bootstrap.system.aws import DENIED, AwsRefusedError, AwsUnreachableError, Keys
from bootstrap.vendors.keys.aws import ID, SECRET, TOKEN
from bootstrap.verification.interface import Arrival, Reading, waiting

_BOTH = f"bootstrap secrets set {ID} {SECRET}"
_CLOCK = "Set it right, for example: sudo timedatectl set-ntp true"
_BUSY = frozenset(
    {
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNSIGNED = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException"})
_UNKNOWN = frozenset({"InvalidClientTokenId", "UnrecognizedClientException"})
#: what AWS calls a signature for another region than its own
_SCOPE = "scoped to"


def keys(values: Mapping[str, str]) -> Keys | None:
    """The project's own key, if it is set."""
    identifier, secret = values.get(ID, ""), values.get(SECRET, "")
    return Keys(identifier, secret, values.get(TOKEN) or None) if identifier and secret else None


def without_keys() -> Reading:
    """Say that nobody can ask."""
    return Reading(
        Arrival.MISSING, f"{ID} is not set here: AWS takes nothing, and shows nothing, without", hint=_BOTH
    )


def without_session(error: BootstrapError, region: str) -> Reading:
    """Say that there is no session to ask with; whether anything has arrived is another question."""
    if isinstance(error, AwsRefusedError | AwsUnreachableError):
        return refused(error, region, "")
    return Reading(
        Arrival.ACCEPTED, f"there is no key to read it back with: {error.message}", hint=error.hint
    )


def refused(error: BootstrapError, region: str, link: str) -> Reading:
    """Name the cause behind a refusal; a busy or silent AWS is asked again."""
    if not isinstance(error, AwsRefusedError) or error.code in _BUSY:
        return waiting(error.message, error.hint or "Run bootstrap verify again in a minute.", link)
    if error.code in DENIED:
        action = error.message.partition(": ")[0]
        text = f"AWS takes this key, and does not let it read: {action} is denied"
        return Reading(Arrival.ACCEPTED, text, link, error.hint)
    cause, hint = _cause(error, region)
    if not cause:
        return waiting(error.message, error.hint, link)
    return Reading(Arrival.MISSING, cause, link, hint)


def _cause(error: AwsRefusedError, region: str) -> tuple[str, str]:
    """What is wrong with the key or this machine, and what to type; nothing where it is something else."""
    if error.clock:
        return f"this machine's clock is wrong, so that AWS refuses every call ({error.code})", _CLOCK
    if error.code in _EXPIRED:
        return f"{ID} has expired, as temporary keys do", f"{_BOTH} {TOKEN}"
    if error.code in _UNSIGNED and _SCOPE in error.message:
        return f"what answers is in another region than {region}", "Correct project.region in bootstrap.toml."
    if error.code in _UNSIGNED:
        return f"{SECRET} does not belong to {ID}: AWS refuses the signature", _BOTH
    if error.code in _UNKNOWN:
        return f"AWS does not know {ID}: it was deleted, or its account does not use {region}", _BOTH
    return "", ""


def console(region: str) -> str:
    """The console of a region's partition."""
    domain = {"cn": "amazonaws.cn", "us-gov": "amazonaws-us-gov.com"}
    partition = next((name for name in domain if region.startswith(f"{name}-")), "")
    return (
        f"https://{region}.console.{domain.get(partition, 'aws.amazon.com')}/cloudwatch/home?region={region}"
    )
