"""GitHub's `gh`, as far as a user's Codespaces secrets and (see `gh_releases`) a repository's releases go.

    gh api [--paginate] [--method DELETE] PATH   of user/codespaces/secrets and what is below it
    gh secret set NAME --user --repos A/B,C/D    the value on standard input, its final line breaks dropped
    gh secret delete NAME --user

A set replaces the list of repositories, as the API's PUT does. A token in GITHUB_TOKEN or GH_TOKEN comes
before the login, and may do nothing here.

State: {"login": true, "scopes": ["codespace:secrets"], "repositories": {"acme/shop": 101},
        "secrets": {"NAME": {"value": ..., "repositories": [101]}}}
Where it says nothing, somebody with that scope is logged in, and has neither repositories nor secrets.
"""

import json
import re
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.secrets.stand_ins import gh_releases
from tests.secrets.stand_ins.program import ProgramError, Service

_API = "https://api.github.com/"
_SECRETS = "user/codespaces/secrets"
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_LIMIT = 48 * 1024
_MOST = 100


def main(arguments: list[str], service: Service) -> None:
    """Act as `gh ARGUMENTS`."""
    _log_in(service)
    command, rest = arguments[:1], arguments[1:]
    if command == ["api"]:
        _api(rest, service)
    elif command == ["secret"] and rest[:1] == ["set"]:
        _set(rest[1:], service)
    elif command == ["secret"] and rest[:1] == ["delete"]:
        _delete(rest[1:], service)
    elif command == ["release"] and rest[:1] == ["view"]:
        gh_releases.view(rest[1:], service)
    else:
        raise ProgramError(f'unknown command "{" ".join(arguments[:2])}" for "gh"')


def _log_in(service: Service) -> None:
    environ = service.environ
    if service.state.get("login", True) or environ.get("GH_TOKEN") or environ.get("GITHUB_TOKEN"):
        return
    raise ProgramError(
        "To get started with GitHub CLI, please run:  gh auth login\n"
        "Alternatively, populate the GH_TOKEN environment variable with a GitHub API authentication token.",
        code=4,
    )


def _refused(service: Service) -> bool:
    """Whether the token may not touch Codespaces secrets; a codespace's own token never may."""
    if service.environ.get("GH_TOKEN") or service.environ.get("GITHUB_TOKEN"):
        return True
    return not {"codespace", "codespace:secrets"} & set(service.state.get("scopes", ["codespace:secrets"]))


def _api(arguments: list[str], service: Service) -> None:
    method, paginate, path = _api_arguments(arguments)
    if _refused(service):
        print(json.dumps({"message": "Must have admin rights to Repository.", "status": "403"}))  # noqa: T201
        raise ProgramError(
            "gh: Must have admin rights to Repository. (HTTP 403)\n"
            'gh: This API operation needs the "codespace" scope. To request it, run:  '
            "gh auth refresh -h github.com -s codespace"
        )
    parts = urlsplit(path)
    size = int(parse_qs(parts.query).get("per_page", ["30"])[0])
    if not 1 <= size <= 100 or not parts.path.startswith(_SECRETS):
        raise _not_found()
    below = parts.path.removeprefix(_SECRETS).strip("/").split("/")
    if method == "DELETE":
        _remove_repository(below, service)
    elif below == ["public-key"]:
        print(json.dumps({"key_id": "1", "key": "not a key"}))  # noqa: T201
    elif below == [""]:
        names = [{"name": name, "visibility": "selected"} for name in service.state.get("secrets", {})]
        _pages("secrets", names, size, all_of_them=paginate)
    elif below[1:] == ["repositories"]:
        _pages("repositories", _granted(below[0], service), size, all_of_them=paginate)
    else:
        raise _not_found()


def _api_arguments(arguments: list[str]) -> tuple[str, bool, str]:
    method, paginate, path = "GET", False, ""
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if argument == "--paginate":
            paginate = True
        elif argument == "--method":
            method = queue.pop(0)
        elif argument.startswith("-"):
            raise ProgramError(f"unknown flag: {argument}")
        else:
            path = argument
    return method, paginate, path


