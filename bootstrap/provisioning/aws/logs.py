"""CloudWatch's log groups: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference."""

from bootstrap.provisioning.aws import tags
from bootstrap.provisioning.aws.provider import Aws, unless
from bootstrap.provisioning.interface import Fields, Found, Hold, Owner, Resource
from bootstrap.system.at_once import answers

_ABSENT = frozenset({"ResourceNotFoundException"})


class LogGroup(Resource):
    """A log group, and how many days it keeps lines."""

    provider = "aws"
    vendors = frozenset({"cloudwatch"})
    kind = "log group"
    fills = True

    def __init__(self, aws: Aws, name: str, retention_days: int) -> None:
        self._aws = aws
        self.name = name
        self._days = retention_days

    def wanted(self) -> Fields:
        """Only the retention: what else a log group has, such as a key, is somebody's own choice."""
        return {"retentionInDays": self._days}

    def find(self) -> Found | None:
        """Look for it, and for its tags in the same moment."""
        caller, arn = self._aws.caller, self._arn
        groups = caller.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=self.name)
        group, answer = answers(
            lambda: next((one for one in groups if one["logGroupName"] == self.name), None),
            lambda: unless(_ABSENT, lambda: caller.call("logs", "list_tags_for_resource", resourceArn=arn)),
        )
        if group is None:
            return None
        fields = {"retentionInDays": group.get("retentionInDays")}
        return self._aws.found(fields, (answer or {}).get("tags", {}))

    def holds(self, found: Found) -> Hold | None:
        """Keep what was written to: an empty stream, too, since nobody knows of one at once that it is not.

        What AWS says of a stream's events, and of a group's bytes, may be hours old (DescribeLogStreams).
        """
        del found
        streams = unless(
            _ABSENT,
            lambda: self._aws.caller.call("logs", "describe_log_streams", logGroupName=self.name, limit=1),
        )
        if not streams or not streams.get("logStreams"):
            return None
        return Hold(
            "holds events that were written to it",
            "To remove it with all of them: bootstrap provision destroy cloudwatch --with-logs",
            lost=True,
        )

    def create(self, owner: Owner) -> None:
        """Make it, then tell it how long to keep lines: without that it keeps them for ever."""
        self._aws.caller.call(
            "logs", "create_log_group", logGroupName=self.name, tags=tags.of_owner(owner, self._aws.project)
        )
        self._keep()

    def update(self, found: Found, names: frozenset[str]) -> None:
        """Tell it how long to keep lines."""
        del found, names
        self._keep()

    def adopt(self, found: Found, owner: Owner) -> None:
        """Tag it."""
        del found
        self._aws.caller.call("logs", "tag_resource", resourceArn=self._arn, tags=tags.of_adopter(owner))

    def delete(self, found: Found) -> None:
        """Remove it, and every event that it holds."""
        del found
        self._aws.caller.call("logs", "delete_log_group", logGroupName=self.name)

    def _keep(self) -> None:
        self._aws.caller.call(
            "logs",
            "put_retention_policy",
            again=_ABSENT,
            logGroupName=self.name,
            retentionInDays=self._days,
        )

    @property
    def _arn(self) -> str:
        """Its name without the final ":*", which only tags do not take."""
        return self._aws.arn("logs", f"log-group:{self.name}")
