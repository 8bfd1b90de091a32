"""Short-lived AWS keys for those who need some in a run: how they are made, handed out, and renewed."""

#: the option with which the key itself is handed out
RAW = "--raw-aws-keys"
