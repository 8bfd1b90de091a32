"""Asks GitHub, through `gh`, whether a release stands behind a tag that is to move or to go."""

import json
import os
import shutil
from collections.abc import Mapping

from bootstrap.milestones.names import typed
from bootstrap.milestones.reading import Reading
from bootstrap.model.errors import BootstrapError
from bootstrap.model.repository import of_remote
from bootstrap.system import process

#: of newest gh; one that is older names the field that it does not know
_FIELDS = ("tagName,isDraft,url,isImmutable", "tagName,isDraft,url")
_UNKNOWN_FIELD = "Unknown JSON field"
_NONE = "release not found"


def check_releases(
    reading: Reading, environ: Mapping[str, str], name: str, notes: list[str], *, moves: bool = False
) -> None:
    """Refuse to take a tag from under a release: GitHub makes it a draft, and its links lead nowhere.

    `moves` says that the tag keeps its name: only an immutable release forbids that. Where gh cannot be
    asked, that becomes a sentence in `notes`.
    """
    slug = github(reading)
    if slug is None or reading.there(name) is None:
        return
    if shutil.which("gh", path=environ.get("PATH", os.defpath)) is None:
        notes.append(f"whether a GitHub release stands behind {name} was not asked: gh is not installed")
        return
    release = _release(reading, environ, slug, name, notes)
    if release is None:
        return
    if release.get("isImmutable"):
        raise BootstrapError(
            f"an immutable GitHub release stands behind {name}: nobody can move or delete it",
            f"Leave it, and make another beside it: git tag -a NAME {typed(f'refs/tags/{name}^{{}}')}",
        )
    if not moves:
        raise BootstrapError(
            f"a GitHub release stands behind {name}: without the tag it becomes a draft, and its links break",
            f"Delete the release alone, and come back: gh release delete --repo {typed(slug, name)}",
        )


def github(reading: Reading) -> str | None:
    """The remote's OWNER/NAME, where it is on GitHub."""
    if reading.remote is None:
        return None
    repository = of_remote(reading.remote.remote.pushes_to[0], reading.root)
    return repository.slug if repository.identity.startswith("github.com/") else None


def _release(
    reading: Reading, environ: Mapping[str, str], slug: str, name: str, notes: list[str]
) -> dict[str, object] | None:
    """Ask for the release; None where there is none, or nobody can say."""
    quiet = {**environ, "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
    answer = process.Answer(1, "", "")
    for fields in _FIELDS:
        argv = ["gh", "release", "view", "--repo", slug, "--json", fields, "--", name]
        answer = process.run(argv, environ=quiet, directory=reading.root)
        if _UNKNOWN_FIELD not in answer.errors:
            break
    if answer.code == 0:
        try:
            found: dict[str, object] = json.loads(answer.output)
        except ValueError:
            found = {}
        return found
    if _NONE not in answer.errors:
        said = (answer.errors.strip().splitlines() or ["it did not say why"])[0]
        notes.append(f"whether a GitHub release stands behind {name} is not known: gh said: {said}")
    return None
