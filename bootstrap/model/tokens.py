"""What the tokens of a vendor look like in somebody's files."""

from msgspec import Struct


class TokenShape(Struct, frozen=True):
    """One shape of token, as a scan for leaked ones looks for it."""

    #: for people: "a Honeycomb ingest key"
    title: str
    #: a regular expression without capturing groups or anchors; ASCII only. The scan sees to word boundaries.
    pattern: str
    #: words of which one must stand nearby, in any case; empty where the shape alone is telling
    keywords: tuple[str, ...] = ()
