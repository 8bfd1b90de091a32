"""`secrets scan` beside `detect-secrets scan`: the same work tree, each with its defaults."""

import secrets
import string
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tests.bench import peers, projects
from tests.bench.measure import Command, in_turn
from tests.bench.scenarios import Result

FILES = 10_000
#: Lines of each file: small ones cost us most, and detect-secrets needs hours for ten thousand whole modules.
_LINES = 40
_FOLDER_SIZE = 100
_TURNS = 2
_MANIFEST = """\
[project]
name = "bench"

[services.web]
image = "web"
telemetry = ["honeycomb", "xray", "rollbar"]

[secrets.DATABASE_URL]
"""


def scan(folder: Path, runs: int) -> Iterator[Result]:
    """Measure a tree without secrets, once both have found one in it; at most two turns, of minutes each."""
    commands, peer = peers.install_same(), peers.install_detect_secrets()
    tree = make_tree(folder / "tree")
    values = _made_up()
    environ = {**projects.surroundings(folder, commands), **values}
    ours = Command("bootstrap secrets scan", (commands / "bootstrap", "secrets", "scan"), tree, environ)
    theirs = Command(
        "detect-secrets scan",
        (peer / "detect-secrets", "scan"),
        tree,
        projects.surroundings(folder, peer),
    )
    _check(ours, theirs, values)
    mine, other = in_turn(ours.run, theirs.run, min(runs, _TURNS))
    size = sum(path.stat().st_size for path in tree.rglob("*.py"))
    note = f"{FILES} files, {size / 2**20:.0f} MiB; {len(values)} secrets to look for"
    yield Result("scan", ours.title, theirs.title, 0.2, mine, other, note)


def make_tree(root: Path) -> Path:
    """Make a repository of the beginnings of Python's own modules, all of them tracked."""
    root.mkdir(parents=True)
    library = Path(sysconfig.get_path("stdlib"))
    sources = sorted(path for path in library.rglob("*.py") if "site-packages" not in path.parts)
    texts = [b"".join(path.read_bytes().splitlines(keepends=True)[:_LINES]) for path in sources]
    for number in range(FILES - 1):
        path = root / f"{number // _FOLDER_SIZE:03}" / f"{number:05}.py"
        path.parent.mkdir(exist_ok=True)
        # Each has a line of its own: no scanner is to recognise a file that it has seen.
        path.write_bytes(f"# {number}\n".encode() + texts[number % len(texts)])
    (root / "bootstrap.toml").write_text(_MANIFEST, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    return root


def _made_up() -> dict[str, str]:
    """Set every secret of the manifest to something that stands in no file."""
    word = string.ascii_letters + string.digits
    return {
        "HONEYCOMB_API_KEY": "".join(secrets.choice(word) for _ in range(22)),
        "ROLLBAR_ACCESS_TOKEN": secrets.token_hex(16),
        "AWS_ACCESS_KEY_ID": "AKIA" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(16)),
        "AWS_SECRET_ACCESS_KEY": "".join(secrets.choice(word) for _ in range(40)),
        "DATABASE_URL": f"postgres://app:{secrets.token_urlsafe(12)}@db.internal/app",
    }


def _check(ours: Command, theirs: Command, values: dict[str, str]) -> None:
    """Raise RuntimeError unless ours finds every value in the tree, and theirs the one that it knows."""
    leak = ours.directory / "050" / "leak.py"
    leak.write_text("".join(f"{name} = '{value}'\n" for name, value in values.items()), encoding="utf-8")
    found = _output(ours)
    known = _output(theirs, str(leak))
    leak.unlink()
    if any(f"the value of {name}" not in found for name in values) or "AWS Access Key" not in known:
        raise RuntimeError("a scanner does not find what it should")


def _output(command: Command, *more: str) -> str:
    done = subprocess.run(
        (*command.argv, *more),
        cwd=command.directory,
        env=dict(command.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout
