"""Our mark as AWS's tags."""

import hashlib
import re
from collections.abc import Iterable, Mapping

from bootstrap.provisioning.interface import Owner

REPOSITORY, MAKER, ADOPTED = "bootstrap:repository", "bootstrap:maker", "bootstrap:adopted-by"
#: which of the repository's projects it was made for; ownership is the same for all of them
PROJECT = "bootstrap:project"
#: where in IAM everything of ours is
PATH = "/bootstrap/"
#: what every service takes in a tag, but for "=", which we write other characters with:
#: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
_PLAIN = re.compile(r"[^A-Za-z0-9_.:/+@-]", re.ASCII)
_LONGEST = 256
_DIGEST = 32
_SESSION = re.compile(r"(arn:[a-z0-9-]+:sts::[0-9]{12}:assumed-role/[^/]+)/.*", re.DOTALL)


def text(value: str) -> str:
    """Write any text as the value of a tag: different ones stay different.

    What a tag cannot hold becomes "=" and two hexadecimal digits for each byte; what is longer than a tag
    ends in a hash.
    """
    plain = _PLAIN.sub(lambda found: "".join(f"={byte:02X}" for byte in found[0].encode()), value)
    if len(plain) <= _LONGEST:
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:_DIGEST]
    return f"{plain[: _LONGEST - _DIGEST - 1]}={digest}"


def maker(arn: str) -> str:
    """Say who somebody is: a role's sessions are all the same person to us."""
    found = _SESSION.fullmatch(arn)
    return text(found[1] if found else arn)


def of_owner(owner: Owner, project: str) -> dict[str, str]:
    """Make the tags of what is created."""
    return {REPOSITORY: owner.repository, MAKER: owner.maker, PROJECT: project}


def of_adopter(owner: Owner) -> dict[str, str]:
    """Make the tag of what somebody else has created."""
    return {ADOPTED: owner.repository}


def owner(tags: Mapping[str, str]) -> Owner | None:
    """Read our mark; None without a whole one."""
    if REPOSITORY not in tags or MAKER not in tags:
        return None
    return Owner(tags[REPOSITORY], tags[MAKER])


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as X-Ray and IAM take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def read(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Read tags as X-Ray and IAM give them."""
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}
