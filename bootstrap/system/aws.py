"""AWS clients from keys that were given or a profile that was named, never from what lies around."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

from msgspec import Struct

from bootstrap.model.errors import NotConfiguredError, RemoteRefusedError, UnreachableError
from bootstrap.model.masking import Mask
from bootstrap.system.endpoints import override

#: seconds for each try of a call
_TIMEOUT = 5.0
#: seconds that every service of AWS allows a signature's time to differ from its own
_SKEW = 300
#: how AWS refuses a signature, also one of another time
_SIGNATURE = frozenset(
    {"SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"}
)
#: how AWS refuses a key, or what is none, whatever it is used for
BAD_KEY = frozenset(
    {
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
#: how AWS says that a policy does not allow something
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
#: where botocore looks when a profile has no keys: the machine's own role is nobody's choice
_AMBIENT = ("ec2-credentials-file", "boto", "container-role", "iam-role")
#: what the SDKs call a service in AWS_ENDPOINT_URL_<SERVICE>, where boto3 has another name
_SDK_NAMES = {"logs": "CLOUDWATCH_LOGS"}
_PRINTABLE = re.compile("[!-~]+", re.ASCII)
#: what botocore would read to find a profile that nobody named to us
_UNSET = (None, None, None, None)


class Keys(Struct, frozen=True):
    """One AWS access key; neither part is ever shown."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "Keys(...)"


class Profile(Struct, frozen=True):
    """A profile of ~/.aws that somebody named for this purpose."""

    name: str


class AwsRefusedError(RemoteRefusedError):
    """AWS answered with an error.

    `code` is its name for it, `status` the HTTP status, `clock` whether our clock is to blame.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: str, clock: bool = False, status: int = 0
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.clock = clock
        self.status = status


class AwsUnreachableError(UnreachableError):
    """AWS did not answer, or something else did."""


class Identity(Struct, frozen=True):
    """Whose keys they are."""

    account: str
    arn: str

    @property
    def is_root(self) -> bool:
        """Whether they belong to the account itself, and may do everything."""
        return self.arn.endswith(":root")


def client(
    service: str,
    *,
    region: str,
    credentials: Keys | Profile,
    environ: Mapping[str, str],
    attempts: int = 3,
    timeout: float = _TIMEOUT,
    connections: int = 10,
) -> Any:
    """Make a client of one AWS service that tries each call up to `attempts` times, `timeout` seconds each.

    It keeps up to `connections` open.

    Its address is AWS's own, or a loopback one in AWS_ENDPOINT_URL_<SERVICE>. Raises NotConfiguredError where
    that leads elsewhere, or where the profile does not exist.
    """
    # Half a second to import, and few commands talk to AWS.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    endpoint = override(environ, f"AWS_ENDPOINT_URL_{_SDK_NAMES.get(service, service.upper())}")
    config = Config(
        region_name=region,
        connect_timeout=timeout,
        read_timeout=timeout,
        max_pool_connections=connections,
        retries={"mode": "standard", "total_max_attempts": attempts},
        ignore_configured_endpoint_urls=True,
        # A proxy is for what is not on this machine.
        proxies={} if endpoint else None,
    )
    try:
        session = boto3.Session(botocore_session=_session(credentials))
        return session.client(service, endpoint_url=endpoint, config=config, **_explicit(credentials))
    except BotoCoreError as error:
        raise NotConfiguredError(
            _profile_problem(credentials, error), "See: aws configure list-profiles"
        ) from None


def _session(credentials: Keys | Profile) -> Any:
    from botocore.session import Session  # noqa: PLC0415 - as boto3

    if isinstance(credentials, Keys):
        session = Session(session_vars={"profile": _UNSET, "data_path": _UNSET})
        session.set_config_variable("config_file", os.devnull)
        session.set_config_variable("credentials_file", os.devnull)
    else:
        session = Session(profile=credentials.name, session_vars={"data_path": _UNSET})
    session.register_component("data_loader", _loader())
    resolver = session.get_component("credential_provider")
    for provider in _AMBIENT:
        resolver.remove(provider)
    return session


@cache
def _loader() -> Any:
    """Keep the services' descriptions, which every client reads anew otherwise: a tenth of a second each."""
    from botocore.loaders import create_loader  # noqa: PLC0415 - as boto3

    return create_loader()


def _explicit(credentials: Keys | Profile) -> dict[str, str | None]:
    if isinstance(credentials, Profile):
        return {}
    parts = (credentials.access_key_id, credentials.secret_access_key, credentials.session_token or "-")
    if not all(_PRINTABLE.fullmatch(part) for part in parts):
        # What refuses such a header would quote it.
        raise NotConfiguredError("the AWS key holds characters that no key has", "bootstrap secrets check")
    return {
        "aws_access_key_id": credentials.access_key_id,
        "aws_secret_access_key": credentials.secret_access_key,
        "aws_session_token": credentials.session_token,
    }


