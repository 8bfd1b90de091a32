"""Lines that everything which reads .env files reads alike: shells, libraries, Compose, docker, Node."""

import re

from bootstrap.encoding import docker_env
from bootstrap.encoding.names import UnreadableError, check_shell_variable, check_value

# No quotes, for docker keeps them. A shell expands ~, and zsh looks for a command after a = that stands first
# or after a colon.
_PLAIN = re.compile(r"(?!=)(?:[A-Za-z0-9_./=@%+,-]|:(?!=))*", re.ASCII)


def assignment(name: str, value: str) -> str:
    """Encode one `NAME=value` line, without its line end.

    Raises UnreadableError for all but letters, digits and `_./:=@%+,-`; BootstrapError for what is no name or
    a shell's own, for NUL, and for what is not UTF-8.
    """
    check_shell_variable(name)
    check_value(name, value)
    if not _PLAIN.fullmatch(value):
        raise UnreadableError(name, "holds what the readers of .env files do not read alike")
    return docker_env.assignment(name, value)
