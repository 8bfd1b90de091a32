"""What is compared: who fails, and how."""

from collections.abc import Mapping
from dataclasses import dataclass

VENDORS = {
    "honeycomb": ("OTEL_",),
    "xray": ("AWS_XRAY_",),
    "cloudwatch": ("AWS_ENDPOINT_URL_CLOUDWATCH_",),
    "rollbar": ("ROLLBAR_",),
}
ALL = "all"
NO_NAME = "DNS failure"
#: as the receivers call them, but for the last, which is one of the environment
FAULTS = ("refused", "black hole", "429", "500", "401", "slow 30", NO_NAME)


@dataclass(frozen=True)
class Case:
    """One vendor, or all of them, and what is wrong there: one of `FAULTS`, or nothing."""

    vendor: str = ALL
    fault: str | None = None

    @property
    def title(self) -> str:
        """How tables call it."""
        return f"{self.vendor}: {self.fault}" if self.fault else "all is well"

    @property
    def command(self) -> str:
        """What the receivers are told."""
        return f"{self.vendor} {self.fault}" if self.fault not in {None, NO_NAME} else ""

    def environ(self, vendors: Mapping[str, str]) -> dict[str, str]:
        """Where the vendors are said to be, when these variables lead to the receivers."""
        if self.fault != NO_NAME:
            return dict(vendors)
        failing = VENDORS.get(self.vendor) or tuple(prefix for of in VENDORS.values() for prefix in of)
        return {
            name: value.replace("127.0.0.1", "no.such.host.invalid") if name.startswith(failing) else value
            for name, value in vendors.items()
        }


HEALTHY = Case()