def _pages(key: str, items: list[Any], size: int, *, all_of_them: bool) -> None:
    """Print one JSON document a page, one after the other, as `gh api --paginate` does."""
    for start in range(0, max(len(items), 1), size):
        page = {"total_count": len(items), key: items[start : start + size]}
        sys.stdout.write(json.dumps(page))
        if not all_of_them:
            return


def _granted(name: str, service: Service) -> list[dict[str, Any]]:
    kept = _secret(name, service)
    known = service.state.get("repositories", {})
    return [{"id": known[slug], "full_name": slug} for slug in known if known[slug] in kept["repositories"]]


def _remove_repository(below: list[str], service: Service) -> None:
    if len(below) != 3 or below[1] != "repositories":
        raise _not_found()
    repositories = _secret(below[0], service)["repositories"]
    service.write()
    if int(below[2]) in repositories:
        repositories.remove(int(below[2]))


def _set(arguments: list[str], service: Service) -> None:
    flags = _secret_flags(arguments)
    value = sys.stdin.buffer.read().rstrip(b"\r\n")
    if _refused(service):
        raise _no_key()
    known = service.state.get("repositories", {})
    for slug in flags["repos"]:
        if slug not in known:
            raise ProgramError(
                f"failed to look up IDs for repositories {flags['repos']}: GraphQL: "
                f"Could not resolve to a Repository with the name '{slug}'. (repo_000)"
            )
    name = flags["name"].upper()
    secrets = service.state.setdefault("secrets", {})
    if not _NAME.fullmatch(name) or name.startswith("GITHUB_"):
        raise _unprocessable(name, "Secret names must not start with GITHUB_ or a digit.")
    if len(value) > _LIMIT:
        raise _unprocessable(name, "Secret value is too large.")
    if name not in secrets and len(secrets) >= _MOST:
        raise _unprocessable(name, "You have reached the limit of 100 secrets.")
    service.write()
    secrets[name] = {"value": value.decode(), "repositories": [known[slug] for slug in flags["repos"]]}


def _delete(arguments: list[str], service: Service) -> None:
    name = _secret_flags(arguments)["name"].upper()
    if _refused(service):
        raise _no_key()
    if name not in service.state.get("secrets", {}):
        raise ProgramError(f"failed to delete secret {name}: HTTP 404: Not Found ({_API}{_SECRETS}/{name})")
    service.write()
    del service.state["secrets"][name]


def _secret_flags(arguments: list[str]) -> dict[str, Any]:
    flags: dict[str, Any] = {"name": "", "repos": [], "user": False}
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if argument in ("--user", "-u"):
            flags["user"] = True
        elif argument in ("--repos", "-r"):
            flags["repos"] += queue.pop(0).split(",")
        elif argument.startswith("-"):
            raise ProgramError(f"unknown flag: {argument}")
        elif flags["name"]:
            raise ProgramError(f"accepts at most 1 arg(s), received {len(arguments)}")
        else:
            flags["name"] = argument
    if not flags["user"]:
        raise ProgramError("this stand-in knows the secrets of a user only")
    return flags


def _secret(name: str, service: Service) -> dict[str, Any]:
    secrets: dict[str, dict[str, Any]] = service.state.get("secrets", {})
    if name not in secrets:
        raise _not_found()
    return secrets[name]


def _not_found() -> ProgramError:
    return ProgramError("gh: Not Found (HTTP 404)")


def _no_key() -> ProgramError:
    return ProgramError(
        "failed to fetch public key: HTTP 403: Must have admin rights to Repository. "
        f"({_API}{_SECRETS}/public-key)\n"
        'This API operation needs the "codespace" scope. To request it, run:  '
        "gh auth refresh -h github.com -s codespace"
    )


def _unprocessable(name: str, why: str) -> ProgramError:
    return ProgramError(f'failed to set secret "{name}": HTTP 422: {why} ({_API}{_SECRETS}/{name})')
