"""Plans, applies and removes what the vendors' APIs need for a project."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bootstrap.flows import provision_remarks
from bootstrap.model.errors import NotConfiguredError, UsageError
from bootstrap.model.project import Project
from bootstrap.provisioning import applying, planning
from bootstrap.provisioning.interface import (
    Account,
    Change,
    Direction,
    Opening,
    Outcome,
    Owner,
    Plan,
    Provider,
    Resource,
)
from bootstrap.system.at_once import answers
from bootstrap.system.files import ProjectFiles
from bootstrap.vendors import VENDORS


def _aws(opening: Opening) -> Provider:
    from bootstrap.provisioning.aws.leftovers import Tidy  # noqa: PLC0415 - half a second, for one command

    return Tidy(opening)


def _honeycomb(opening: Opening) -> Provider:
    from bootstrap.provisioning.honeycomb.access import Entrance  # noqa: PLC0415 - as above
    from bootstrap.provisioning.honeycomb.leftovers import Tidy  # noqa: PLC0415 - as above
    from bootstrap.vendors.honeycomb import ENDPOINTS  # noqa: PLC0415 - as above
    from bootstrap.vendors.keys import honeycomb as keys  # noqa: PLC0415 - as above

    return Tidy(opening, Entrance(ENDPOINTS, keys.MANAGES, keys.HERE, keys.THERE, keys.cannot_manage))


#: how each provider is opened: its keys are read, and it is asked nothing yet
PROVIDERS: Mapping[str, Callable[[Opening], Provider]] = {"aws": _aws, "honeycomb": _honeycomb}


class Work(Struct, frozen=True):
    """A plan, and the APIs that it is about."""

    accounts: tuple[Account, ...]
    plan: Plan
    providers: Mapping[str, Provider]

    @property
    def admitted(self) -> tuple[str, ...]:
        """Other accounts that somebody would be let in from."""
        return planning.admitted(self.plan)

    @property
    def owners(self) -> Mapping[str, Owner]:
        """Whose mark each provider's resources get."""
        return {account.provider: account.owner for account in self.accounts}


def provisioned(project: Project) -> tuple[str, ...]:
    """The vendors that services report to and that need anything to be made."""
    return tuple(
        vendor.name for vendor in VENDORS.values() if vendor.provider and project.reporting_to(vendor.name)
    )


def plan(
    opening: Opening,
    *,
    only: Sequence[str] = (),
    adopt: Sequence[str] = (),
    direction: Direction = "apply",
    with_logs: bool = False,
    seen: Callable[[Account], None] = lambda _account: None,
    files: ProjectFiles | None = None,
) -> Work:
    """Ask whose account it is, tell `seen`, then look at everything at once, `files` of the project, too.

    The accounts of what is returned have more remarks than those that are `seen`. Raises UsageError for a
    vendor or a name that nothing has, NotConfiguredError where keys are missing or belong to somebody else,
    and RemoteRefusedError.
    """
    chosen = _chosen(opening.project, only)
    for vendor in chosen:
        VENDORS[vendor].check(opening.project)
    names = tuple(dict.fromkeys(VENDORS[vendor].provider for vendor in chosen))
    providers = {name: _opened(name, opening, chosen) for name in names}
    accounts: Sequence[Account] = answers(*(provider.account for provider in providers.values()))
    for account in accounts:
        seen(account)
    resources = tuple(_resources(opening.project, chosen, providers))
    known = frozenset(resource.key for resource in resources)
    found, remarks, *more = answers(
        partial(planning.look, resources, removing=direction == "destroy"),
        partial(
            provision_remarks.gather,
            opening.project,
            chosen if direction == "apply" else (),
            providers,
            files,
        ),
        *(partial(provider.leftovers, known, only, direction) for provider in providers.values()),
    )
    leftovers = [resource for resources in more for resource in resources]
    resources = (*resources, *leftovers)
    found |= planning.look(leftovers)
    work = planning.Wish(
        direction=direction,
        adopt=frozenset(adopt),
        vendors=frozenset(only),
        with_logs=with_logs,
        owners={account.provider: account.owner for account in accounts},
    )
    told = tuple(replace(one, remarks=one.remarks + remarks.get(one.provider, ())) for one in accounts)
    return Work(told, planning.plan(resources, found, work), providers)


def carry_out(work: Work, tell: Callable[[Change], None]) -> Outcome:
    """Do what was planned; `tell` is called before each change. Nothing that was refused is raised."""
    return applying.carry_out(work.plan, work.owners, work.providers, tell)


def _opened(name: str, opening: Opening, chosen: Sequence[str]) -> Provider:
    """Open a provider. Where its keys are missing, the hint says how the others' part is done without it."""
    try:
        return PROVIDERS[name](opening)
    except NotConfiguredError as error:
        others = " ".join(vendor for vendor in chosen if VENDORS[vendor].provider != name)
        if not others:
            raise
        hint = f"{error.hint.rstrip('.')}. Or leave it out, and name the others: {others}"
        raise NotConfiguredError(error.message, hint) from None


def _chosen(project: Project, only: Sequence[str]) -> tuple[str, ...]:
    every = provisioned(project)
    for name in only:
        if name not in every:
            raise UsageError(
                f"there is nothing to provision for {name!r}",
                f"Vendors of this project: {', '.join(every)}" if every else _NOTHING,
            )
    if not every:
        raise NotConfiguredError("no service reports to a vendor that needs anything", _NOTHING)
    return tuple(name for name in every if not only or name in only)


_NOTHING = 'Let a service report to one: telemetry = ["honeycomb", "xray", "cloudwatch"] in [services.NAME]'


def _resources(
    project: Project, chosen: Sequence[str], providers: Mapping[str, Provider]
) -> Sequence[Resource]:
    """Everything that the chosen vendors need; what several of them need is there once."""
    found: dict[str, Resource] = {}
    for name in chosen:
        vendor = VENDORS[name]
        for resource in vendor.resources(project, providers[vendor.provider]):
            found.setdefault(resource.key, resource)
    if "aws" in providers:
        from bootstrap.vendors import identities  # noqa: PLC0415 - as above

        aws: Any = providers["aws"]
        for resource in identities.resources(project, aws, chosen):
            found[resource.key] = resource
    return tuple(found.values())
