"""Short-lived AWS keys that are allowed what a policy says and no more: AWS's Security Token Service.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html and API_AssumeRole.html.
"""

import time
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bootstrap.system.aws import DENIED, AwsRefusedError, Keys, client, translated

#: seconds that a session lasts at most where we ask for it: the usual life of a user's, all that a role of
#: ours allows, and what AWS allows who has come by a role already
LONGEST, CHAINED = 43_200, 3_600
#: characters of a policy, and of a session's name; fewer than two are none
POLICY_LIMIT, NAME_LIMIT = 2_048, 32
#: seconds between the tries to assume a role: one that was just made is unknown in places for some seconds
_SETTLING = (1.0, 2.0, 4.0)
#: how many seconds that may take
PATIENCE = sum(_SETTLING)


class Session(Struct, frozen=True):
    """Keys that AWS takes for a while."""

    keys: Keys
    #: when they were made, and when they end: seconds since the epoch
    since: float
    until: float
    #: as whom AWS knows them
    arn: str


def federate(keys: Keys, *, name: str, policy: str, region: str, environ: Mapping[str, str]) -> Session:
    """Make a session of a user's long-lived keys; what it may is what both they and `policy` (JSON) allow.

    Raises AwsRefusedError, AwsUnreachableError, or NotConfiguredError as aws.client does.
    """
    with translated("sts:GetFederationToken", keys):
        sts = client("sts", region=region, credentials=keys, environ=environ, attempts=2)
        answer = sts.get_federation_token(Name=name, Policy=policy, DurationSeconds=LONGEST)
        return _session(answer["Credentials"], answer["FederatedUser"]["Arn"])


def assume(
    keys: Keys,
    *,
    role: str,
    name: str,
    policy: str,
    seconds: int,
    region: str,
    environ: Mapping[str, str],
) -> Session:
    """Assume a role, and of what that allows keep no more than `policy` (JSON). Raises as `federate` does.

    A refusal is believed after some tries, and one of so many `seconds` leads to an hour.
    """
    with translated("sts:AssumeRole", keys):
        sts = client("sts", region=region, credentials=keys, environ=environ, attempts=2)
    pauses = list(_SETTLING)
    while True:
        try:
            with translated("sts:AssumeRole", keys):
                answer = sts.assume_role(
                    RoleArn=role, RoleSessionName=name, Policy=policy, DurationSeconds=seconds
                )
                return _session(answer["Credentials"], answer["AssumedRoleUser"]["Arn"])
        except AwsRefusedError as error:
            if error.code == "ValidationError" and "DurationSeconds" in error.message and seconds > CHAINED:
                seconds = CHAINED
            elif error.code in DENIED and pauses:
                time.sleep(pauses.pop(0))
            else:
                raise


def _session(given: Mapping[str, Any], arn: str) -> Session:
    keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return Session(keys, time.time(), given["Expiration"].timestamp(), arn)
