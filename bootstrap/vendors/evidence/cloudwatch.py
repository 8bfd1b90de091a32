"""Log lines: in CloudWatch Logs, and in the collector."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bootstrap.model.errors import BootstrapError
from bootstrap.system.aws import AwsRefusedError
from bootstrap.system.aws_evidence import LogLines
from bootstrap.vendors.evidence import aws
from bootstrap.vendors.evidence.texts import counted, evidence, short, table, tables
from bootstrap.verification.interface import Arrival, Asking, Look, Reading, waiting

#: seconds by which a line's own time may be before the probe's, as clocks differ
_SLACK = 60
#: what is not worth showing a second time
_SAID = {"message", "trace_id"}


def found(asking: Asking, trace: Mapping[str, Any]) -> Reading:
    """Find the lines in a trace of the collector's."""
    name = asking.probe.otel_name
    own = [line for line in tables(trace.get("logs")) if line.get("service") in (name, None, "")]
    lines = [{"message": line.get("message"), **table(line.get("fields"))} for line in own]
    return _judged(asking, lines, asking.page)


def read(asking: Asking, group: str) -> Look:
    """Look for the lines in the log group."""
    keys, region, probe = aws.keys(asking.values), asking.project.region, asking.probe
    if keys is None:
        return aws.without_keys
    lines = LogLines(group, region=region, credentials=keys, environ=asking.environ)
    link = _link(region, group, probe.trace_id)

    def look() -> Reading:
        try:
            texts = lines.holding(probe.trace_id, probe.sent_at - _SLACK)
        except AwsRefusedError as error:
            if error.code == "ResourceNotFoundException":
                return _no_group(group, region, link)
            return aws.refused(error, region, link)
        except BootstrapError as error:
            return aws.refused(error, region, link)
        return _judged(asking, [_parsed(text) for text in texts], link)

    return look


def _judged(asking: Asking, lines: Sequence[Mapping[str, Any]], link: str) -> Reading:
    """Say what lines there are, all of them found by the trace's id."""
    if not lines:
        return waiting(
            "no line with this trace id",
            f"Does a path of services.{asking.service.name}.probe write one? "
            f"Read what it says: bootstrap logs {asking.service.name}",
            link,
        )
    detail = f"{counted(len(lines), 'line')}: {short(lines[0].get('message', ''))}"
    shown = evidence((name, value) for name, value in lines[0].items() if name not in _SAID)
    settled = len(lines) >= asking.probe.answered
    return Reading(Arrival.ARRIVED, detail, link, evidence=shown, settled=settled)


def _parsed(text: str) -> Mapping[str, Any]:
    """A line that is a JSON object, or whatever it is as a message."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else {"message": text}


def _no_group(group: str, region: str, link: str) -> Reading:
    return Reading(
        Arrival.MISSING,
        f"there is no log group {group!r} in {region}",
        link,
        "bootstrap provision apply cloudwatch, then: bootstrap up again",
    )


def _link(region: str, group: str, trace_id: str) -> str:
    """The console's view of the group's lines; what follows its `#` is encoded twice, with $ for %."""
    name = quote(quote(group, safe=""), safe="").replace("%", "$")
    query = quote(f"?filterPattern={quote(chr(34) + trace_id + chr(34), safe='')}", safe="").replace("%", "$")
    return f"{aws.console(region)}#logsV2:log-groups/log-group/{name}/log-events{query}"
