"""SSM Parameter Store: encrypted parameters, ten a call where it takes several."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from msgspec import Struct

from bootstrap.system.aws import AwsRefusedError, Keys, Profile, client, translated

#: how many parameters one call reads, lists or removes at most
BATCH = 10
#: bytes of a standard parameter's value: https://docs.aws.amazon.com/general/latest/gr/ssm.html
LARGEST = 4096
#: characters of a parameter's ARN, and levels of its name: API_PutParameter
LONGEST_ARN = 1011
LEVELS = 15

_DENIED = "AccessDeniedException"
_NEW_KEYS = "Set new ones: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one"
_HINTS = {
    "ExpiredTokenException": f"The keys have expired. {_NEW_KEYS}",
    "UnrecognizedClientException": f"AWS does not know these keys. {_NEW_KEYS}",
    "InvalidSignatureException": f"The secret key does not belong to the key's id. {_NEW_KEYS}",
    "InvalidKeyId": "The KMS key that encrypts it is not there: set the secret again, or restore the key",
    "ThrottlingException": "Run the same command again in a minute: what is there is not written again",
    "TooManyUpdates": "Somebody else is changing it: run the same command again",
    "HierarchyTypeMismatchException": "It is there as another type: unset it, then set it again",
    "ParameterLimitExceeded": "This account has no room for more parameters in this region: remove some",
    "ParameterMaxVersionLimitExceeded": "Its oldest version has a label: remove that in the AWS console",
}
#: refusals that are about one parameter, and say nothing about the next one
_OF_ONE = {
    _DENIED,
    "HierarchyTypeMismatchException",
    "InvalidKeyId",
    "ParameterMaxVersionLimitExceeded",
    "TooManyUpdates",
    "ValidationException",
}


class Parameter(Struct, frozen=True):
    """What one parameter holds."""

    value: str
    encrypted: bool

    def __repr__(self) -> str:
        return f"Parameter(encrypted={self.encrypted})"


class Parameters:
    """The parameters below one path in one region.

    While AWS is busy a call is tried again, after growing pauses of random length. Methods raise
    AwsRefusedError, AwsUnreachableError or NotConfiguredError, which name the action and the parameter.
    """

    def __init__(
        self,
        root: str,
        *,
        region: str,
        credentials: Keys | Profile,
        environ: Mapping[str, str],
        attempts: int = 8,
    ) -> None:
        #: the path that all of them begin with
        self.root = root
        self._region = region
        self._credentials = credentials
        self._environ = environ
        self._attempts = attempts

    def read(self, names: Iterable[str]) -> dict[str, Parameter]:
        """Read parameters, decrypted; those that are not there are left out."""
        found = {}
        for batch in batches(names):
            with self._doing("GetParameters", *batch):
                answer = self._client.get_parameters(Names=list(batch), WithDecryption=True)
                for parameter in answer["Parameters"]:
                    encrypted = parameter["Type"] == "SecureString"
                    found[parameter["Name"]] = Parameter(parameter["Value"], encrypted)
        return found

    def write(self, name: str, value: str) -> None:
        """Create or replace one parameter, encrypted with the account's own key."""
        with self._doing("PutParameter", name):
            self._client.put_parameter(
                Name=name, Value=value, Type="SecureString", Tier="Standard", Overwrite=True
            )

    def remove(self, names: Iterable[str]) -> frozenset[str]:
        """Remove parameters, and return those that were there."""
        removed: set[str] = set()
        for batch in batches(names):
            with self._doing("DeleteParameters", *batch):
                removed.update(self._client.delete_parameters(Names=list(batch))["DeletedParameters"])
        return frozenset(removed)

    def listed(self) -> frozenset[str]:
        """List the full names of everything below the root; a page may be empty, and not be the last."""
        with self._doing("GetParametersByPath", self.root):
            pages = self._client.get_paginator("get_parameters_by_path").paginate(
                Path=self.root, Recursive=True, PaginationConfig={"PageSize": BATCH}
            )
            return frozenset(parameter["Name"] for page in pages for parameter in page["Parameters"])

    @cached_property
    def _client(self) -> Any:
        return client(
            "ssm",
            region=self._region,
            credentials=self._credentials,
            environ=self._environ,
            attempts=self._attempts,
            timeout=10,
        )

    @contextmanager
    def _doing(self, action: str, *names: str) -> Iterator[None]:
        """Say of AWS's errors what was asked, and what to do."""
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        doing = f"ssm:{action} {names[0]}{more}"
        try:
            with translated(doing, self._credentials):
                yield
        except AwsRefusedError as error:
            # AWS may quote the value that it does not like.
            quotes = action == "PutParameter" and error.code != _DENIED
            message = f"{doing}: AWS answered {error.code}" if quotes else error.message
            raise AwsRefusedError(
                message, self._hint(action, error), code=error.code, clock=error.clock
            ) from None

    def _hint(self, action: str, error: AwsRefusedError) -> str:
        if error.clock:
            return "This machine's clock is wrong: set it"
        if error.code == _DENIED:
            return f"Allow ssm:{action} on arn:aws:ssm:{self._region}:*:parameter{self.root}/*"
        return _HINTS.get(error.code, "Look it up: https://docs.aws.amazon.com/systems-manager/")


def of_one(error: Exception) -> bool:
    """Whether the error is about one parameter, so that the next one may work."""
    return isinstance(error, AwsRefusedError) and error.code in _OF_ONE


def batches(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Split into as few tuples as one call each may take, every name once."""
    unique = tuple(dict.fromkeys(names))
    for start in range(0, len(unique), BATCH):
        yield unique[start : start + BATCH]
