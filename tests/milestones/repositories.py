"""Real repositories with tags: a bare remote, clones of it, and what refuses between them.

    remote = Remote(folder / "remote.git")     bare, reached by its path
    clone = Clone(folder / "clone", remote)    with a work tree, one commit, and `origin`
    clone.tag("week2", "a message")            annotated, at the time of `clone.clock`
    remote.protect("refs/tags/week2")          a hook that lets nobody change this name

Nothing here knows the tool: what it reads and writes goes through git alone. What git makes of a first commit
and its push is made once, and copied from then on: that costs an eighth of the time.
"""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

#: the moment of the first commit; each further commit and tag is a minute later
START = 1_767_225_600
ZONE = "+0100"
_MINUTE = 60
ZERO = "0" * 40

_UPDATE_HOOK = """\
#!/bin/sh
# Asked once for every name: $1 the name, $2 the old object, $3 the new one.
while read -r pattern; do
  case $1 in
    $pattern) echo "GH006: Protected tag update failed for $1." >&2; exit 1;;
  esac
done <"$GIT_DIR/protected"
exit 0
"""
_NO_DELETION_HOOK = f"""\
#!/bin/sh
# As a server that keeps what was once published.
[ "$3" = {ZERO} ] && {{ echo "deleting $1 is not allowed" >&2; exit 1; }}
exit 0
"""
_REFUSING_HOOK = """\
#!/bin/sh
echo "%s" >&2
exit 1
"""


class Git:
    """A repository in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = START

    def run(
        self, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git here, whatever comes of it."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **(env or {})},
            input=data,
            capture_output=True,
            check=False,
        )

    def git(self, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run git here and return what it printed, without the last line end; a failure is an error."""
        done = self.run(*arguments, data=data, env=env)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def config(self, name: str, value: str) -> None:
        """Set one value in the repository's own configuration."""
        self.git("config", name, value)

    def refs(self, prefix: str = "") -> dict[str, str]:
        """Every ref below `prefix` and the object that it names."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", *([prefix] if prefix else []))
        return dict(line.split(" ") for line in lines.splitlines())

    def tags(self) -> dict[str, str]:
        """Every tag's name and the object that it names, which may be a tag object."""
        return {name.removeprefix("refs/tags/"): oid for name, oid in self.refs("refs/tags/").items()}

    def raw(self, name: str, kind: str = "tag") -> bytes:
        """The bytes of an object, `refs/tags/week2` or an id."""
        done = self.run("cat-file", kind, name)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def locks(self) -> list[str]:
        """Files that stop git from changing a ref, as paths from the repository's own folder."""
        store = self.root / ".git" if (self.root / ".git").is_dir() else self.root
        places = [store / "packed-refs.lock", store / "packed-refs.new", *(store / "refs").rglob("*.lock")]
        return sorted(str(path.relative_to(store)) for path in places if path.exists())


