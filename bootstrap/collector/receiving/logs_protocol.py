"""What the operations of the CloudWatch Logs API have in common: names, errors, tokens, and their tools."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bootstrap.collector.asking.evidence import Evidence
from bootstrap.collector.receiving.bodies import MAX_BODY
from bootstrap.collector.receiving.intake import Intake
from bootstrap.collector.reporting import Tally
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry import lenient_json
from bootstrap.collector.telemetry.records import MAX_TIME_NS, LogGroup

MILLISECOND = 1_000_000
"""In nanoseconds."""

GroupName = Annotated[str, Meta(pattern=r"\A[.\-_/#A-Za-z0-9]{1,512}\Z")]
StreamName = Annotated[str, Meta(pattern=r"\A[^:*]{1,512}\Z")]
Prefix = Annotated[str, Meta(max_length=512)]
Milliseconds = Annotated[int, Meta(ge=0)]
PlaceNumber = Annotated[int, Meta(ge=0, le=MAX_TIME_NS)]

Answer = dict[str, Any]
Operation = Callable[[Request], Awaitable[Answer]]

_Asked = TypeVar("_Asked")


class LogsError(Exception):
    """The service refuses; `kind` is the name of its error."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


def invalid(message: str) -> LogsError:
    """A parameter that the service refuses."""
    return LogsError("InvalidParameterException", message)


class Desk:
    """What every operation works with: requests read, names masked, groups found."""

    def __init__(self, writer: Writer, tally: Tally, evidence: Evidence) -> None:
        self.writer = writer
        self.tally = tally
        self.evidence = evidence
        self._intake = Intake(2 * MAX_BODY)

    async def read(self, request: Request, kind: type[_Asked]) -> _Asked:
        """Read a request; LogsError, and what the intake raises."""
        return await self._intake.take(request, lambda body: self._decode(body, kind))

    def _decode(self, body: bytes, kind: type[_Asked]) -> _Asked:
        try:
            return lenient_json.decode(body, kind)
        except msgspec.ValidationError as error:
            self.tally.add("cloudwatch", "invalid")
            raise invalid(f"1 validation error detected: {error}") from error
        except msgspec.DecodeError as error:
            self.tally.add("cloudwatch", "invalid")
            raise LogsError("SerializationException", "The body is not JSON.") from error

    def masked(self, name: str) -> str:
        """A name as it is stored."""
        return self.writer.masker.text(name)

    async def named(self, name: str | None, identifier: str | None) -> LogGroup:
        """The group that a name or an ARN names; LogsError."""
        if (name is None) == (identifier is None):
            raise invalid("Exactly one of logGroupName and logGroupIdentifier is wanted.")
        return await self.group(name or (identifier or "").rpartition(":log-group:")[2])

    async def group(self, name: str) -> LogGroup:
        """The group of a name; LogsError where there is none."""
        group = await run_in_threadpool(self.evidence.group, self.masked(name))
        if group is None:
            raise LogsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    async def has_stream(self, group: str, name: str) -> bool:
        """Whether a group has such a stream; its name is masked already."""
        return await run_in_threadpool(self.evidence.has_stream, group, name)


def no_such_stream() -> LogsError:
    """What is said of a stream that is not there."""
    return LogsError("ResourceNotFoundException", "The specified log stream does not exist.")


def token(place: object) -> str:
    """A nextToken, which says to clients nothing."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def from_token(given: str | None, kind: type[_Asked]) -> _Asked | None:
    """What a nextToken says; LogsError for one that nobody was given."""
    if given is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(given), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise bad_token() from error


def bad_token() -> LogsError:
    """What is said of a token that nobody was given."""
    return invalid("The specified nextToken is invalid.")
