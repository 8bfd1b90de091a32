"""AWS SSM Parameter Store: one encrypted parameter for each service that declares the secret.

`/bootstrap/<owner>/<repository>/<service>/<NAME>`, in lower case but for the name; on hosts other than GitHub
the host stands before the owner. `_project`, which cannot be a service, is for what no service declares.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from bootstrap.encoding.names import check_name
from bootstrap.model.errors import BootstrapError, NotConfiguredError
from bootstrap.model.secret import Secret
from bootstrap.secrets.interface import Fate, Outcome, Place, SecretStore
from bootstrap.system.aws import Keys, Profile
from bootstrap.system.endpoints import override
from bootstrap.system.ssm import BATCH, LARGEST, LEVELS, LONGEST_ARN, Parameter, Parameters, batches, of_one

_PART = re.compile(r"[a-z0-9_.-]+", re.ASCII)
_REFERENCE = re.compile(r"\{\{.*\}\}", re.DOTALL)
_ID, _KEY, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


class Store(SecretStore):
    """Keeps secrets in the project's region, with the project's own keys or a profile that somebody named."""

    name = "ssm"
    title = "AWS SSM Parameter Store"
    caution = "Whoever may read Parameter Store in this AWS account can read it."
    #: how often a call is tried while AWS is busy
    attempts: ClassVar[int] = 8

    def __init__(self, place: Place) -> None:
        self._place = place

    def unavailable(self) -> str | None:
        """Look whether there are keys and a name; AWS is not asked."""
        try:
            self._root()
            self._credentials()
            override(self._place.environ, "AWS_ENDPOINT_URL_SSM")
        except BootstrapError as error:
            return f"{error.message}. {error.hint}"
        return None

    def get(self, name: str) -> Secret | None:
        """Read one secret. Raises BootstrapError where the services that declare it have different values."""
        return self.get_many([name]).get(name)

    def get_many(self, names: Iterable[str]) -> dict[str, Secret]:
        """Read ten parameters a call."""
        wanted = {name: self._paths(name) for name in names}
        found = self._remote.read(path for paths in wanted.values() for path in paths)
        secrets = {name: self._agreed(name, paths, found) for name, paths in wanted.items()}
        return {name: secret for name, secret in secrets.items() if secret is not None}

    def names(self) -> frozenset[str]:
        """List what `get` would find."""
        listed = self._remote.listed()
        names = {path.rpartition("/")[2] for path in listed}
        return frozenset(name for name in names if not listed.isdisjoint(self._paths(name)))

    def check(self, name: str, value: Secret) -> None:
        """Refuse what AWS would refuse or change."""
        check_name(name)
        super().check(name, value)
        text = value.reveal()
        if len(text.encode()) > LARGEST:
            raise BootstrapError(
                f"{name}: is longer than the {LARGEST} bytes of a standard parameter",
                "Use another store (--store), or keep the value in a file.",
            )
        if _REFERENCE.search(text):
            raise BootstrapError(
                f"{name}: holds {{{{...}}}}, which AWS refuses: it would refer to another parameter",
                "Use another store (--store), or store it as base64.",
            )
        arn = f"arn:aws:ssm:{self._place.region}:{0:012}:parameter"
        if any(len(arn) + len(path) > LONGEST_ARN for path in self._paths(name)):
            raise BootstrapError(f"{name[:40]}...: is too long a name for a parameter", "Use a shorter one.")

    def _keep(self, values: Mapping[str, Secret]) -> Iterator[Outcome]:
        """Read everything, write what differs, and read that back: ten a call, but for writing."""
        jobs = [_Job(name, value, self._paths(name)) for name, value in values.items()]
        self._compare_all(jobs)
        queue, unread = deque(jobs), deque[tuple[_Job, str]]()
        for job in jobs:
            unread.extend(self._put(job, jobs))
            while len(unread) >= BATCH:
                self._read_back([unread.popleft() for _ in range(BATCH)], jobs)
            yield from _settled(queue)
        self._read_back(tuple(unread), ())
        yield from _settled(queue)

    def _compare_all(self, jobs: Sequence["_Job"]) -> None:
        """Find out what is there, and so what has to be written."""
        jobs_of = {path: job for job in jobs for path in job.paths}
        ended: BootstrapError | None = None
        for batch in batches(jobs_of):
            concerned = [jobs_of[path] for path in batch]
            if ended is not None:
                _fail(ended, concerned)
                continue
            try:
                found = self._remote.read(batch)
            except BootstrapError as error:
                _fail(error, concerned)
                ended = None if of_one(error) else error
                continue
            for path, job in zip(batch, concerned, strict=True):
                if found.get(path) != Parameter(job.value.reveal(), encrypted=True):
                    job.different.append(path)

    def _put(self, job: "_Job", jobs: Iterable["_Job"]) -> Iterator[tuple["_Job", str]]:
        """Write one secret wherever it differs; what would fail for all is not tried again."""
        job.tried = True
        for path in job.different:
            if job.error is None:
                try:
                    self._remote.write(path, job.value.reveal())
                except BootstrapError as error:
                    _fail(error, [job], jobs)
                else:
                    job.unread += 1
                    yield job, path

    def _read_back(self, written: Sequence[tuple["_Job", str]], jobs: Iterable["_Job"]) -> None:
        """Compare what AWS has with what it was given."""
        try:
            found = self._remote.read(path for _, path in written)
        except BootstrapError as error:
            _fail(error, [job for job, _ in written], jobs)
            found = {}
        for job, path in written:
            job.unread -= 1
            there = found.get(path)
            try:
                self._compare(job.name, job.value, None if there is None else Secret(there.value, self.name))
            except BootstrapError as error:
                _fail(error, [job])

    def _forget(self, name: str) -> Fate:
        return Fate.REMOVED if self._remote.remove(self._paths(name)) else Fate.ABSENT

    def _agreed(self, name: str, paths: Iterable[str], found: Mapping[str, Parameter]) -> Secret | None:
        """The value that every service has which has one."""
        held = [path for path in paths if path in found]
        other = next((path for path in held if found[path].value != found[held[0]].value), None)
        if other is not None:
            raise BootstrapError(
                f"{name}: {held[0]} and {other} have different values",
                f"Give both the one that is right: bootstrap secrets set {name} --store ssm",
            )
        return Secret(found[held[0]].value, self.name) if held else None

    def _paths(self, name: str) -> list[str]:
        services = self._place.services.get(name) or ("_project",)
        return [f"{self._root()}/{service}/{name}" for service in services]

    def _root(self) -> str:
        """The path of this repository; raises NotConfiguredError where AWS allows no such name."""
        repository = self._place.repository
        repository.check_remote("parameters are named after")
        host, *parts = repository.identity.split("/")
        if host != "github.com":
            # A host without a dot looks like an owner; no owner ends with one.
            parts = [host if "." in host else f"{host}.", *parts]
        if not all(_PART.fullmatch(part) for part in parts):
            raise NotConfiguredError(
                f"{repository.identity} holds other characters than a-z 0-9 . - _, and AWS allows no others",
                "Use another store (--store).",
            )
        if len(parts) + len(("bootstrap", "service", "NAME")) > LEVELS:
            raise NotConfiguredError(
                f"{repository.identity} has more levels than the {LEVELS} that AWS allows with ours",
                "Use another store (--store).",
            )
        return "/".join(("/bootstrap", *parts))

    def _credentials(self) -> Keys | Profile:
        """The keys to use; raises NotConfiguredError, saying which are missing."""
        if self._place.profile is not None:
            return Profile(self._place.profile)
        key_id, key, token = map(self._place.lookup, (_ID, _KEY, _TOKEN))
        temporary = key_id is not None and key_id.reveal().startswith("ASIA")
        missing = [name for name, found in ((_ID, key_id), (_KEY, key)) if found is None]
        missing += [_TOKEN] if temporary and token is None else []
        if key_id is None or key is None or missing:
            raise NotConfiguredError(
                f"it needs {' and '.join(missing)}, which the environment does not have",
                f"export {' '.join(missing)}, or name a profile of yours: --aws-profile NAME",
            )
        return Keys(key_id.reveal(), key.reveal(), token.reveal() if token else None)

    @cached_property
    def _remote(self) -> Parameters:
        return Parameters(
            self._root(),
            region=self._place.region,
            credentials=self._credentials(),
            environ=self._place.environ,
            attempts=self.attempts,
        )


class _Job:
    """One secret on its way to its parameters."""

    def __init__(self, name: str, value: Secret, paths: Sequence[str]) -> None:
        self.name = name
        self.value = value
        self.paths = paths
        #: the paths that have something else
        self.different: list[str] = []
        #: how many were written, and not read back yet
        self.unread = 0
        self.tried = False
        self.error: BootstrapError | None = None

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        if self.error is not None:
            return Outcome(self.name, Fate.FAILED, self.error)
        return Outcome(self.name, Fate.STORED if self.different else Fate.UNCHANGED)


def _fail(error: BootstrapError, concerned: Iterable[_Job], jobs: Iterable[_Job] = ()) -> None:
    """Let jobs fail; where the error is about more than them, all of `jobs` that still have to be written."""
    waiting = () if of_one(error) else (job for job in jobs if job.different and not job.tried)
    for job in (*concerned, *waiting):
        job.error = job.error or error


def _settled(queue: deque[_Job]) -> Iterator[Outcome]:
    """Take the jobs that are done from the front of the queue: outcomes come in order."""
    while queue and queue[0].tried and not queue[0].unread:
        yield queue.popleft().outcome
