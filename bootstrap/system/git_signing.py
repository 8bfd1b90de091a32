"""Signed tags: made by git itself, with the user's key and settings, under no name of the clone yet."""

import os
import re
import tempfile
from pathlib import Path

from bootstrap.model.errors import BootstrapError
from bootstrap.system import git_tags, git_user

_IDENTITY = re.compile(r"(?P<name>.*?) ?<(?P<address>[^>]*)> (?P<seconds>-?\d+) (?P<zone>[+-]\d{4})")
_SHA1 = 40


def wanted(root: Path) -> bool:
    """Whether `git tag -a` would sign: tag.gpgSign or tag.forceSignAnnotated is on."""
    answer = git_user.run(root, "config", "--type=bool", "--get", "tag.gpgSign")
    forced = git_user.run(root, "config", "--type=bool", "--get", "tag.forceSignAnnotated")
    return b"true" in (answer.stdout.strip(), forced.stdout.strip())


def sign(root: Path, name: str, target: str, tagger: bytes, message: bytes) -> str:
    """Store a signed tag object, under no name yet, and return its id; tagger and message are as given.

    `git tag -s` always writes a ref. It gets an empty repository for that, which shares the objects and the
    configuration of the clone. Raises BootstrapError where no key signs.
    """
    who = _IDENTITY.fullmatch(os.fsdecode(tagger))
    if who is None:
        raise BootstrapError(f"{name} does not say who made it, and when", "It cannot be signed as it is.")
    folder = git_tags.clone(root).folder.absolute()
    with tempfile.TemporaryDirectory(prefix="bootstrap-sign-") as scratch:
        form = "sha1" if len(target) == _SHA1 else "sha256"
        git_user.output(root, "init", "--quiet", "--bare", f"--object-format={form}", "--template=", scratch)
        environ = {
            "GIT_DIR": scratch,
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_COMMITTER_NAME": who["name"],
            "GIT_COMMITTER_EMAIL": who["address"],
            "GIT_COMMITTER_DATE": f"@{who['seconds']} {who['zone']}",
        }
        settings = ("-c", f"include.path={folder / 'config'}", "-c", "core.hooksPath=/dev/null")
        options = ("--sign", "--cleanup=verbatim", "--file=-", "--", name, target)
        made = git_user.run(root, *settings, "tag", *options, data=message, environ=environ)
        if made.returncode != 0:
            raise BootstrapError(
                f"no key signed {name}: {git_user.reason(made.stderr)}",
                "See what is wrong: git tag -s test && git tag -d test, or leave it unsigned: --no-sign",
            )
        found = git_user.run(root, "rev-parse", "--verify", f"refs/tags/{name}", environ=environ)
    return found.stdout.decode().strip()
