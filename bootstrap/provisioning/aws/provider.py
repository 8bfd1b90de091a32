"""An AWS account, as the keys of this project, or of a profile that somebody named, reach it."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import Any

from bootstrap.model.errors import NotConfiguredError
from bootstrap.provisioning.aws import tags
from bootstrap.provisioning.interface import (
    Account,
    Fields,
    Found,
    Opening,
    Owner,
    Provider,
)
from bootstrap.system import aws
from bootstrap.system.aws_caller import Caller

_ID, _KEY, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
#: where in IAM everything of ours is
PATH = tags.PATH
#: how AWS refuses a key, or says that it is over
_BAD_KEY = aws.BAD_KEY | {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}


class Aws(Provider):
    """One account in the project's region. What is read is read once, until `forget`.

    Raises NotConfiguredError where the repository has no remote, whose name our mark would be, and where
    there are no keys; what a profile's own source of keys answers is raised as it is.
    """

    name = "aws"

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._lock = threading.Lock()
        self._read: dict[str, Future[Any]] = {}
        opening.repository.check_remote("what is made carries the name of")
        #: tells the person who waits
        self.say = opening.say
        #: what calls AWS
        self.caller = Caller(
            region=self.region,
            credentials=self._credentials(),
            environ=opening.environ,
            attempts=opening.attempts,
            timeout=opening.timeout,
            pause=opening.pause,
            say=opening.say,
        )

    @property
    def region(self) -> str:
        """The project's region; IAM has none."""
        return self._opening.project.region

    @cached_property
    def identity(self) -> aws.Identity:
        """Whose the keys are. Raises NotConfiguredError for an account's own, or those of another one."""
        try:
            answer = self.caller.call("sts", "get_caller_identity")
        except aws.AwsRefusedError as error:
            if error.code in _BAD_KEY:
                raise aws.AwsRefusedError(error.message, self._look_at_keys, code=error.code) from None
            raise
        identity = aws.Identity(account=str(answer.get("Account", "")), arn=str(answer.get("Arn", "")))
        self._check(identity)
        return identity

    @property
    def project(self) -> str:
        """The project's name as a tag has it."""
        return tags.text(self._opening.project.name)

    def account(self) -> Account:
        """Say whose account it is, and whose mark things get."""
        identity = self.identity
        return Account(
            provider=self.name,
            title="AWS",
            facts={"account": identity.account, "identity": identity.arn, "region": self.region},
            owner=self.owner,
        )

    @cached_property
    def owner(self) -> Owner:
        """Our mark."""
        return Owner(tags.text(self._opening.repository.identity), tags.maker(self.identity.arn))

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Name what is in this account, and in the project's region unless another one is given."""
        partition = self.identity.arn.split(":")[1]
        where = self.region if region is None else region
        return f"arn:{partition}:{service}:{where}:{self.identity.account}:{resource}"

    def found(self, fields: Fields, marks: Mapping[str, str], handle: Any = None) -> Found:
        """Say what was found, and whose its tags say it is."""
        return Found(
            fields=fields,
            owner=tags.owner(marks),
            adopted=marks.get(tags.ADOPTED) == self.owner.repository,
            handle=handle,
        )

    def once(self, key: str, read: Callable[[], Any]) -> Any:
        """Read what several resources want to know; who asks in the same moment waits for the one call."""
        with self._lock:
            future = self._read.get(key)
            mine = future is None
            if future is None:
                future = self._read[key] = Future()
        if mine:
            try:
                future.set_result(read())
            except BaseException as error:  # noqa: BLE001 - whoever waits is told, too
                future.set_exception(error)
        return future.result()

    def forget(self) -> None:
        """Read everything anew from now on."""
        with self._lock:
            self._read.clear()

    def _credentials(self) -> aws.Keys:
        opening = self._opening
        if opening.profile is not None:
            # Once, and not for each client: behind a profile may be a role, or a single sign-on.
            return aws.keys_of(aws.Profile(opening.profile), self.region, opening.environ)
        key_id, key, token = map(opening.lookup, (_ID, _KEY, _TOKEN))
        temporary = key_id is not None and key_id.reveal().startswith("ASIA")
        missing = [name for name, found in ((_ID, key_id), (_KEY, key)) if found is None]
        missing += [_TOKEN] if temporary and token is None else []
        if key_id is None or key is None or missing:
            raise NotConfiguredError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and AWS takes keys",
                f"bootstrap secrets set {' '.join(missing)}; or name a profile of yours: --profile NAME",
            )
        return aws.Keys(key_id.reveal(), key.reveal(), token.reveal() if token and temporary else None)

    @property
    def _look_at_keys(self) -> str:
        profile = self._opening.profile
        if profile is None:
            return "bootstrap secrets check --online"
        return f"aws sts get-caller-identity --profile {profile}"

    def _check(self, identity: aws.Identity) -> None:
        if identity.is_root:
            raise NotConfiguredError(
                f"these are the keys of account {identity.account} itself, which may do everything",
                "Take those of a user or role that may manage X-Ray, CloudWatch Logs and IAM: --profile NAME",
            )
        pinned = self._opening.project.provision.account
        if pinned is not None and identity.account != pinned:
            raise NotConfiguredError(
                f"these keys belong to account {identity.account}, and provision.account says {pinned}",
                "Take keys of that account: --profile NAME",
            )


def unless(codes: frozenset[str], read: Callable[[], Any]) -> Any:
    """Read what may not be there: None where AWS answers one of `codes`."""
    try:
        return read()
    except aws.AwsRefusedError as error:
        if error.code in codes:
            return None
        raise
