"""What it means for a project that X-Ray's Transaction Search is on or off in its account."""

from bootstrap.model.remark import Mark, Remark

_SUBJECT = "traces"


def transaction_search(destination: str | None) -> Remark:
    """Explain what GetTraceSegmentDestination has answered as `Destination`; None where it may not be asked.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
    """
    if destination is None:
        return Remark(
            _SUBJECT,
            Mark.UNKNOWN,
            "whether Transaction Search is on cannot be told: `verify` looks where traces are without it",
            "Allow xray:GetTraceSegmentDestination on *",
        )
    if destination == "CloudWatchLogs":
        return Remark(
            _SUBJECT,
            Mark.OK,
            "Transaction Search is on: traces are kept in CloudWatch Logs (aws/spans), where BatchGetTraces "
            "does not look; `verify` retrieves them from there, and X-Ray's OTLP endpoint takes spans",
        )
    return Remark(
        _SUBJECT,
        Mark.OK,
        "Transaction Search is off: traces are kept in X-Ray, where `verify` reads them with BatchGetTraces; "
        "X-Ray's OTLP endpoint takes no spans",
    )
