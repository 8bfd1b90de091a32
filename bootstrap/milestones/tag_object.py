r"""The bytes of a tag object: read, and written anew with nothing changed but what was asked for.

The format (git-mktag(1)) is a header of lines "object ID", "type KIND", "tag NAME", "tagger NAME <ADDRESS>
SECONDS ZONE" (absent in tags of git's first year), perhaps more, an empty line, and the message. A signature
is the end of the message, and covers everything before it, the name included. In a SHA-256 repository it
stands in a header "gpgsig-sha256", as one of the other format may in any.
"""

import hashlib
import os
import re

from msgspec import Struct

_SIGNATURE = re.compile(
    rb"^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----", re.MULTILINE
)
_TAGGER = re.compile(rb"(?P<who>.*?) ?<(?P<address>[^>]*)> (?P<seconds>-?\d+) (?P<zone>[+-]\d{4})", re.DOTALL)
_SHA1 = 40


class TagObject(Struct, frozen=True):
    """An annotated tag's object."""

    #: id and kind of what it leads to
    target: str
    kind: str
    #: the name that it has inside: the ref may say another
    name: str
    #: the header's lines after the name, without their line ends
    more: tuple[bytes, ...]
    #: everything behind the empty line
    message: bytes

    @classmethod
    def read(cls, data: bytes) -> "TagObject":
        """Read the bytes of an object of the kind `tag`; raises ValueError where they are no such thing."""
        header, separator, message = data.partition(b"\n\n")
        lines = header.removesuffix(b"\n").split(b"\n")
        values = []
        for key, line in zip((b"object ", b"type ", b"tag "), lines, strict=False):
            if not line.startswith(key):
                raise ValueError(f"no tag object: {line[:40]!r}")
            values.append(os.fsdecode(line.removeprefix(key)))
        if len(values) != 3 or not separator:  # noqa: PLR2004 - object, type, tag
            raise ValueError("no tag object")
        return cls(values[0], values[1], values[2], tuple(lines[3:]), message)

    def write(self) -> bytes:
        """The object's bytes; those that were read, where nothing was changed."""
        lines = [
            b"object " + self.target.encode(),
            b"type " + self.kind.encode(),
            b"tag " + os.fsencode(self.name),
            *self.more,
        ]
        return b"\n".join(lines) + b"\n\n" + self.message

    @property
    def tagger(self) -> bytes:
        """Who tagged, and when, as the header has it; empty for a tag that does not say."""
        return next((line[7:] for line in self.more if line.startswith(b"tagger ")), b"")

    @property
    def seconds(self) -> int | None:
        """When it was tagged, in seconds since the epoch."""
        found = _TAGGER.fullmatch(self.tagger)
        return int(found["seconds"]) if found else None

    @property
    def zone(self) -> str:
        """The tagger's zone, like "+0100"."""
        found = _TAGGER.fullmatch(self.tagger)
        return found["zone"].decode() if found else "+0000"

    @property
    def who(self) -> str:
        """The tagger's name."""
        found = _TAGGER.fullmatch(self.tagger)
        return (found["who"] if found else self.tagger).decode(errors="replace").strip()

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.decode(errors="replace").strip().partition("\n")[0].strip()

    @property
    def signed(self) -> bool:
        """Whether it has a signature, which holds for this name and these bytes alone."""
        inside = any(line.startswith((b"gpgsig", b"gpgsig-sha256")) for line in self.more)
        return inside or _SIGNATURE.search(self.message) is not None

    @property
    def unsigned_message(self) -> bytes:
        """The message without its signature."""
        found = _SIGNATURE.search(self.message)
        return self.message[: found.start()] if found else self.message


def a_second_later(tagger: bytes) -> bytes:
    """The same tagger, one second later."""
    head, seconds, zone = tagger.rsplit(b" ", 2)
    return b"%s %d %s" % (head, int(seconds) + 1, zone)


def id_of(data: bytes, like: str) -> str:
    """The id that git gives to a tag object, in the hash that the id `like` is made with."""
    whole = b"tag %d\0" % len(data) + data
    if len(like) == _SHA1:
        return hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    return hashlib.sha256(whole).hexdigest()
