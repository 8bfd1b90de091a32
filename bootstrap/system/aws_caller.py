"""Calls AWS patiently: what is busy is asked again, what a policy denies is said with what would allow it."""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from bootstrap.model.errors import BootstrapError, RemoteRefusedError, UnreachableError
from bootstrap.system.aws import (
    DENIED,
    AwsRefusedError,
    AwsUnreachableError,
    Keys,
    Profile,
    client,
    translated,
)

#: what AWS answers while it is busy, or while somebody else changes the same thing: botocore's own list
#: (botocore.retries.standard.ThrottledRetryableChecker), and what IAM and CloudWatch Logs say beside that
BUSY = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
        "TransactionInProgressException",
        "ConcurrentModification",
        "EntityTemporarilyUnmodifiable",
        "OperationAbortedException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ServiceFailure",
        "InternalFailure",
        "InternalError",
    }
)
#: how often a call is tried that nobody answers
_SILENT = 4
#: what to do about answers that say too little
_HINTS = {
    "ExpiredToken": "These keys are temporary, and have expired: take new ones.",
    "ExpiredTokenException": "These keys are temporary, and have expired: take new ones.",
    "RuleLimitExceededException": "Remove a sampling rule, or ask for more: AWS > Service Quotas > X-Ray.",
    "LimitExceeded": "Remove one, or ask for more: AWS > Service Quotas > IAM.",
    "LimitExceededException": "Remove one, or ask for more: AWS > Service Quotas.",
}
#: calls that are under way in the same moment
_AT_ONCE = 16
#: seconds that no pause is longer than
_LONGEST_PAUSE = 8.0
_SERVER_ERROR = 500
_LATER = "AWS is busy, or in trouble (https://health.aws.amazon.com/health/status): wait a while."
#: the member that leads to the next page of a service's answers, and the one that it is asked for with
_PAGES = {"xray": "NextToken", "logs": "nextToken", "iam": "Marker"}
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_NOT_ALLOWED = re.compile(r"perform: (?P<action>[a-z0-9-]+:[A-Za-z0-9]+)(?: on resource: (?P<resource>\S+))?")
_WHO = re.compile(r"User: (?P<arn>arn:\S+) is not authorized")
_chance = random.SystemRandom()


class AwsDeniedError(AwsRefusedError):
    """A policy does not allow it: `statements` are what would, as IAM's JSON has them."""

    def __init__(
        self, message: str, hint: str = "", *, code: str, statements: tuple[Mapping[str, Any], ...] = ()
    ) -> None:
        super().__init__(message, hint, code=code)
        self.statements = statements


class AwsBusyError(AwsRefusedError, UnreachableError):
    """AWS has said that it is busy until we gave up."""


