"""Git as this tool needs it: where the work tree is, and what HEAD says about a file."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bootstrap.model.errors import BootstrapError

# A repository that somebody else wrote must not choose what runs when we look at it.
_SAFE_QUESTION = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "safe.bareRepository=explicit",  # a folder that only looks like a repository is none
)
_SAFE = (*_SAFE_QUESTION, "-c", "core.hooksPath=/dev/null")
# What HEAD lacks is not fetched: the repository would name the program that does it. The empty list of
# protocols says the same to a git that is too old for the first variable.
_ENVIRON = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # what is pushed is what was replaced
    "LC_ALL": "C",
}
_PATIENCE = 30.0
_NO_REPOSITORY = 128


def installed() -> bool:
    """Whether there is a git to run."""
    return shutil.which("git") is not None


def command(*arguments: str) -> list[str]:
    """How git is called so that the repository chooses nothing of what runs."""
    return ["git", *_SAFE, *arguments]


def surroundings(index: str | None = None) -> dict[str, str]:
    """The environment of every git: without prompts, fetches, or the caller's GIT_* variables.

    `index` names another index than the repository's own, as git does where it commits only some files.
    """
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | _ENVIRON
    return environ if index is None else environ | {"GIT_INDEX_FILE": index}


def run(
    root: Path, *arguments: str, data: bytes = b"", index: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in `root`, without prompts, hooks, fetches, or the caller's GIT_* variables.

    Raises BootstrapError where it does not answer within 30 seconds.
    """
    return _run(root, command(*arguments), data, surroundings(index))


def _run(
    root: Path, argv: list[str], data: bytes, environ: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            argv, cwd=root, env=environ, input=data, capture_output=True, check=False, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        name = next(word for word in argv[1:] if not word.startswith("-") and "=" not in word)
        raise BootstrapError(
            f"git {name} did not answer within {_PATIENCE:.0f} seconds",
            f"See what it waits for: cd {root} && git {name}",
        ) from error


def head_texts(root: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """What HEAD holds at each of `paths` (from `root`, which may lie below the work tree's own root).

    Paths that HEAD does not have are left out; so is everything where there is no commit or no git.
    """
    wanted = list(paths)
    if not wanted or not installed():
        return {}
    answer = run(root, "cat-file", "--batch", data="".join(f"HEAD:./{path}\n" for path in wanted).encode())
    texts: dict[str, bytes] = {}
    rest = answer.stdout
    for path in wanted:
        head, _, rest = rest.partition(b"\n")
        fields = head.rsplit(b" ", 2)
        if len(fields) != 3 or fields[1] != b"blob":  # noqa: PLR2004 - "<object> blob <size>", or "<name> missing"
            if len(fields) == 3 and fields[2].isdigit():  # noqa: PLR2004 - a tree or a commit stands there
                rest = rest[int(fields[2]) + 1 :]
            continue
        size = int(fields[2])
        texts[path] = rest[:size]
        rest = rest[size + 1 :]
    return texts


def ignored(root: Path, paths: Iterable[str]) -> set[str]:
    """Which of `paths` git would ignore; all of them where there is no repository."""
    wanted = list(paths)
    found = _ignored(root, wanted)
    return set(wanted) if found is None else found


def excluded(root: Path, paths: Iterable[str]) -> set[str]:
    """Which of `paths` the repository's rules exclude; none of them where there is no repository."""
    return _ignored(root, list(paths)) or set()


def _ignored(root: Path, paths: list[str]) -> set[str] | None:
    if not installed():
        return None
    answer = run(root, "check-ignore", "--stdin", "-z", data=b"\0".join(map(os.fsencode, paths)))
    if answer.returncode == _NO_REPOSITORY:
        return None
    return {os.fsdecode(path) for path in answer.stdout.split(b"\0") if path}


def setting(root: Path, name: str) -> str | None:
    """One value of git's configuration, or None."""
    answer = run(root, "config", "--get", name)
    return answer.stdout.decode("utf-8", "replace").strip() or None


def commit_named(root: Path, name: str) -> str | None:
    """Find the full id of the commit that `name` leads to (a branch, a tag, an id); None where none does."""
    answer = run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return answer.stdout.decode().strip() or None


def is_shallow(root: Path) -> bool:
    """Whether the clone lacks older commits."""
    return run(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"


def hooks_path(root: Path) -> str | None:
    """The folder that core.hooksPath names in any configuration that counts here; None where none does."""
    return _location(root, "config", "--type=path", "--get", "core.hooksPath")


def hooks_folder(root: Path) -> Path:
    """Where git looks for hooks; without core.hooksPath all work trees of one repository share it."""
    return root / (_location(root, "rev-parse", "--git-path", "hooks") or ".git/hooks")


def _location(root: Path, *question: str) -> str | None:
    """Ask for a path, with the hooksPath that we otherwise put out of action; no hook runs at a question."""
    answer = _run(root, ["git", *_SAFE_QUESTION, *question], b"", surroundings())
    return os.fsdecode(answer.stdout).removesuffix("\n") or None
