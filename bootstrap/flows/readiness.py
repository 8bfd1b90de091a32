"""Which vendors would take telemetry right now: their keys are looked at, then all are asked at once."""

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from bootstrap.flows.environment import OPTIONAL, Lookup, secret_specs
from bootstrap.flows.secrets.check import check, discreet
from bootstrap.flows.sessions.handing import Sessions
from bootstrap.model.environment import Claim, View
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.project import Project
from bootstrap.model.remark import Mark, Remark
from bootstrap.system.aws import AwsRefusedError, AwsUnreachableError
from bootstrap.vendors.aws import KEY_PARTS
from bootstrap.vendors.interface import Vendor

_Question = Callable[[], Remark]


def look(
    project: Project,
    vendors: Iterable[Vendor],
    sessions: Sessions,
    environ: Mapping[str, str],
    *,
    view: View,
    patience: float,
) -> dict[str, Remark]:
    """Say for each vendor whether it is ready, as Vendor.ready does; no remark holds a secret.

    One whose keys are missing or cannot be right is not asked, and neither is one whose daemon is needed and
    not installed. It is asked with exactly what a run would hand out. Who has not answered after `patience`
    seconds is UNKNOWN; a role that is new may take a little more. Raises what the stores raise.
    """
    found: dict[str, Remark] = {}
    given = patience
    questions: dict[str, _Question] = {}
    for vendor in vendors:
        at_hand = _at_hand(project, vendor, sessions.stored, environ, view)
        if at_hand is not None:
            found[vendor.name] = at_hand
        else:
            questions[vendor.name] = _question(project, vendor, sessions, environ)
            if vendor.purpose is not None and not sessions.raw:
                patience = max(patience, given + sessions.maker().patience)
    return found | _answers(questions, patience)


def _at_hand(
    project: Project, vendor: Vendor, lookup: Lookup, environ: Mapping[str, str], view: View
) -> Remark | None:
    """What nobody has to be asked about; None where everything that is here is right."""
    if vendor.ready is None:
        return Remark(vendor.name, Mark.NOTE, "nobody can ask it whether it is ready")
    names = _names(vendor)
    missing = [name for name in names if name not in OPTIONAL and lookup(name) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        return Remark(
            vendor.name,
            Mark.NOTE,
            f"{' and '.join(missing)} {are} not set",
            f"bootstrap secrets set {' '.join(missing)}",
        )
    return _wrong(project, names, lookup) or _without_daemon(vendor, environ, view)


def _names(vendor: Vendor) -> list[str]:
    """The secrets with which services report to the vendor."""
    return [spec.name for spec in vendor.secrets if spec.audience == "service"]


def _wrong(project: Project, names: Iterable[str], lookup: Lookup) -> Remark | None:
    """The first key that cannot be right by its looks."""
    specs = secret_specs(project)
    for remark in check(project, {name: specs[name] for name in names}, lookup):
        if remark.mark is Mark.PROBLEM:
            return replace(remark, mark=Mark.NOTE, text=f"{remark.subject}: {remark.text}")
    return None


def _without_daemon(vendor: Vendor, environ: Mapping[str, str], view: View) -> Remark | None:
    daemon = vendor.daemon
    if view != "host" or daemon is None or shutil.which(daemon.program, path=environ.get("PATH", os.defpath)):
        return None
    return Remark(
        vendor.name,
        Mark.NOTE,
        f"without containers it takes {daemon.title}, and no program {daemon.program!r} is on the PATH",
        f"Install it ({daemon.documentation}), or run the services in containers.",
    )


def _question(project: Project, vendor: Vendor, sessions: Sessions, environ: Mapping[str, str]) -> _Question:
    """Make what a thread of its own may call: everything that is stored is read here."""
    stored = {
        name: secret.reveal() for name in _names(vendor) if (secret := sessions.stored(name)) is not None
    }

    def ask() -> Remark:
        if vendor.ready is None:
            raise ValueError(vendor.name)
        try:
            given = {name: sessions(Claim(name, vendor.purpose)) for name in _names(vendor)}
        except BootstrapError as error:
            return discreet(_refused(project, vendor, error, stored), stored)
        values = {name: secret.reveal() for name, secret in given.items() if secret is not None}
        return discreet(vendor.ready(project, values, environ), {**stored, **values})

    return ask


def _refused(project: Project, vendor: Vendor, error: BootstrapError, stored: Mapping[str, str]) -> Remark:
    """Say why there is no session to report to a vendor with."""
    if isinstance(error, AwsRefusedError) and not error.hint:
        from bootstrap.vendors.keys import aws  # noqa: PLC0415 - no other command needs it

        remark = aws.refusal(error, project.region, temporary=bool(stored.get(KEY_PARTS[2])))
        return Remark(vendor.name, remark.mark, f"{remark.subject}: {remark.text}", remark.hint)
    mark = Mark.UNKNOWN if isinstance(error, AwsUnreachableError) else Mark.PROBLEM
    if isinstance(error, NotConfiguredError):
        mark = Mark.NOTE
    return Remark(vendor.name, mark, error.message, error.hint)


def _answers(questions: Mapping[str, _Question], patience: float) -> dict[str, Remark]:
    """Ask all at once, and wait for none longer than for all: a name service may take half a minute."""
    answers: queue.SimpleQueue[tuple[str, Remark]] = queue.SimpleQueue()

    def put(name: str, question: _Question) -> None:
        try:
            answers.put((name, question()))
        except Exception as error:  # noqa: BLE001 - what one vendor's library raises must not end the run
            answers.put((name, Remark(name, Mark.UNKNOWN, f"cannot be asked ({type(error).__name__})")))

    for name, question in questions.items():
        threading.Thread(target=put, args=(name, question), daemon=True, name=f"ready-{name}").start()
    found: dict[str, Remark] = {}
    deadline = time.monotonic() + patience
    while len(found) < len(questions):
        try:
            name, remark = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[name] = remark
    late = f"no answer within {patience:.0f} seconds"
    return {name: found.get(name, Remark(name, Mark.UNKNOWN, late, _AGAIN)) for name in questions}


_AGAIN = "Check the network, then again: bootstrap up"
