"""What is handed out in a run: stored secrets, and of AWS's keys sessions for a purpose each."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bootstrap.flows.environment import Lookup
from bootstrap.model.environment import Claim
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.grant import PURPOSES, Purpose
from bootstrap.model.project import Project
from bootstrap.model.secret import Secret
from bootstrap.vendors.aws import KEY_PARTS

if TYPE_CHECKING:  # what makes sessions takes a while to import, and `run` of most services needs none
    from bootstrap.flows.sessions.making import Maker
    from bootstrap.system.aws_sessions import Session

#: hears why a session could not be had
Fail = Callable[[Purpose, BootstrapError], None]


class Sessions:
    """Gives what somebody in a run is to have (it is a Give), and keeps sessions in memory alone.

    A part of an AWS key is that of a session for the claim's purpose; without a purpose there is none. `raw`:
    the key itself, whatever it is for. `source` makes a Lookup that reads the stores, and reads them anew for
    every renewal. With `fail`, what cannot be had is not given, and `fail` is told once why; without, it is
    raised. Threads may use it.
    """

    def __init__(
        self,
        project: Project,
        source: Callable[[], Lookup],
        environ: Mapping[str, str],
        *,
        raw: bool = False,
        fail: Fail | None = None,
    ) -> None:
        self.raw = raw
        self._project = project
        self._source = source
        self._environ = environ
        self._fail = fail
        #: reads what is stored, to look at it and to make sessions of it
        self.stored: Lookup = source()
        self._making = threading.Lock()
        self._maker: Maker | None = None
        self._opening = {purpose: threading.Lock() for purpose in PURPOSES}
        self._open: dict[Purpose, Session] = {}
        self._failed: set[Purpose] = set()

    def __repr__(self) -> str:
        return "Sessions(...)"

    def __call__(self, claim: Claim) -> Secret | None:
        """Give what is claimed; None for what is not set, or for nobody."""
        if claim.secret not in KEY_PARTS:
            return self.stored(claim.secret)
        if self.stored(KEY_PARTS[0]) is None or self.stored(KEY_PARTS[1]) is None:
            # A half of a key is shown to whoever wants raw ones, and makes no session.
            return self.stored(claim.secret) if self.raw else None
        if self.raw:
            return self._raw(claim)
        if claim.purpose is None or claim.purpose in self._failed:
            return None
        try:
            session = self.session(claim.purpose)
        except BootstrapError as error:
            self._report(claim.purpose, error)
            return None
        return _part(session, claim.secret)

    def without_keys(self, claim: Claim) -> Secret | None:
        """Give what is claimed, but for AWS keys, for which nobody is asked."""
        return None if claim.secret in KEY_PARTS else self.stored(claim.secret)

    def _raw(self, claim: Claim) -> Secret | None:
        """Give the key itself, unless it is known to be the account's own."""
        from bootstrap.system.aws import AwsRefusedError, AwsUnreachableError  # noqa: PLC0415 - as above

        purpose = claim.purpose or PURPOSES[0]
        if purpose in self._failed:
            return None
        try:
            self.maker().owner()
        except (AwsRefusedError, AwsUnreachableError):
            pass
        except BootstrapError as error:
            self._report(purpose, error)
            return None
        return self.stored(claim.secret)

    def _report(self, purpose: Purpose, error: BootstrapError) -> None:
        if self._fail is None:
            raise error
        self._failed.add(purpose)
        self._fail(purpose, error)

    def maker(self) -> "Maker":
        """Who makes sessions of the key. Raises NotConfiguredError where there is none."""
        with self._making:
            if self._maker is None:
                self._maker = self._make(self.stored)
            return self._maker

    def _make(self, stored: Lookup) -> "Maker":
        from bootstrap.flows.sessions.making import Maker  # noqa: PLC0415 - as above
        from bootstrap.system.aws import Keys  # noqa: PLC0415 - as above

        parts = [stored(name) for name in KEY_PARTS]
        identifier, secret, token = (part.reveal() if part else None for part in parts)
        if identifier is None or secret is None:
            raise NotConfiguredError(
                "there is no AWS key to make a session of", f"bootstrap secrets set {' '.join(KEY_PARTS[:2])}"
            )
        return Maker(self._project, Keys(identifier, secret, token), self._environ)

    def session(self, purpose: Purpose) -> "Session":
        """Give the session for a purpose, made now if it was not yet. Raises as Maker.session does."""
        with self._opening[purpose]:
            if purpose not in self._open:
                self._open[purpose] = self.maker().session(purpose)
            return self._open[purpose]

    def renew(self, purpose: Purpose) -> "Session":
        """Make another session in the place of one, of the key as it is stored now.

        Raises as `session` does, or as the stores do; the one before then stays.
        """
        stored = self._source()
        maker = self._make(stored)
        session = maker.session(purpose)
        with self._opening[purpose]:
            self._maker, self._open[purpose] = maker, session
        return session

    @property
    def open(self) -> "dict[Purpose, Session]":
        """The sessions that there are."""
        return {purpose: self._open[purpose] for purpose in PURPOSES if purpose in self._open}


def _part(session: "Session", name: str) -> Secret | None:
    from bootstrap.flows.sessions.times import when  # noqa: PLC0415 - as above

    keys = session.keys
    parts = (keys.access_key_id, keys.secret_access_key, keys.session_token)
    value = dict(zip(KEY_PARTS, parts, strict=True))[name]
    return Secret(value, f"AWS session until {when(session.until)}") if value else None


def said(error: BootstrapError) -> str:
    """One line of an error, with what to do; AWS's own words may end in a full stop."""
    return f"{error.message.rstrip('.')}. {error.hint}" if error.hint else error.message
