"""Every vendor's cloud at once, with keys of a project that they know."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.stand_ins.aws_telemetry import Logs, Xray
from tests.stand_ins.honeycomb import Honeycomb, ingest_key
from tests.stand_ins.rollbar import Rollbar, token
from tests.stand_ins.sts import Known, Sts, key_id, secret_key, session_token

if TYPE_CHECKING:
    from tests.stand_ins.server import StandIn

USER = "arn:aws:iam::123456789012:user/somebody"
ROOT = "arn:aws:iam::123456789012:root"


class Clouds:
    """Honeycomb, Rollbar and AWS while it is entered; the log group is called `shop`."""

    def __init__(self) -> None:
        self.honeycomb, self.rollbar, self.sts = Honeycomb(), Rollbar(), Sts()
        self.xray, self.logs = Xray(), Logs("shop")
        self.sts.others = (self.xray, self.logs)
        self._entered = ExitStack()

    def __enter__(self) -> Self:
        for server in self._all:
            self._entered.enter_context(server)
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    @property
    def _all(self) -> tuple[StandIn, ...]:
        return (self.honeycomb, self.rollbar, self.sts, self.xray, self.logs)

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which they are asked instead of the real ones."""
        return {
            "BOOTSTRAP_HONEYCOMB_ENDPOINT": self.honeycomb.url,
            "BOOTSTRAP_ROLLBAR_ENDPOINT": self.rollbar.url,
            "AWS_ENDPOINT_URL_STS": self.sts.url,
            "AWS_ENDPOINT_URL_XRAY": self.xray.url,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": self.logs.url,
        }

    @property
    def asked(self) -> int:
        """How many requests all of them have received."""
        return sum(len(server.requests) for server in self._all)

    def honeycomb_key(self) -> dict[str, str]:
        """Make an ingest key known."""
        return {"HONEYCOMB_API_KEY": self.honeycomb.add(ingest_key(), "createDatasets")}

    def rollbar_token(self, *scopes: str) -> dict[str, str]:
        """Make a token known, by default with the scope that services need."""
        return {"ROLLBAR_ACCESS_TOKEN": self.rollbar.add(token(), *(scopes or ("post_server_item",)))}

    def aws_key(self, *allowed: str, arn: str = USER, temporary: bool = False) -> dict[str, str]:
        """Make a key known, by default one that may do what services and daemon do."""
        values = {
            "AWS_ACCESS_KEY_ID": key_id("ASIA" if temporary else "AKIA"),
            "AWS_SECRET_ACCESS_KEY": secret_key(),
            **({"AWS_SESSION_TOKEN": session_token()} if temporary else {}),
        }
        actions = frozenset((*(allowed or (Xray.action, Logs.action)), Sts.federate))
        known = Known(values["AWS_SECRET_ACCESS_KEY"], arn, values.get("AWS_SESSION_TOKEN"), allowed=actions)
        for server in (self.sts, self.xray, self.logs):
            server.keys[values["AWS_ACCESS_KEY_ID"]] = known
        return values

    def every_key(self) -> dict[str, str]:
        """Make keys of all vendors known."""
        return self.honeycomb_key() | self.rollbar_token() | self.aws_key()