def _profile_problem(credentials: Keys | Profile, error: Exception) -> str:
    if isinstance(credentials, Keys):
        return f"no AWS client can be made: {type(error).__name__}"
    return f"the AWS profile {credentials.name!r} cannot be used: {type(error).__name__}"


@contextmanager
def translated(doing: str, credentials: Keys | Profile) -> Iterator[None]:
    """Turn what botocore raises inside into AwsRefusedError or AwsUnreachableError about `doing`.

    NotConfiguredError means that nothing was sent: a profile without keys, say. No key is in their texts:
    AWS may answer with the canonical request, and that holds the session token.
    """
    from botocore import exceptions  # noqa: PLC0415 - as boto3
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as boto3

    try:
        yield
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        text = str(error.response.get("Error", {}).get("Message", "")).splitlines()
        words = _hidden(credentials)(text[0] if text else "")
        raise AwsRefusedError(
            f"{doing}: AWS answered {code}{': ' if words else ''}{words}",
            code=code,
            clock=code in _SIGNATURE and _clock_differs(error.response),
            status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
        ) from None
    except (exceptions.HTTPClientError, exceptions.ConnectionError, ResponseParserError, KeyError) as error:
        # KeyError: what answered is another document than AWS's, such as a hotel's page.
        raise AwsUnreachableError(
            f"{doing}: AWS cannot be reached ({type(error).__name__})",
            "Check the network, HTTPS_PROXY, and project.region.",
        ) from None
    except exceptions.BotoCoreError as error:
        raise NotConfiguredError(
            f"{doing}: AWS cannot be asked ({type(error).__name__})", _remedy(credentials)
        ) from None


def _remedy(credentials: Keys | Profile) -> str:
    if isinstance(credentials, Keys):
        return "bootstrap secrets check"
    return f"aws sts get-caller-identity --profile {credentials.name}"


def _hidden(credentials: Keys | Profile) -> Mask:
    if isinstance(credentials, Profile):
        return Mask(())
    return Mask(filter(None, (credentials.secret_access_key, credentials.session_token)))


def _clock_differs(response: Mapping[str, Any]) -> bool:
    """Compare AWS's clock with ours: what it calls a wrong signature is often only a wrong time."""
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return False
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return abs((datetime.now(UTC) - theirs).total_seconds()) > _SKEW


def identity(credentials: Keys | Profile, region: str, environ: Mapping[str, str]) -> Identity:
    """Ask AWS whose keys they are, which every key may: sts:GetCallerIdentity.

    Raises AwsRefusedError, AwsUnreachableError, or NotConfiguredError as `client` does.
    """
    with translated("sts:GetCallerIdentity", credentials):
        sts = client("sts", region=region, credentials=credentials, environ=environ, attempts=2)
        answer = sts.get_caller_identity()
        return Identity(account=answer["Account"], arn=answer["Arn"])


def keys_of(profile: Profile, region: str, environ: Mapping[str, str]) -> Keys:
    """Read the keys of a profile that somebody named: its own, or what its role or single sign-on gives now.

    Temporary ones are not renewed. Raises NotConfiguredError where it has none, AwsRefusedError and
    AwsUnreachableError where AWS gives none.
    """
    from botocore.config import Config  # noqa: PLC0415 - as boto3
    from botocore.exceptions import ProfileNotFound, SSOError  # noqa: PLC0415 - as boto3

    elsewhere = override(environ, "AWS_ENDPOINT_URL_STS")
    with translated(f"the AWS profile {profile.name!r}", profile):
        try:
            session = _session(profile)
            session.set_default_client_config(
                Config(
                    region_name=region,
                    connect_timeout=_TIMEOUT,
                    read_timeout=_TIMEOUT,
                    retries={"mode": "standard", "total_max_attempts": 2},
                    # A folder's variables must not choose whom the profile's own keys are shown to.
                    ignore_configured_endpoint_urls=elsewhere is None,
                )
            )
            found = session.get_credentials()
            parts = None if found is None else found.get_frozen_credentials()
        except ProfileNotFound as error:
            raise NotConfiguredError(
                _profile_problem(profile, error), "See: aws configure list-profiles"
            ) from None
        except SSOError:
            raise NotConfiguredError(
                f"the AWS profile {profile.name!r} is not signed in",
                f"aws sso login --profile {profile.name}",
            ) from None
        except EOFError:  # it wants a code of a device, and nobody is there to type one
            parts = None
    if parts is None or not parts.access_key or not parts.secret_key:
        raise NotConfiguredError(f"the AWS profile {profile.name!r} gives no keys", _remedy(profile))
    return Keys(parts.access_key, parts.secret_key, parts.token or None)
