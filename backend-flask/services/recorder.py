"""What a service asks of X-Ray, and the stand-in that does nothing while X-Ray is off."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Recorder(Protocol):
    """The part of the X-Ray SDK's recorder that services use. All of it is safe outside a request, too."""

    def in_subsegment(self, name: str) -> AbstractContextManager[object]:
        """Record the block as a subsegment of whatever is open, and close it whatever happens."""

    def put_annotation(self, key: str, value: str | float) -> None:
        """Add an indexed value to the open subsegment. `key`: ASCII letters, digits and underscores only."""

    def put_metadata(self, key: str, value: object, namespace: str) -> None:
        """Add any JSON value, not indexed, to the open subsegment."""


class _NoRecorder:
    def in_subsegment(self, name: str) -> AbstractContextManager[object]:  # noqa: ARG002 - the Protocol's name
        return nullcontext()

    def put_annotation(self, key: str, value: str | float) -> None:
        pass

    def put_metadata(self, key: str, value: object, namespace: str) -> None:
        pass


NO_RECORDER: Recorder = _NoRecorder()
