"""Git as the person at the keyboard would run it: for what changes tags, and for what speaks to a remote.

`bootstrap.system.git` looks at repositories that nobody has vouched for, and lets them choose nothing. Here
somebody has asked for what `git tag`, `git push` or `git fetch` do, and gets it with the trust that these
commands give: the user's and the repository's configuration may name the program that connects
(core.sshCommand), helpers for credentials, a proxy, a signing program, and hooks (pre-push,
reference-transaction), which may also refuse. Git itself declines repositories that belong to another user.
The caller's environment stays (GIT_SSH_COMMAND, GIT_ASKPASS, GIT_COMMITTER_DATE, settings in GIT_CONFIG_*),
except for what would lead to another repository.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bootstrap.model.errors import BootstrapError

# `git rev-parse --local-env-vars`, without the settings that a caller hands over (an extra header, in CI).
_ELSEWHERE = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}
# What is pushed is what was replaced; what git says is read by a program; a trace would stand among it.
_ALWAYS = {"GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C", "LANGUAGE": ""}
#: seconds; a remote may be slow, but nobody waits for a dead one for ever
_PATIENCE = 600.0
#: characters of what somebody else's program said that fit into a line
_LONGEST = 400


def surroundings() -> dict[str, str]:
    """The caller's environment for a git that works in the repository it is told, in English.

    Without a terminal git asks nobody for a password: it fails, and says so.
    """
    environ = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    if not sys.stdin.isatty():
        environ["GIT_TERMINAL_PROMPT"] = "0"
    return environ | _ALWAYS


def run(
    root: Path, *arguments: str, data: bytes = b"", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in `root` with the user's own configuration and hooks.

    `environ` is laid over the environment. Raises BootstrapError where git is not installed, or does not come
    back within ten minutes.
    """
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**surroundings(), **(environ or {})},
            input=data,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        name = verb(arguments)
        raise BootstrapError(
            f"git {name} did not come back within {_PATIENCE / 60:.0f} minutes",
            f"See what it waits for: git {name}",
        ) from None
    except FileNotFoundError:
        raise BootstrapError("git is not installed", "Install it: sudo apt-get install git") from None


def verb(arguments: tuple[str, ...]) -> str:
    """The name of the git command among its arguments."""
    return next(word for word in arguments if not word.startswith("-") and "=" not in word)


def output(root: Path, *arguments: str, data: bytes = b"") -> bytes:
    """Run git and return what it printed; raises BootstrapError with git's own reason where it fails."""
    answer = run(root, *arguments, data=data)
    if answer.returncode != 0:
        name = verb(arguments)
        raise BootstrapError(
            f"git {name} failed: {reason(answer.stderr)}", f"Look closer: git {name}, git fsck"
        )
    return answer.stdout


def said(errors: bytes) -> str:
    """Everything that git and a hook here complained of, in one line: the hook's words come before git's."""
    lines = [line.strip().removeprefix("fatal: ") for line in errors.decode(errors="replace").splitlines()]
    return " / ".join(filter(None, lines))[:_LONGEST] or "it did not say why"


def reason(errors: bytes) -> str:
    """The line of git's complaints that says most: the first that is fatal, else an error, else the last."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    for mark in ("fatal: ", "error: "):
        for line in lines:
            if line.startswith(mark):
                return line.removeprefix(mark)
    return lines[-1] if lines else "it did not say why"
