"""What tells this start of the machine or container from the next one."""

from collections.abc import Mapping
from pathlib import Path


def instance(environ: Mapping[str, str]) -> str:
    """A text that changes with every start: the boot's id, the first process's start, Gitpod's own id."""
    return " ".join((_boot_id(), _first_process(), environ.get("GITPOD_INSTANCE_ID", "")))


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        import psutil  # noqa: PLC0415 - only where there is no /proc

        return str(int(psutil.boot_time()))


def _first_process() -> str:
    """In a container, process 1 starts with it; proc(5): the 22nd field, and the name may hold blanks."""
    try:
        return Path("/proc/1/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
