"""Lines to paste below `environment:` in a Compose file."""

from bootstrap.encoding import yaml
from bootstrap.encoding.names import check_name, check_value


def entry(name: str, value: str) -> str:
    """Encode one `NAME: value` line, not indented, without its line end; Compose expands nothing in it.

    Raises BootstrapError for what is no name, for NUL, and for what is not UTF-8.
    """
    check_name(name)
    check_value(name, value)
    return f"{yaml.scalar(name)}: {yaml.scalar(yaml.for_compose(value))}"
