"""What the X-Ray daemon itself says about the segments that it was given."""

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from bootstrap.vendors.evidence.texts import short
from bootstrap.verification.interface import Arrival, Asking, Reading

#: https://github.com/aws/aws-xray-daemon, pkg/processor: "2026-11-17T10:00:00Z [Info] Successfully sent ..."
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d))\s+\[\w+\]\s+(.*)")
_SENT = re.compile(r"Successfully sent batch of \d+ segments")
_FAILED = re.compile(r"Sending segment batch failed|Sent batch of \d+ segments but had|Unprocessed")


def quoted(reading: Reading, asking: Asking) -> Reading:
    """Add the newest line that the daemon has written about sending since the probe; a failure is a cause."""
    lines = list(_since(asking.sidecar_lines(), asking.probe.sent_at)) if asking.sidecar_lines else []
    failed = next((line for line in reversed(lines) if _FAILED.search(line)), "")
    sent = next((line for line in reversed(lines) if _SENT.search(line)), "")
    if failed and reading.state is not Arrival.ARRIVED:
        detail = f'the daemon could not deliver: "{short(failed)}" ({reading.detail})'
        hint = reading.hint or "Look up its key and region: bootstrap logs xray-daemon"
        return replace(reading, state=Arrival.MISSING, detail=detail, hint=hint)
    return replace(reading, detail=f'{reading.detail}; the daemon: "{short(sent)}"') if sent else reading


def _since(lines: Iterable[str], moment: float) -> Iterable[str]:
    """Those from `moment` on, without their times; the daemon writes whole seconds."""
    for line in lines:
        found = _LINE.search(line)
        if found and datetime.fromisoformat(found[1]).timestamp() >= int(moment):
            yield found[2]
