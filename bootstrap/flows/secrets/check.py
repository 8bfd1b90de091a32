"""Says which secrets are missing, which cannot be right, and, asking the vendors, which do not work."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from bootstrap.flows.environment import Lookup
from bootstrap.flows.secrets import slips
from bootstrap.model.masking import Mask
from bootstrap.model.project import Project, SecretSpec
from bootstrap.model.remark import Mark, Remark
from bootstrap.vendors import VENDORS
from bootstrap.vendors.interface import Vendor

#: characters of the longest remark that a vendor's answer makes
_LONGEST = 400


def check(
    project: Project,
    specs: Mapping[str, SecretSpec],
    lookup: Lookup,
    *,
    online: Mapping[str, str] | None = None,
) -> Iterator[Remark]:
    """Look at every secret of `specs`; no remark holds a value.

    With `online`, the environment to ask them in, vendors are asked about the keys that look right. Raises
    BootstrapError where a store cannot say what it holds; a vendor that cannot be asked is a remark.
    """
    found = {name: secret.reveal() for name in specs if (secret := lookup(name)) is not None}
    slipped = {name: remark for name in found if (remark := _slip(specs[name], found[name])) is not None}
    sound = {name: found[name] for name in found if name not in slipped}
    said = _inspected(project, sound)
    for name, spec in specs.items():
        yield from [slipped[name]] if name in slipped else _looks(project, spec, sound, said.get(name, []))
    if online is not None:
        yield from _asked(project, sound, online)


def _slip(spec: SecretSpec, value: str) -> Remark | None:
    """Find what makes a value useless, however good the rest of it may be."""
    slip = slips.find(spec.name, value)
    if slip is None or not (slip.certain or _misfits(spec, value)):
        return None
    return Remark(spec.name, Mark.PROBLEM, slip.text, _way(spec))


def _misfits(spec: SecretSpec, value: str) -> bool:
    return spec.pattern is not None and not slips.matches(spec.pattern, value)


def _inspected(project: Project, values: Mapping[str, str]) -> dict[str, list[Remark]]:
    """What the vendors' own eyes see, by secret."""
    said: dict[str, list[Remark]] = {}
    # Vendors of one house look at the same keys.
    for inspect in dict.fromkeys(vendor.inspect for vendor in _vendors(project)):
        for remark in inspect(project, values):
            said.setdefault(remark.subject, []).append(remark)
    return said


def _looks(
    project: Project, spec: SecretSpec, values: Mapping[str, str], said: list[Remark]
) -> Iterable[Remark]:
    """Judge one secret by its looks; a vendor's words go before our own."""
    value = values.get(spec.name)
    if value is None:
        return said or [_missing(project, spec)]
    if any(remark.mark is Mark.PROBLEM for remark in said):
        return said
    if _misfits(spec, value):
        return [_misfit(project, spec)]
    slip = slips.find(spec.name, value)
    if slip is not None:
        return [*said, Remark(spec.name, Mark.NOTE, f"{slip.text}, by its looks", _way(spec))]
    return said or [Remark(spec.name, Mark.OK, "is set")]


def _missing(project: Project, spec: SecretSpec) -> Remark:
    if spec.required:
        return Remark(spec.name, Mark.PROBLEM, "is missing, and required", _way(spec))
    if spec.audience != "service":
        text = f"is not set; it is for `bootstrap {spec.audience}`, and no service sees it"
    elif titles := [vendor.title for vendor in _vendors(project) if spec in vendor.secrets]:
        text = f"is not set: nothing is sent to {' and '.join(titles)}"
    else:
        text = "is not set, and optional"
    return Remark(spec.name, Mark.NOTE, text, _way(spec))


def _misfit(project: Project, spec: SecretSpec) -> Remark:
    text = f"does not match its pattern: {spec.pattern}"
    if spec.name not in project.secrets:
        text = f"does not look like what it has to be: {spec.description}"
    return Remark(spec.name, Mark.PROBLEM, text, _way(spec))


def _asked(project: Project, values: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Remark]:
    """Pass on what the vendors answer, whatever it may quote, and however long."""
    for ask in dict.fromkeys(vendor.ask for vendor in _vendors(project)):
        for remark in ask(project, values, environ):
            yield discreet(remark, values)


def discreet(remark: Remark, values: Mapping[str, str]) -> Remark:
    """Make what a vendor answered fit to be shown: none of the values that it was given, and not too long."""
    mask = Mask(values.values())
    # What is cut first may end in the beginning of a value, which no mask knows.
    return replace(remark, text=mask(remark.text)[:_LONGEST], hint=mask(remark.hint))


def _vendors(project: Project) -> list[Vendor]:
    """The vendors that a service reports to."""
    return [vendor for vendor in VENDORS.values() if project.reporting_to(vendor.name)]


def _way(spec: SecretSpec) -> str:
    """What to type, and where the value is to be had."""
    return f"bootstrap secrets set {spec.name}" + (f"  ({spec.documentation})" if spec.documentation else "")
