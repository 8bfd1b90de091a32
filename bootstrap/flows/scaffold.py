"""The manifest of a project that has none, or half of one; and git's two lists of generated files."""

from pathlib import Path

import tomlkit
from msgspec import Struct
from tomlkit.exceptions import TOMLKitError

from bootstrap.config.errors import ManifestError
from bootstrap.config.location import MANIFEST
from bootstrap.flows import footprint
from bootstrap.flows.adopted_text import HEADER
from bootstrap.flows.render import IGNORED
from bootstrap.system import git, origin
from bootstrap.system.files import ProjectFiles

#: generated files keep LF line ends, so that every checkout has the same bytes
ATTRIBUTES = (
    "docker-compose.yml text eol=lf linguist-generated",
    ".gitpod.yml text eol=lf linguist-generated",
    ".devcontainer/** text eol=lf linguist-generated",
    ".env.example text eol=lf linguist-generated",
    "aws/** text eol=lf linguist-generated",
)
#: the same where most files of those names are somebody else's
ADOPTED_ATTRIBUTES = (
    "docker-compose.bootstrap.yml text eol=lf linguist-generated",
    ".devcontainer/install.sh text eol=lf linguist-generated",
)
_FIRST_PORT = 4567
#: what IGNORED names, as paths
_FOLDER = "/.bootstrap/"
_PATHS = ("bootstrap.local.toml", ".env")


class Manifest(Struct, frozen=True):
    """The manifest as it is to be; `done` says what that changes, None for nothing."""

    data: bytes
    done: str | None


def manifest(files: ProjectFiles) -> Manifest:
    """Make a manifest, or add what the one that is there lacks; comments and order stay. Writes nothing.

    Raises ManifestError when what is there cannot be read.
    """
    before = files.read(MANIFEST)
    if before is None:
        return Manifest(_new_manifest(files.root).encode(), "created")
    try:
        document = tomlkit.parse(before.decode())
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ManifestError("", f"is not valid TOML: {error}", "Correct that line.") from error
    if "project" in document:
        project = document["project"]
        if not isinstance(project, dict) or "name" in project:
            return Manifest(before, None)
        project["name"] = project_name(files.root)
        return Manifest(tomlkit.dumps(document).encode(), "completed with project.name")
    table = f'[project]\nname = "{project_name(files.root)}"\n\n'
    return Manifest(table.encode() + before, "completed with [project]")


def complete_list(files: ProjectFiles, path: str, lines: tuple[str, ...]) -> bool:
    """Append those of `lines` that `.gitignore` or `.gitattributes` lacks; whether there were any."""
    before = (files.read(path) or b"").decode("utf-8", "surrogateescape")
    present = {line.strip() for line in before.splitlines()}
    missing = [line for line in lines if line not in present and f"/{line}" not in present]
    if not missing:
        return False
    footprint.append(files, path, tuple(missing))
    return True


def complete_ignores(files: ProjectFiles, *, adopted: bool = False) -> list[str]:
    """Keep workspace files out of git, and generated ones the same everywhere; returns the files changed.

    In a repository that was `adopted` no list of its owner's is changed: what belongs to one workspace
    ignores itself, and the rest is ignored in this clone alone.
    """
    wanted = {".gitignore": IGNORED, ".gitattributes": ADOPTED_ATTRIBUTES if adopted else ATTRIBUTES}
    if b"* text=auto eol=lf" in (files.read(".gitattributes") or b""):
        del wanted[".gitattributes"]
    kept_apart = adopted or files.read(footprint.SELF_IGNORING) is not None
    theirs = {path for path in wanted if kept_apart and _is_another_s(files, path)}
    changed = [
        path for path, lines in wanted.items() if path not in theirs and complete_list(files, path, lines)
    ]
    if ".gitignore" in theirs:
        if files.read(footprint.SELF_IGNORING) is None:
            files.write(footprint.SELF_IGNORING, b"*\n")
        visible = (
            set(IGNORED)
            - {f"/{path}" for path in git.ignored(files.root, _PATHS)}
            - git.ignored(files.root, _PATHS)
        )
        if footprint.exclude(files.root, tuple(sorted(visible - {_FOLDER}))):
            changed.append(".git/info/exclude")
    return changed


def _is_another_s(files: ProjectFiles, path: str) -> bool:
    """Whether a list was there before us."""
    before = files.read(path)
    return before is not None and not before.startswith(b"# bootstrap\n")


def project_name(root: Path) -> str:
    """Make a label of the folder's name."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in root.name)
    return kept.strip("-")[:63] or "project"


def _new_manifest(root: Path) -> str:
    """Write a manifest with a service for every folder that has a Dockerfile."""
    document = tomlkit.document()
    for line in HEADER:
        document.add(tomlkit.comment(line.removeprefix("# ")))
    document.add(tomlkit.nl())
    project = tomlkit.table()
    project["name"] = project_name(root)
    project["region"] = "us-east-1"
    document["project"] = project
    if source := origin.installed_from():
        workspace = tomlkit.table()
        workspace["install"] = source
        document["workspace"] = workspace
    names: dict[str, Path] = {}
    for folder in _built_folders(root):
        names.setdefault(_service_name(folder), folder)
    for number, (name, folder) in enumerate(names.items()):
        service = tomlkit.table()
        service["build"] = folder.name
        service["port"] = _FIRST_PORT + number
        service["telemetry"] = ["honeycomb", "xray", "cloudwatch", "rollbar"]
        service.add(tomlkit.comment('command = "..."  # how to run it without a container engine'))
        document.setdefault("services", tomlkit.table(is_super_table=True))[name] = service
    if "services" not in document:
        document.add(tomlkit.comment("[services.backend]        # add your first service here"))
        document.add(tomlkit.comment('build = "backend"'))
        document.add(tomlkit.comment("port = 4567"))
        document.add(tomlkit.comment('telemetry = ["honeycomb", "xray", "cloudwatch", "rollbar"]'))
    return tomlkit.dumps(document)


def _built_folders(root: Path) -> list[Path]:
    return [
        folder
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.is_symlink() and (folder / "Dockerfile").is_file()
        # A folder whose name no service can have is left for its owner to add.
        if _service_name(folder)
    ]


def _service_name(folder: Path) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in folder.name.lower())
    return kept.strip("-")[:63]
