"""What each command means, without a terminal: flows return values and raise errors."""
