"""The editor that git would open for a message."""

import os
import subprocess
import tempfile
from pathlib import Path

from bootstrap.model.errors import BootstrapError
from bootstrap.system import git_user


def edit(root: Path, text: str) -> str:
    """Let the user's editor change a text, and return it; raises BootstrapError where the editor fails.

    Which one that is, git decides: GIT_EDITOR, core.editor, VISUAL, EDITOR. It is a shell command.
    """
    found = git_user.run(root, "var", "GIT_EDITOR")
    editor = os.fsdecode(found.stdout).strip()
    if found.returncode != 0 or not editor:
        raise BootstrapError(
            "there is no editor that works without a terminal", "Give the message itself: --message TEXT"
        )
    with tempfile.TemporaryDirectory(prefix="bootstrap-message-") as folder:
        path = Path(folder, "TAG_EDITMSG.md")
        path.write_text(text, encoding="utf-8")
        code = subprocess.run(
            ["sh", "-c", f'{editor} "$@"', editor, str(path)],
            cwd=root,
            env=git_user.surroundings(),
            check=False,
        ).returncode
        if code != 0:
            raise BootstrapError(
                f"the editor ended with {code}: nothing was made", "Give the message itself: --message TEXT"
            )
        return path.read_text(encoding="utf-8", errors="replace")
