"""The errors that a service raises on purpose."""


class InvalidInput(Exception):  # noqa: N818 - it names what the caller sent, as the answer does
    """The caller sent something unusable; `messages` lists every fault as a short name."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)
