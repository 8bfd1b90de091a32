"""GitHub's `gh release view [--repo OWNER/NAME] --json FIELDS [--] TAG`.

State, beside that of `gh`: {"releases": {"acme/shop": {"week2": {"draft": false, "immutable": false}}}}, and
{"old": true} for a gh of before releases could be immutable (2.80), which does not know that field.
"""

import json
import re

from tests.secrets.stand_ins.program import ProgramError, Service

_FIELDS = (
    *("apiUrl", "assets", "author", "body", "createdAt", "databaseId", "id", "isDraft", "isImmutable"),
    *("isPrerelease", "name", "publishedAt", "tagName", "tarballUrl", "targetCommitish", "uploadUrl", "url"),
    "zipballUrl",
)


def view(arguments: list[str], service: Service) -> None:
    """Act as `gh release view ARGUMENTS`."""
    repository, fields, tag = _arguments(arguments)
    known = [field for field in _FIELDS if field != "isImmutable" or not service.state.get("old")]
    for field in fields:
        if field not in known:
            listed = "".join(f"\n  {name}" for name in known)
            raise ProgramError(f'Unknown JSON field: "{field}"\nAvailable fields:{listed}')
    repositories = service.state.get("releases", {})
    if repository not in repositories:
        raise ProgramError(
            f"GraphQL: Could not resolve to a Repository with the name '{repository}'. (repository)"
        )
    if tag not in repositories[repository]:
        raise ProgramError("release not found")
    release = repositories[repository][tag]
    everything = {
        "isDraft": release.get("draft", False),
        "isImmutable": release.get("immutable", False),
        "tagName": tag,
        "name": tag,
        "url": f"https://github.com/{repository}/releases/tag/{tag}",
    }
    print(json.dumps({field: everything.get(field, "") for field in sorted(fields)}))  # noqa: T201


def _arguments(arguments: list[str]) -> tuple[str, list[str], str]:
    """Read the options as its parser does: what follows `--` is no option, whatever it looks like."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if word in ("--repo", "-R", "--json"):
            options["--repo" if word == "-R" else word] = rest.pop(0)
        elif word.startswith("-"):
            raise ProgramError(f"unknown flag: {word}")
        else:
            words.append(word)
    if len(words) != 1:
        raise ProgramError("accepts at most 1 arg(s), received " + str(len(words)))
    repository = options.get("--repo", "")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ProgramError('expected the "[HOST/]OWNER/REPO" format, got "' + repository + '"')
    return repository, options["--json"].split(","), words[0]
