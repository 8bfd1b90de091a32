"""The error with which a vendor declines to start."""


class VendorUnavailable(Exception):  # noqa: N818 - a state that is reported, not a fault of the program
    """The vendor stays off; the text says why, in words fit for the health check."""
