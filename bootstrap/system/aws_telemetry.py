"""Whether X-Ray and CloudWatch Logs would take what is reported: questions that change nothing."""

import time
from collections.abc import Mapping

from bootstrap.system.aws import AwsRefusedError, Keys, client, translated

_TIMEOUT = 2
#: a stream that nobody makes
_NO_STREAM = "bootstrap-asks-and-never-makes-this"


def ask_xray(keys: Keys, region: str, environ: Mapping[str, str]) -> None:
    """Ask for the sampling rules, as the daemon of a service does: xray:GetSamplingRules.

    Raises AwsRefusedError, AwsUnreachableError or NotConfiguredError.
    """
    with translated("xray:GetSamplingRules", keys):
        xray = client("xray", region=region, credentials=keys, environ=environ, attempts=1, timeout=_TIMEOUT)
        xray.get_sampling_rules()["SamplingRuleRecords"]


def has_log_group(name: str, keys: Keys, region: str, environ: Mapping[str, str]) -> bool:
    """Say whether the log group exists, asked as a service writes: logs:PutLogEvents.

    The stream does not exist, so that nothing is written. AWS looks at the policy first, then at the group,
    then at the stream, and says of which there is none. Raises as `ask_xray` does.
    """
    line = {"timestamp": int(time.time() * 1000), "message": "May lines be written here?"}
    try:
        with translated(f"logs:PutLogEvents {name}", keys):
            logs = client(
                "logs", region=region, credentials=keys, environ=environ, attempts=1, timeout=_TIMEOUT
            )
            answer = logs.put_log_events(logGroupName=name, logStreamName=_NO_STREAM, logEvents=[line])
            # What answers at all has this, or is another document than AWS's.
            answer["nextSequenceToken"]
    except AwsRefusedError as error:
        if error.code == "ResourceNotFoundException":
            return "log group" not in error.message.partition(error.code)[2]
        raise
    return True
