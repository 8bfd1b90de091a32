"""How AWS says no."""

from __future__ import annotations

from typing import NoReturn


class Refusal(Exception):  # noqa: N818 - what AWS does, not what goes wrong here
    """An error that AWS answers with; `status` None stands for what the model says of `code`."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


#: how each service says the same
_CODES = {
    "invalid": {
        "xray": "InvalidRequestException",
        "logs": "InvalidParameterException",
        "iam": "ValidationError",
        "sts": "ValidationError",
    },
    "denied": {
        "xray": "AccessDeniedException",
        "logs": "AccessDeniedException",
        "iam": "AccessDenied",
        "sts": "AccessDenied",
    },
    "throttled": {
        "xray": "ThrottledException",
        "logs": "ThrottlingException",
        "iam": "Throttling",
        "sts": "Throttling",
    },
    "missing": {
        "xray": "ResourceNotFoundException",
        "logs": "ResourceNotFoundException",
        "iam": "NoSuchEntity",
        "sts": "AccessDenied",
    },
    "unknown key": {
        "xray": "UnrecognizedClientException",
        "logs": "UnrecognizedClientException",
        "iam": "InvalidClientTokenId",
        "sts": "InvalidClientTokenId",
    },
    "signature": {
        "xray": "InvalidSignatureException",
        "logs": "InvalidSignatureException",
        "iam": "SignatureDoesNotMatch",
        "sts": "SignatureDoesNotMatch",
    },
    "expired": {
        "xray": "ExpiredTokenException",
        "logs": "ExpiredTokenException",
        "iam": "ExpiredToken",
        "sts": "ExpiredToken",
    },
}
_STATUSES = {"denied": 403, "unknown key": 403, "signature": 403, "expired": 403, "throttled": 400}


def refusal(kind: str, service: str, message: str) -> Refusal:
    """Make the error that `service` calls `kind`."""
    status = _STATUSES.get(kind)
    if service == "logs" and status == 403:
        status = 400  # what the JSON protocol answers to everything that is the caller's fault
    if service == "xray" and kind == "throttled":
        status = 429
    return Refusal(_CODES[kind][service], message, status)


def invalid(service: str, message: str) -> NoReturn:
    """Refuse what was asked for."""
    raise refusal("invalid", service, message)
