"""Whether X-Ray and CloudWatch Logs would take what is reported: questions that change nothing."""

from collections.abc import Mapping

from bootstrap.system.aws import AwsRefusedError, Keys, client, translated

_TIMEOUT = 2


def ask_xray(keys: Keys, region: str, environ: Mapping[str, str]) -> None:
    """Ask for the sampling rules, as the daemon of a service does: xray:GetSamplingRules.

    Raises AwsRefusedError, AwsUnreachableError or NotConfiguredError.
    """
    with translated("xray:GetSamplingRules", keys):
        xray = client("xray", region=region, credentials=keys, environ=environ, attempts=1, timeout=_TIMEOUT)
        xray.get_sampling_rules()["SamplingRuleRecords"]


def has_log_group(name: str, keys: Keys, region: str, environ: Mapping[str, str]) -> bool:
    """Say whether the log group exists: logs:DescribeLogStreams, of which one is enough.

    Raises as `ask_xray` does.
    """
    try:
        with translated(f"logs:DescribeLogStreams {name}", keys):
            logs = client(
                "logs", region=region, credentials=keys, environ=environ, attempts=1, timeout=_TIMEOUT
            )
            logs.describe_log_streams(logGroupName=name, limit=1)["logStreams"]
    except AwsRefusedError as error:
        if error.code == "ResourceNotFoundException":
            return False
        raise
    return True
