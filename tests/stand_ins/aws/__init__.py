"""An AWS account that refuses what the real one refuses.

One server answers for X-Ray, CloudWatch Logs, IAM and STS. It recomputes every signature, finds out whose
key it is, evaluates that principal's policies, checks the request against AWS's own model and the documented
limits, and counts the call. moto keeps log groups, users, roles and policies, and makes the sessions of
roles; X-Ray's groups, rules and tags, which moto lacks, and federated sessions are kept here. Faults can be
put before any call.
"""

from tests.stand_ins.aws.account import Account
from tests.stand_ins.aws.calls import Call
from tests.stand_ins.aws.faults import Fault, Kind
from tests.stand_ins.aws.server import Aws

__all__ = ["Account", "Aws", "Call", "Fault", "Kind"]