class Caller:
    """Calls any operation in one region with one key; may be used by several threads at once.

    `attempts`: how often each call is tried, `timeout` seconds at most each time; the pause between two tries
    begins with about `pause` seconds, and doubles. `say` is told of each pause.
    """

    def __init__(
        self,
        *,
        region: str,
        credentials: Keys | Profile,
        environ: Mapping[str, str],
        attempts: int = 8,
        timeout: float = 10.0,
        pause: float = 0.25,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._region = region
        self._credentials = credentials
        self._environ = environ
        self._attempts = attempts
        self._timeout = timeout
        self._pause = pause
        self._say = say
        self._clients: dict[str, Any] = {}
        # Making a client is not for two threads at once, using one is:
        # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html
        self._making = threading.Lock()
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)

    def call(
        self, service: str, operation: str, /, *, again: Collection[str] = (), **arguments: Any
    ) -> dict[str, Any]:
        """Call an operation by its name in boto3, and return the answer.

        Codes in `again` are answers that pass, such as that something new is not known everywhere yet. Raises
        AwsDeniedError, AwsBusyError, AwsRefusedError, AwsUnreachableError, or NotConfiguredError where
        nothing can be sent.
        """
        silent = 0
        for attempt in range(1, self._attempts):
            try:
                return self._once(service, operation, arguments)
            except AwsRefusedError as error:
                if not _passes(error, again):
                    raise
                self._wait(attempt, error, self._attempts)
            except AwsUnreachableError as error:
                silent += 1
                if silent >= _SILENT:
                    raise
                self._wait(attempt, error, min(_SILENT, self._attempts))
        try:
            return self._once(service, operation, arguments)
        except AwsRefusedError as error:
            if _passes(error, ()):
                raise AwsBusyError(
                    f"{error.message} (tried {self._attempts} times)",
                    _LATER,
                    code=error.code,
                    status=error.status,
                ) from None
            raise

    def pages(
        self, service: str, operation: str, member: str, /, **arguments: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield what the list `member` has on each page of the answer, until the reader has enough.

        A page may be empty and not the last one.
        """
        for page in self.whole_pages(service, operation, **arguments):
            yield from page.get(member, ())

    def whole_pages(self, service: str, operation: str, /, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Yield each page of an answer that has several lists."""
        token = _PAGES[service]
        more: dict[str, Any] = {}
        while True:
            answer = self.call(service, operation, **arguments, **more)
            yield answer
            following = answer.get(token)
            if not following or following == more.get(token):
                return
            more = {token: following}

    def _once(self, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        used = self._client(service)
        action = f"{service}:{used.meta.method_to_api_mapping[operation]}"
        try:
            with self._at_once, translated(action, self._credentials):
                answer: dict[str, Any] = getattr(used, operation)(**arguments)
                return answer
        except AwsRefusedError as error:
            if error.code in DENIED:
                raise _denied(action, error) from None
            error.hint = error.hint or _HINTS.get(error.code, "")
            raise

    def _client(self, service: str) -> Any:
        with self._making:
            if service not in self._clients:
                self._clients[service] = client(
                    service,
                    region=self._region,
                    credentials=self._credentials,
                    environ=self._environ,
                    attempts=1,
                    timeout=self._timeout,
                    connections=_AT_ONCE,
                )
            return self._clients[service]

    def _wait(self, attempt: int, error: RemoteRefusedError, tries: int) -> None:
        seconds = min(_LONGEST_PAUSE, self._pause * 2 ** (attempt - 1)) * _chance.uniform(0.5, 1)
        self._say(f"{error.message}; trying again in {seconds:.1f} s ({attempt + 1} of {tries}) ...")
        time.sleep(seconds)


def _passes(error: AwsRefusedError, again: Collection[str]) -> bool:
    return error.code in BUSY or error.code in again or error.status >= _SERVER_ERROR


def _denied(action: str, error: AwsRefusedError) -> AwsDeniedError:
    """Name the action that AWS names, which may be another one: to create with tags takes two."""
    named = _NOT_ALLOWED.search(error.message)
    who = _WHO.search(error.message)
    missing = named["action"] if named else action
    resource = (named["resource"] if named else None) or "*"
    if "explicit deny" in error.message:
        hint = f"A policy denies it expressly, which no other can allow: ask who manages it for {missing}."
        return AwsDeniedError(f"{missing} is denied: {error.message}", hint, code=error.code)
    statement = {"Effect": "Allow", "Action": missing, "Resource": resource}
    return _unallowed([(missing, resource)], who["arn"] if who else "", [statement], error.code)


def _unallowed(
    missing: Sequence[tuple[str, str]], who: str, statements: Sequence[Mapping[str, Any]], code: str
) -> AwsDeniedError:
    actions = ", ".join(dict.fromkeys(action for action, _ in missing))
    resource = missing[0][1] if len(missing) == 1 else ""
    where = f" on {resource}" if resource and resource != "*" else ""
    text = json.dumps(statements[0] if len(statements) == 1 else list(statements))
    return AwsDeniedError(
        f"AWS does not allow {who or 'this key'} to do {actions}{where}",
        f"Add to its policy: {text}",
        code=code,
        statements=tuple(statements),
    )


def together(errors: Sequence[BootstrapError]) -> BootstrapError:
    """Make one error of several: of what policies deny, everything at once; else the first."""
    denied = [error for error in errors if isinstance(error, AwsDeniedError) and error.statements]
    others = [error for error in errors if error not in denied]
    if others or len(denied) < 2:  # noqa: PLR2004
        return (others or denied)[0]
    merged: dict[str, list[str]] = {}
    for statement in (one for error in denied for one in error.statements):
        actions = merged.setdefault(statement["Resource"], [])
        if statement["Action"] not in actions:
            actions.append(statement["Action"])
    statements = [
        {"Effect": "Allow", "Action": actions[0] if len(actions) == 1 else actions, "Resource": resource}
        for resource, actions in merged.items()
    ]
    missing = [(action, resource) for resource, actions in merged.items() for action in actions]
    who = _WHO_AFTER.search(denied[0].message)
    return _unallowed(missing, who["arn"] if who else "", statements, denied[0].code)


_WHO_AFTER = re.compile(r"allow (?P<arn>arn:\S+) to do")
