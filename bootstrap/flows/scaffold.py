"""The manifest of a project that has none, or half of one; and git's two lists of generated files."""

from pathlib import Path

import tomlkit
from msgspec import Struct
from tomlkit.exceptions import TOMLKitError

from bootstrap.config.errors import ManifestError
from bootstrap.config.location import MANIFEST
from bootstrap.flows.render import IGNORED
from bootstrap.system.files import ProjectFiles

#: generated files keep LF line ends, so that every checkout has the same bytes
ATTRIBUTES = (
    "docker-compose.yml text eol=lf linguist-generated",
    ".gitpod.yml text eol=lf linguist-generated",
    ".devcontainer/** text eol=lf linguist-generated",
    ".env.example text eol=lf linguist-generated",
    "aws/** text eol=lf linguist-generated",
)
_FIRST_PORT = 4567


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
        project["name"] = _project_name(files.root)
        return Manifest(tomlkit.dumps(document).encode(), "completed with project.name")
    table = f'[project]\nname = "{_project_name(files.root)}"\n\n'
    return Manifest(table.encode() + before, "completed with [project]")


def complete_list(files: ProjectFiles, path: str, lines: tuple[str, ...]) -> bool:
    """Append those of `lines` that `.gitignore` or `.gitattributes` lacks; whether there were any."""
    before = (files.read(path) or b"").decode("utf-8", "surrogateescape")
    present = {line.strip() for line in before.splitlines()}
    missing = [line for line in lines if line not in present and f"/{line}" not in present]
    if not missing:
        return False
    start = before if not before or before.endswith("\n") else before + "\n"
    text = f"{start}{'' if not start else chr(10)}# bootstrap\n" + "".join(f"{line}\n" for line in missing)
    files.write(path, text.encode("utf-8", "surrogateescape"))
    return True


def complete_ignores(files: ProjectFiles) -> list[str]:
    """Keep workspace files out of git, and generated ones the same everywhere; returns the files changed."""
    wanted = {".gitignore": IGNORED, ".gitattributes": ATTRIBUTES}
    if b"* text=auto eol=lf" in (files.read(".gitattributes") or b""):
        del wanted[".gitattributes"]
    return [path for path, lines in wanted.items() if complete_list(files, path, lines)]


def _project_name(root: Path) -> str:
    """Make a label of the folder's name."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in root.name)
    return kept.strip("-")[:63] or "project"


def _new_manifest(root: Path) -> str:
    """Write a manifest with a service for every folder that has a Dockerfile."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Which services there are, and which telemetry vendors each reports to."))
    document.add(tomlkit.comment("Everything else follows: change this file, then run `bootstrap render`."))
    document.add(tomlkit.nl())
    project = tomlkit.table()
    project["name"] = _project_name(root)
    project["region"] = "us-east-1"
    document["project"] = project
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
