"""Our mark at Honeycomb: at the end of a description, and as a board's tags.

A description ends with `(bootstrap repository=github.com/acme/shop maker=hcxlk_... query=0a1b2c3d4e5f)`;
`adopted-by` stands in place of `maker` where somebody else has made the thing. What is no letter, digit or
one of `/:._~@-` is percent-encoded, and a repository that leaves no room is there as its digest.

A board's tags hold little: keys of lower-case letters, and values of lower-case letters, digits, `/` and `-`
that begin with a letter. Any other byte is `-` and its two hexadecimal digits.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from msgspec import Struct

from bootstrap.model.errors import UsageError
from bootstrap.provisioning.interface import Owner

_TEXT = re.compile(r"\s*\(bootstrap(?P<pairs>(?: [a-z-]+=[^\s()]*)+)\)\s*\Z", re.ASCII)
#: how a path that is no UTF-8 is kept
_ODD = "surrogateescape"
_UNQUOTED = "/:._~@-"
#: characters of a tag's value, and tags of a board, at most
_TAG, _TAGS = 128, 10
REPOSITORY, PROJECT, MAKER, ADOPTER = (
    "bootstraprepository",
    "bootstrapproject",
    "bootstrapmaker",
    "bootstrapadoptedby",
)
OURS = frozenset({REPOSITORY, PROJECT, MAKER, ADOPTER})

Tags = Mapping[str, str]


class Mark(Struct, frozen=True):
    """For whom something is, who made or adopted it, and by which specification."""

    owner: Owner
    adopted: bool = False
    #: the fingerprint of the query; empty for what is none
    query: str = ""

    def belongs_to(self, repository: str) -> bool:
        """Whether it is for this repository, made or adopted."""
        return self.owner.repository == repository


def split(description: str, own: Owner) -> tuple[str, Mark | None]:
    """Take a description apart into its text and our mark, None without one; `own` is who we are."""
    found = _TEXT.search(description)
    if found is None:
        return description, None
    pairs = dict(pair.split("=", 1) for pair in found["pairs"].split())
    maker = pairs.get("maker", pairs.get("adopted-by"))
    if maker is None or "repository" not in pairs:
        return description, None
    repository = unquote(pairs["repository"], errors=_ODD)
    if repository == _digest(own.repository):
        repository = own.repository
    owner = Owner(repository, unquote(maker, errors=_ODD))
    return description[: found.start()], Mark(owner, "maker" not in pairs, pairs.get("query", ""))


def join(text: str, mark: Mark, most: int) -> str:
    """Put text and mark together, in `most` characters. Raises UsageError where that cannot be."""
    whole = ""
    for repository in (mark.owner.repository, _digest(mark.owner.repository)):
        whole = f"{text}\n\n{_written(mark, repository)}" if text else _written(mark, repository)
        if len(whole) <= most:
            return whole
    raise UsageError(
        f"a description is too long for our mark beside it: {len(whole)} characters, {most} fit",
        "Shorten it in Honeycomb, then type the same again.",
    )


def _written(mark: Mark, repository: str) -> str:
    pairs = {"repository": repository, "adopted-by" if mark.adopted else "maker": mark.owner.maker}
    if mark.query:
        pairs["query"] = mark.query
    written = (f"{name}={quote(value, _UNQUOTED, errors=_ODD)}" for name, value in pairs.items())
    return f"(bootstrap {' '.join(written)})"


def _digest(repository: str) -> str:
    return f"sha256-{_sha256(repository)}"


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode(errors=_ODD)).hexdigest()


def tags_of(mark: Mark, project: str) -> dict[str, str]:
    """Say it in tags."""
    return {
        REPOSITORY: _tag("in", mark.owner.repository),
        PROJECT: _tag("of", project),
        ADOPTER if mark.adopted else MAKER: _tag("by", mark.owner.maker),
    }


def of_tags(tags: Tags, own: Owner) -> Mark | None:
    """Read a mark from tags; None where there is none."""
    maker = tags.get(MAKER, tags.get(ADOPTER))
    if REPOSITORY not in tags or maker is None:
        return None
    repository, by = tags[REPOSITORY], maker
    return Mark(
        Owner(
            own.repository if repository == _tag("in", own.repository) else _untag(repository),
            own.maker if by == _tag("by", own.maker) else _untag(by),
        ),
        adopted=MAKER not in tags,
    )


def is_of(tags: Tags, project: str) -> bool:
    """Whether the mark names this project, of the several that one repository may hold."""
    return tags.get(PROJECT) == _tag("of", project)


def merged(others: Iterable[Mapping[str, str]], ours: Tags) -> list[dict[str, str]]:
    """Our tags, and whatever else is there. Raises UsageError where they are too many."""
    kept = [{"key": one["key"], "value": one["value"]} for one in others if one["key"] not in OURS]
    whole = [*kept, *({"key": key, "value": value} for key, value in ours.items())]
    if len(whole) > _TAGS:
        raise UsageError(
            f"a board has {len(kept)} tags of its own, and {_TAGS - len(ours)} leave room for our mark",
            "Remove some of them in Honeycomb, then type the same again.",
        )
    return whole


def _tag(begins: str, value: str) -> str:
    body = "".join(
        chr(byte) if chr(byte).isascii() and re.fullmatch("[a-z0-9/]", chr(byte)) else f"-{byte:02x}"
        for byte in value.encode(errors=_ODD)
    )
    tag = f"{begins}/{body}"
    return tag if len(tag) <= _TAG else f"{begins}/{_sha256(value)}"


def _untag(tag: str) -> str:
    body = tag.partition("/")[2]
    raw = re.sub("-([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), body, flags=re.ASCII)
    return raw.encode("latin-1", "replace").decode(errors=_ODD)
