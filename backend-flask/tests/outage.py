"""A backend that reports to all four vendors while some of them fail, and whether its books are right."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from receivers import HEALTHY, PATIENCE, REFUSED, AllVendors, Fault
from servers import Served, running
from traffic import Traffic

VENDORS = ("honeycomb", "xray", "cloudwatch", "rollbar")
HEALTH_CHECK = "/api/health-check"
GUNICORN = (sys.executable, "-u", "-m", "gunicorn")


@dataclass(frozen=True)
class Account:
    """What the health check says of one vendor."""

    sent: int
    dropped: int
    last_failure: str | None
    waiting: int = 0  # X-Ray's segments never wait

    @property
    def total(self) -> int:
        return self.sent + self.dropped + self.waiting


Accounts = dict[str, Account]


class Backend:
    """The running backend, its vendors, and what the vendors are due."""

    def __init__(self, server: Served, vendors: AllVendors) -> None:
        self.server = server
        self.vendors = vendors
        self.traffic = Traffic(server.port)

    @contextmanager
    def failing(self, fault: Fault, names: Sequence[str] = VENDORS) -> Iterator[None]:
        """Let these vendors fail inside the block."""
        receivers = [self.vendors.by_name[name] for name in names]
        felt = [receiver.spoilt.count for receiver in receivers]
        for receiver in receivers:
            receiver.fault = fault
        try:
            yield
            if fault != REFUSED:  # then nobody is there to count
                for receiver, count in zip(receivers, felt, strict=True):
                    if receiver is not self.vendors.xray:  # which is asked for rules only now and then
                        receiver.spoilt.wait_for(count + 1)
        finally:
            self.vendors.set_fault(HEALTHY)

    def accounts(self) -> Accounts:
        """Ask until the accounts add up: what a thread is just sending is in none of them for a moment."""
        due = self.traffic.due
        accounts: Accounts = {}

        def add_up() -> bool:
            nonlocal accounts
            expected = dict(due.of)
            accounts = self._ask()
            return all(
                0 <= accounts[name].total - expected[name] <= (due.undecided if name == "xray" else 0)
                for name in expected
            )

        eventually(add_up, lambda: f"the accounts to add up to {due}: {accounts}")
        return accounts

    def _ask(self) -> Accounts:
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        ) as connection:
            connection.request("GET", HEALTH_CHECK)
            response = connection.getresponse()
            text = response.read().decode()
        self.traffic.due.of["cloudwatch"] += 1  # for this request
        assert response.status == 200
        assert self.leaked(text) == []
        health = json.loads(text)
        assert set(health["telemetry"].values()) == {"on"}
        return {name: Account(**account) for name, account in health["delivery"].items()}

    def wait_until(
        self, condition: Callable[[Accounts], bool], wanted: str, patience: float = PATIENCE
    ) -> Accounts:
        """Wait until the accounts are as wanted."""
        accounts: Accounts = {}

        def as_wanted() -> bool:
            nonlocal accounts
            accounts = self.accounts()
            return condition(accounts)

        eventually(as_wanted, lambda: f"{wanted}: {accounts}", patience)
        return accounts

    def wait_for(self, trace_id: str, names: Sequence[str] = VENDORS) -> None:
        """Wait until these vendors have heard of that trace."""
        for name in names:
            heard = partial(self._has_heard, name, trace_id)
            eventually(heard, lambda: f"every one of {names} to hear of the trace: {self._ask()}")

    def wait_for_anything(self, names: Sequence[str]) -> None:
        """Wait until these vendors have heard of something."""
        counts = {name: self.vendors.by_name[name].inbox.count for name in names}
        eventually(
            lambda: all(self._hears_more(name, count) for name, count in counts.items()),
            lambda: f"every one of {names} to hear of something: {self._ask()}",
        )

    def _hears_more(self, name: str, count: int) -> bool:
        heard = self.vendors.by_name[name].inbox.count > count
        if name == "xray" and not heard:  # nobody sends again what it has missed
            self.traffic.greet()
        return heard

    def _has_heard(self, name: str, trace_id: str) -> bool:
        return trace_id in map(_TRACE_OF[name], tuple(self.vendors.by_name[name].inbox.items))

    def settle(self) -> Accounts:
        """Wait until nothing waits but the lines of the health checks themselves."""
        return self.wait_until(
            lambda accounts: all(account.waiting < 10 for account in accounts.values()),
            "the buffers to empty",
        )

    def leaked(self, text: str) -> list[str]:
        """Which secrets are in that text."""
        cloudwatch = self.vendors.cloudwatch.credentials
        known = [
            *self.traffic.secrets,
            self.vendors.honeycomb.key or "",
            self.vendors.rollbar.token,
            cloudwatch.access_key,
            cloudwatch.secret_key,
        ]
        return [secret for secret in known if secret in text]

    def check_log(self) -> None:
        """Make sure that the log is fit to be read by anybody, and short."""
        log = self.server.log()
        assert self.leaked("".join(log)) == []
        unusual = [line for line in log if "[INFO]" not in line]
        assert not [line for line in unusual if "Traceback" in line], log
        assert len(unusual) < 20, log


_TRACE_OF: Mapping[str, Callable[[Any], str]] = {
    "honeycomb": lambda received: received.span.trace_id.hex(),
    "xray": lambda segment: segment["trace_id"][2:].replace("-", ""),
    "cloudwatch": lambda line: json.loads(line.message)["trace_id"],
    "rollbar": lambda item: item.get("custom", {}).get("trace_id", ""),
}


def eventually(condition: Callable[[], bool], wanted: Callable[[], str], patience: float = PATIENCE) -> None:
    """Ask again and again until `condition` holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waiting for {wanted()}"
        time.sleep(0.05)


@contextmanager
def reporting(
    argv: Sequence[str] = GUNICORN, vendors_environ: Callable[[AllVendors], Mapping[str, str]] | None = None
) -> Iterator[Backend]:
    """Start a backend that reports to receivers of its own; `vendors_environ` may say where they are."""
    with AllVendors() as vendors:
        environ = vendors_environ(vendors) if vendors_environ else vendors.environ
        with running(argv, {"PORT": "0", "TRACE_HEADERS": "trusted", **environ}) as server:
            yield Backend(server, vendors)
