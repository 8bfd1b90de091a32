"""The receiver of the CloudWatch Logs API: AWS's JSON 1.1 protocol, answered and refused as the service does.

An operation is POST / with its name in X-Amz-Target
(https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html); an error is 400 with `__type` and `message`.
Signatures are not looked at: whoever reaches the port may send. Masked values are masked in names, too, so a
group or stream is looked for by its masked name.
"""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bootstrap.collector.receiving.bodies import BodyError
from bootstrap.collector.receiving.logs_protocol import Answer, Desk, LogsError, invalid
from bootstrap.collector.receiving.logs_reading import Reading
from bootstrap.collector.receiving.logs_writing import Writing
from bootstrap.collector.reporting import Tally
from bootstrap.collector.storing.store import Store
from bootstrap.collector.storing.transactions import StoreFullError
from bootstrap.collector.storing.writer import Writer
from bootstrap.collector.telemetry.limits import TooMuchError

_MEDIA_TYPE = "application/x-amz-json-1.1"
_TARGET = "Logs_20140328."


class CloudWatchReceiver:
    """Takes log events into groups and streams that exist, and finds them for who knows the `token`."""

    def __init__(self, writer: Writer, tally: Tally, store: Store, token: str) -> None:
        self._tally = tally
        self._masker = writer.masker
        desk = Desk(writer, tally, store.evidence)
        self._operations = {**Writing(desk).operations(), **Reading(desk, token).operations()}

    def routes(self) -> list[Route]:
        """What the receiver answers to."""
        return [Route("/", self.call, methods=["POST"])]

    async def call(self, request: Request) -> Response:
        """Carry out one operation."""
        try:
            return _response(200, await self._carry_out(request))
        except LogsError as error:
            message = self._masker.text(str(error))
            return _response(error.status, {"__type": error.kind, "message": message})

    async def _carry_out(self, request: Request) -> Answer:
        target = request.headers.get("x-amz-target", "")
        operation = self._operations.get(target.removeprefix(_TARGET)) if target.startswith(_TARGET) else None
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if operation is None or media_type != _MEDIA_TYPE:
            self._tally.add("cloudwatch", "invalid")
            raise LogsError("UnknownOperationException", "The collector does not know this operation.")
        try:
            return await operation(request)
        except BodyError as error:
            busy = error.status == 503  # noqa: PLR2004 - HTTP's number for it
            kind = "ServiceUnavailableException" if busy else "InvalidParameterException"
            raise LogsError(kind, error.reason, error.status) from error
        except TooMuchError as error:
            raise invalid(str(error)) from error
        except StoreFullError as error:
            # Final: clients try again what is unavailable.
            raise LogsError("LimitExceededException", "The telemetry store is full.") from error
        except OSError as error:
            raise LogsError("ServiceUnavailableException", "It could not be stored.", 503) from error


def _response(status: int, content: Answer) -> Response:
    headers = {"Connection": "close"} if status >= 408 else {}  # noqa: PLR2004 - the body may not be read
    return Response(json.dumps(content), status, headers=headers, media_type=_MEDIA_TYPE)
