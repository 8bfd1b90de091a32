"""What IAM's policies and roles have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootstrap.provisioning.aws.provider import Aws, unless
from bootstrap.provisioning.interface import Resource
from bootstrap.system.aws import AwsRefusedError

ABSENT = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_MALFORMED = frozenset({"MalformedPolicyDocument", "MalformedPolicyDocumentException"})


class Entity(Resource):
    """What IAM knows by a name below a path."""

    provider = "aws"

    def __init__(self, aws: Aws, path: str, name: str, vendors: frozenset[str]) -> None:
        self.aws = aws
        self.path = path
        self.name = name
        self.vendors = vendors

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call IAM; what was made a moment ago may not be known everywhere yet."""
        return self.aws.caller.call("iam", operation, again=ABSENT, **arguments)

    def read(self, operation: str, **arguments: Any) -> Any:
        """Ask IAM; None where there is no such thing."""
        return unless(ABSENT, lambda: self.aws.caller.call("iam", operation, **arguments))

    def listed(self, operation: str, member: str, **arguments: Any) -> list[Any]:
        """Read all pages of a list; nothing where there is no such thing."""
        pages = self.aws.caller.pages("iam", operation, member, **arguments)
        return unless(ABSENT, lambda: list(pages)) or []


@contextmanager
def naming_the_principal() -> Iterator[None]:
    """Say which key of the manifest IAM complains about: it calls an ARN that is nobody's malformed."""
    try:
        yield
    except AwsRefusedError as error:
        if error.code in _MALFORMED:
            hint = "Does provision.principal in bootstrap.toml name a user or role that exists?"
            raise AwsRefusedError(error.message, hint, code=error.code, status=error.status) from None
        raise
