"""Lines for `docker run --env-file`, which reads them as they are: no quotes, no escapes."""

from bootstrap.encoding.names import UnreadableError, check_name, check_value

#: bytes of a line; with its line end, the buffer of Go's bufio.Scanner
_LONGEST = 64 * 1024 - 1


def assignment(name: str, value: str) -> str:
    """Encode one `NAME=value` line, without its line end.

    Raises UnreadableError for a line end, for a carriage return at the end, and for a line of 64 KiB;
    BootstrapError for what is no name, for NUL, and for what is not UTF-8.
    """
    check_name(name)
    check_value(name, value)
    line = f"{name}={value}"
    if "\n" in value:
        raise UnreadableError(name, "has several lines, and `docker run --env-file` reads one")
    if value.endswith("\r"):
        raise UnreadableError(name, "ends in a carriage return, which `docker run --env-file` drops")
    if len(line.encode()) > _LONGEST:
        raise UnreadableError(name, "is longer than the 64 KiB line that `docker run --env-file` reads")
    return line