class Remote(Git):
    """A bare repository."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        if not root.exists():
            shutil.copytree(_templates() / "empty.git", root)

    @property
    def url(self) -> str:
        """Where it is reached through the file system."""
        return str(self.root)

    def without_atomic(self) -> "Remote":
        """Take changes one by one only, as some hosts do."""
        self.config("receive.advertiseAtomic", "false")
        return self

    def hook(self, name: str, text: str) -> None:
        """Install a hook."""
        path = self.root / "hooks" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def protect(self, *patterns: str) -> None:
        """Let nobody make, move or delete refs of these shell patterns."""
        (self.root / "protected").write_text(
            "".join(f"{pattern}\n" for pattern in patterns), encoding="utf-8"
        )
        self.hook("update", _UPDATE_HOOK)

    def keep_everything(self) -> None:
        """Let nobody delete anything."""
        self.hook("update", _NO_DELETION_HOOK)

    def refuse(self, words: str = "no pushes on a Sunday") -> None:
        """Refuse every push, with these words."""
        self.hook("pre-receive", _REFUSING_HOOK % words)

    def allow(self) -> None:
        """Take every hook away."""
        for path in (self.root / "hooks").iterdir():
            path.unlink()


class Clone(Git):
    """A clone with a work tree on branch `main`, and a first commit that is on the remote as well."""

    def __init__(self, root: Path, remote: Remote | None = None, url: str | None = None) -> None:
        super().__init__(root)
        if root.exists():
            return
        if remote is not None and remote.refs("refs/heads/main"):
            self._second(url or remote.url)
            return
        templates = _templates()
        shutil.copytree(templates / ("pushed" if remote is not None else "alone"), root)
        self.clock += _MINUTE
        if remote is not None:
            self.config("remote.origin.url", url or remote.url)
            for name in ("objects", "refs"):
                shutil.copytree(templates / "pushed.git" / name, remote.root / name, dirs_exist_ok=True)

    def _second(self, url: str) -> None:
        """Clone what another clone has pushed."""
        self.root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", "--template=")
        self.git("remote", "add", "origin", url)
        self.git("fetch", "--quiet", "origin")
        self.git("reset", "--quiet", "--hard", "origin/main")
        self.git("branch", "--quiet", "--set-upstream-to=origin/main")

    def _now(self) -> dict[str, str]:
        self.clock += _MINUTE
        moment = f"{self.clock} {ZONE}"
        return {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}

    def write(self, path: str, text: str) -> Path:
        """Write a file, with the folders above it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def commit(self, message: str) -> str:
        """Commit everything there is; returns the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, env=self._now())
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, message: str = "", target: str = "HEAD") -> str:
        """Make an annotated tag of any name that git can store; returns the tag object's id."""
        kind = self.git("cat-file", "-t", target)
        return self.tag_inside(name, name, message or f"{name} is done\n", target, kind)

    def tag_inside(
        self, name: str, inner: str, message: str, target: str = "HEAD", kind: str = "commit"
    ) -> str:
        """Make a tag object that calls itself `inner`, and the tag `name` that leads to it."""
        self.clock += _MINUTE
        oid = self.git("rev-parse", f"{target}^{{{kind}}}")
        text = (
            f"object {oid}\ntype {kind}\ntag {inner}\n"
            f"tagger Ann Tagger <ann@example.com> {self.clock} {ZONE}\n\n{message}"
        )
        made = self.git("hash-object", "-t", "tag", "-w", "--literally", "--stdin", data=text.encode())
        self.git("update-ref", "--no-deref", f"refs/tags/{name}", made)
        return made

    def lightweight(self, name: str, target: str = "HEAD") -> str:
        """Make a tag that is no object of its own."""
        oid = self.git("rev-parse", f"{target}^{{commit}}")
        self.git("update-ref", "--no-deref", f"refs/tags/{name}", oid)
        return oid

    def publish(self, *names: str, remote: str = "origin") -> None:
        """Push tags, as people do it by hand."""
        self.git("push", "--quiet", remote, *(f"refs/tags/{name}:refs/tags/{name}" for name in names))

    def hook(self, name: str, text: str) -> None:
        """Install a hook of this clone's own."""
        path = self.root / ".git/hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)


@functools.cache
def _templates() -> Path:
    """An empty bare repository, and clones with a first commit: `alone`, and `pushed` to `pushed.git`."""
    folder = Path(tempfile.mkdtemp(prefix="tag-templates"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    empty = Git(folder / "empty.git")
    empty.root.mkdir()
    empty.git("init", "--quiet", "--bare", "--initial-branch=main", "--template=")
    (empty.root / "hooks").mkdir()
    empty.config("http.receivepack", "true")
    alone = Git(folder / "alone")
    alone.root.mkdir()
    alone.git("init", "--quiet", "--initial-branch=main", "--template=")
    moment = f"{START + _MINUTE} {ZONE}"
    dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    alone.git("commit", "--quiet", "--allow-empty", "--message=Begin", env=dates)
    shutil.copytree(empty.root, folder / "pushed.git")
    shutil.copytree(alone.root, folder / "pushed")
    pushed = Git(folder / "pushed")
    pushed.git("remote", "add", "origin", str(folder / "pushed.git"))
    pushed.git("push", "--quiet", "--set-upstream", "origin", "main")
    return folder
