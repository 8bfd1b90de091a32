"""What each vendor shows of a probe, one vendor a module."""
