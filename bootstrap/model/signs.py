"""How to tell from somebody's repository that a service reports to a vendor."""

from msgspec import Struct


class Signs(Struct, frozen=True):
    """What a vendor's name is found by; each pattern matches the whole of what it is held against."""

    #: a regular expression for the names of variables
    variables: str = r"(?!)"
    #: a regular expression for container images of the vendor's own daemon, without registry and tag
    images: str = r"(?!)"
    #: a regular expression for packages of Python (spelt as PEP 503 does) and of Node
    packages: str = r"(?!)"
