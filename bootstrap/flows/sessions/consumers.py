"""Who in a run has parts of AWS keys, and what has to be exchanged when a session was renewed."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from bootstrap.flows.environment import Give, fill_in
from bootstrap.model.environment import Claim, Text, Variable
from bootstrap.model.grant import PURPOSES, Purpose
from bootstrap.stack.interface import Renewal
from bootstrap.vendors import VENDORS
from bootstrap.vendors.aws import KEY_PARTS


class Consumer(Struct, frozen=True):
    """One service, daemon or collector of a run, and for what it has which variables of AWS keys."""

    name: str
    #: its variables, of which only those for a purpose count
    variables: tuple[Variable, ...] = ()
    #: what else is made of the values of all sessions until now, for one that only has to mask them
    masking: Callable[[Sequence[str]], Mapping[str, str]] | None = None

    def of(self, purpose: Purpose) -> tuple[Variable, ...]:
        """Its variables for one purpose."""
        return tuple(each for each in self.variables if purpose_of(each) == purpose)

    def concerns(self, purpose: Purpose) -> bool:
        """Whether it has to know of another session for this purpose."""
        return self.masking is not None or bool(self.of(purpose))


def purpose_of(variable: Variable) -> Purpose | None:
    """For what a variable's value is; None for what is no part of an AWS key."""
    return None if isinstance(variable.value, Text) else variable.value.purpose


def purposes(consumers: Iterable[Consumer]) -> list[Purpose]:
    """For what these need sessions."""
    having = [each for each in consumers if each.masking is None]
    return [purpose for purpose in PURPOSES if any(each.concerns(purpose) for each in having)]


def reported_for(clouds: Iterable[str]) -> list[Purpose]:
    """For what anybody needs a session in a run that reports to these vendors themselves."""
    found = {VENDORS[name].purpose for name in clouds}
    return [purpose for purpose in PURPOSES if purpose in found]


def values(purpose: Purpose, give: Give) -> dict[str, str]:
    """The parts of the key for a purpose, under the names that Compose's environment has for them."""
    claims = (Claim(name, purpose) for name in KEY_PARTS)
    return {claim.variable: secret.reveal() for claim in claims if (secret := give(claim)) is not None}


def renewal(
    purpose: Purpose, consumers: Iterable[Consumer], give: Give, known: Sequence[str], why: str
) -> Renewal:
    """Say what an engine has to exchange; `known` are the values of earlier sessions, which stay masked."""
    changed = values(purpose, give)
    hidden = (*known, *changed.values())
    services: dict[str, dict[str, str]] = {}
    for consumer in consumers:
        if consumer.concerns(purpose):
            masked = consumer.masking(hidden) if consumer.masking else {}
            services[consumer.name] = {
                **{item.name: item.text for item in fill_in(consumer.of(purpose), give)},
                **masked,
            }
            changed.update(masked)
    return Renewal(services, changed, hidden, why)
