"""One account: who is in it, what is there, and what it was asked."""

from __future__ import annotations

import json
import random
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from moto.utilities.utils import get_partition

from tests.stand_ins.aws import iam, logs, motos, protocol, shapes, sts
from tests.stand_ins.aws.errors import refusal
from tests.stand_ins.aws.principals import Principal, key_variables
from tests.stand_ins.aws.xray import Xray
from tests.stand_ins.sts import key_id, secret_key, session_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.model import OperationModel
    from moto.iam.models import Role

    from tests.stand_ins.aws.calls import Call
    from tests.stand_ins.aws.faults import Fault
    from tests.stand_ins.server import Request, Response

#: what lets somebody do everything
ADMINISTRATOR = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


class Account:
    """An account of its own, empty but for what AWS itself puts into each."""

    def __init__(self) -> None:
        self.id = "".join(random.SystemRandom().choices("123456789", k=12))
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        #: the process that a fault kills
        self.victim: int | None = None
        #: to how many calls a new role or policy of IAM seems not to be there yet
        self.lag = 0
        #: how many seconds each answer is under way
        self.delay = 0.0
        #: how many seconds sessions really last; None for as long as was asked
        self.lifetime: float | None = None
        self._xrays: dict[str, Xray] = {}
        self._sessions: dict[str, Principal] = {}
        self._roots: dict[str, Principal] = {}
        self._fresh: dict[str, int] = {}

    # Who is there

    def user(self, name: str, *policies: Mapping[str, Any], region: str = "us-east-1") -> dict[str, str]:
        """Make a user, by default one who may do everything; returns the variables of a key."""
        backend = motos.iam(self.id, region)
        backend.create_user(region, name)
        for number, policy in enumerate(policies or (ADMINISTRATOR,)):
            backend.put_user_policy(name, f"policy-{number}", json.dumps(policy))
        key = backend.create_access_key(name)
        # moto's own ids hold digits that AWS's never do.
        del backend.access_keys[key.access_key_id]
        key.access_key_id, key.secret_access_key = key_id(), secret_key()
        backend.access_keys[key.access_key_id] = key
        return key_variables(key.access_key_id, key.secret_access_key)

    def root(self) -> dict[str, str]:
        """Make a key of the account itself."""
        identifier, secret = key_id(), secret_key()
        arn = f"arn:aws:iam::{self.id}:root"
        self._roots[identifier] = Principal("root", arn, self.id, secret, list, trusted_as=arn)
        return key_variables(identifier, secret)

    def principal(self, identifier: str, region: str) -> Principal | None:
        """Whose key it is."""
        if identifier in self._sessions or identifier in self._roots:
            return self._sessions.get(identifier) or self._roots[identifier]
        backend = motos.iam(self.id, region)
        user = backend.get_user_from_access_key_id(identifier)
        if user is None:
            return None
        key = backend.access_keys[identifier]
        attached = partial(motos.documents, backend, user)
        return Principal("user", user.arn, user.id, key.secret_access_key, attached, trusted_as=user.arn)

    def xray(self, region: str = "us-east-1") -> Xray:
        """X-Ray in a region."""
        prefix = f"arn:{get_partition(region)}:xray:{region}:{self.id}"
        return self._xrays.setdefault(region, Xray(prefix))

    def saved(self, region: str = "us-east-1") -> Any:
        """Everything that is there, for `restore`; sessions, calls and faults are not in it."""
        return deepcopy([vars(kept) for kept in self._kept(region)])

    def restore(self, saved: Any, region: str = "us-east-1") -> None:
        """Put everything back to where it was."""
        for kept, values in zip(self._kept(region), deepcopy(saved), strict=True):
            vars(kept).clear()
            vars(kept).update(values)

    def _kept(self, region: str) -> tuple[Any, ...]:
        return motos.iam(self.id, region), motos.logs(self.id, region), self.xray(region)

    # What was asked

    @property
    def counted(self) -> Counter[str]:
        """action -> how often it was asked for."""
        return Counter(call.action for call in self.calls)

    def perform(
        self, principal: Principal, operation: OperationModel, call: Call, request: Request
    ) -> Response:
        """Check a call, and do it; a Refusal where AWS would not."""
        arguments = dict(call.arguments)
        shapes.check(operation, arguments)
        principal.authorize(self._needed(call, arguments), call.region, self._about(call, arguments))
        self._settle(call, arguments)
        answer: Response = getattr(self, f"_{call.service}")(principal, operation, call, request)
        if answer.status == 200 and call.action in ("iam:CreatePolicy", "iam:CreateRole"):
            self._fresh[str(arguments.get("RoleName") or arguments.get("PolicyName"))] = self.lag
        return answer

    def _needed(self, call: Call, arguments: dict[str, Any]) -> list[tuple[str, str]]:
        prefix = f"arn:{get_partition(call.region)}:{call.service}:{call.region}:{self.id}"
        if call.service == "xray":
            resource = self.xray(call.region).resource(call.operation, arguments)
            actions = [(call.action, resource)]
            return [*actions, ("xray:TagResource", resource)] if self._tagged(call, arguments) else actions
        if call.service == "logs":
            return logs.needed(prefix, call.operation, arguments)
        if call.service == "iam":
            return iam.needed(motos.iam(self.id, call.region), self.id, call.operation, arguments)
        return sts.needed(f"arn:{get_partition(call.region)}:sts::{self.id}", call.operation, arguments)

    def _about(self, call: Call, arguments: dict[str, Any]) -> dict[str, str]:
        """What conditions of policies may ask about a call."""
        if call.service == "xray":
            xray = self.xray(call.region)
            marks = xray.tags.get(xray.resource(call.operation, arguments), {})
            return {f"aws:ResourceTag/{key}": value for key, value in marks.items()}
        return iam.conditions(arguments) if call.service == "iam" else {}

    @staticmethod
    def _tagged(call: Call, arguments: dict[str, Any]) -> bool:
        return call.operation.startswith("Create") and bool(arguments.get("Tags"))

    def _settle(self, call: Call, arguments: dict[str, Any]) -> None:
        """Let IAM be as slow as it is: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html."""
        named = {str(arguments.get(each, "")).rpartition("/")[2] for each in ("PolicyArn", "RoleArn")}
        named.add(str(arguments.get("RoleName", "")))
        for name in named & self._fresh.keys():
            if call.service in ("iam", "sts") and self._fresh[name]:
                self._fresh[name] -= 1
                raise refusal("missing", call.service, f"{name} cannot be found, or is not attachable.")

    # What is done

    def _xray(self, _: Principal, operation: OperationModel, call: Call, __: Request) -> Response:
        perform = getattr(self.xray(call.region), call.operation, None)
        if perform is None:
            raise sts.unsupported(call.operation)
        return protocol.answer(operation, perform(dict(call.arguments)))

    def _logs(self, _: Principal, __: OperationModel, call: Call, request: Request) -> Response:
        prefix = f"arn:{get_partition(call.region)}:logs:{call.region}:{self.id}"
        logs.check(motos.logs(self.id, call.region), prefix, call.operation, dict(call.arguments))
        return logs.amended(call.operation, motos.ask("logs", self.id, request))

    def _iam(self, _: Principal, __: OperationModel, call: Call, request: Request) -> Response:
        iam.check(motos.iam(self.id, call.region), call.operation, dict(call.arguments))
        return motos.ask("iam", self.id, request)

    def _sts(self, principal: Principal, operation: OperationModel, call: Call, request: Request) -> Response:
        arguments = dict(call.arguments)
        if call.operation == "GetCallerIdentity":
            who = {"Arn": principal.arn, "UserId": principal.user_id, "Account": self.id}
            return protocol.answer(operation, who)
        if call.operation == "GetFederationToken":
            return protocol.answer(operation, self._federate(principal, arguments, call.region))
        if call.operation != "AssumeRole":
            raise sts.unsupported(call.operation)
        backend = motos.iam(self.id, call.region)
        role = next((each for each in backend.roles.values() if each.arn == arguments["RoleArn"]), None)
        sts.may_assume(principal, backend, role, arguments, call.region)
        assert role is not None
        answer = motos.ask("sts", self.id, request)
        if answer.status == 200:
            self._remember(role, arguments, answer, call.region)
        return answer

    def _federate(self, principal: Principal, arguments: dict[str, Any], region: str) -> dict[str, Any]:
        sts.may_federate(principal, arguments)
        limit = sts.session_policy(arguments)
        longest = sts.ROOT_LIMIT if principal.kind == "root" else sts.FEDERATION_DEFAULT
        seconds = arguments.get("DurationSeconds", longest)
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime or seconds)
        name = arguments["Name"]
        arn = f"arn:{get_partition(region)}:sts::{self.id}:federated-user/{name}"
        identifier, secret, token = key_id("ASIA"), secret_key(), session_token()
        attached = list if principal.kind == "root" else principal.attached
        self._sessions[identifier] = Principal(
            "federated", arn, f"{self.id}:{name}", secret, attached, token, expires, limit
        )
        return {
            "Credentials": {
                "AccessKeyId": identifier,
                "SecretAccessKey": secret,
                "SessionToken": token,
                "Expiration": expires,
            },
            "FederatedUser": {"FederatedUserId": f"{self.id}:{name}", "Arn": arn},
            "PackedPolicySize": len(arguments.get("Policy", "")) * 100 // 2048,
        }

    def _remember(self, role: Role, arguments: dict[str, Any], answer: Response, region: str) -> None:
        """Know the session that moto has made."""
        tree = ET.fromstring(answer.body)
        found = {each.tag.rpartition("}")[2]: each.text or "" for each in tree.iter()}
        seconds = self.lifetime or arguments.get("DurationSeconds", sts.ROLE_DEFAULT)
        backend = motos.iam(self.id, region)

        def attached() -> list[dict[str, Any]]:
            return motos.documents(backend, role) if role.id in backend.roles else []

        self._sessions[found["AccessKeyId"]] = Principal(
            "role",
            found["Arn"],
            found["AssumedRoleId"],
            found["SecretAccessKey"],
            attached,
            found["SessionToken"],
            datetime.now(UTC) + timedelta(seconds=seconds),
            sts.session_policy(arguments),
            trusted_as=role.arn,
        )
