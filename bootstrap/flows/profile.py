"""The keys of an AWS profile that somebody named, instead of the project's own, for one run."""

from collections.abc import Mapping

from bootstrap.flows.environment import Lookup
from bootstrap.model.errors import NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.system import aws


def with_profile(lookup: Lookup, name: str, region: str, environ: Mapping[str, str]) -> Lookup:
    """Look up AWS keys in the profile, all parts or none, and everything else as before.

    AWS is asked whose they are: the account's own may do everything, and no service is given them. Raises
    NotConfiguredError, or what aws.keys_of and aws.identity raise.
    """
    keys = aws.keys_of(aws.Profile(name), region, environ)
    if _is_root(keys, region, environ):
        raise NotConfiguredError(
            f"the AWS profile {name!r} holds the keys of the account itself, which may do everything",
            "Name a profile of a user or role with a narrow policy.",
        )
    parts = {
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_SESSION_TOKEN": keys.session_token,
    }
    given = {part: Secret(value, f"AWS profile {name}") if value else None for part, value in parts.items()}
    return lambda wanted: given[wanted] if wanted in given else lookup(wanted)


def _is_root(keys: aws.Keys, region: str, environ: Mapping[str, str]) -> bool:
    try:
        return aws.identity(keys, region, environ).is_root
    except aws.AwsRefusedError as error:
        if error.code not in aws.DENIED:  # which a policy can do to others, and not to the account
            raise
        return False
