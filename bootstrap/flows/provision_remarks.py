"""What somebody should know beside a plan: names that disagree, and where traces are to be read."""

from collections.abc import Mapping, Sequence
from functools import partial

from bootstrap.flows import names
from bootstrap.model.errors import RemoteRefusedError
from bootstrap.model.project import Project
from bootstrap.model.remark import Mark, Remark
from bootstrap.provisioning.interface import Provider
from bootstrap.system.at_once import answers
from bootstrap.system.files import ProjectFiles
from bootstrap.vendors import VENDORS
from bootstrap.vendors.interface import Vendor


def gather(
    project: Project,
    chosen: Sequence[str],
    providers: Mapping[str, Provider],
    files: ProjectFiles | None,
) -> dict[str, tuple[str, ...]]:
    """Ask for all vendors at once: provider -> texts. What cannot be asked is not said; the plan says why."""
    vendors = [VENDORS[name] for name in chosen]
    asking = [partial(_asked, vendor, project, providers[vendor.provider]) for vendor in vendors]
    found: dict[str, list[Remark]] = dict(zip(chosen, answers(*asking), strict=True))
    if files is not None and "xray" in chosen:
        local = [remark for remark in names.examine(files, project) if remark.mark is not Mark.OK]
        found["xray"] = [*found["xray"], *local]
    texts: dict[str, tuple[str, ...]] = {}
    for name, remarks in found.items():
        provider = VENDORS[name].provider
        texts[provider] = texts.get(provider, ()) + tuple(map(_text, remarks))
    return texts


def _asked(vendor: Vendor, project: Project, provider: Provider) -> list[Remark]:
    try:
        return list(vendor.remarks(project, provider))
    except RemoteRefusedError:
        return []


def _text(remark: Remark) -> str:
    return f"{remark.text}. {remark.hint}" if remark.hint else remark.text
