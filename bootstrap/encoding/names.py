"""Variables: what is a name at all, which names change how programs behave, and which values there can be."""

import re

from bootstrap.model.errors import BootstrapError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")

# A shell or a program started by us would act on these instead of handing them on: where they look for code,
# configuration and helpers, whom they trust, and where they connect.
_BEHAVIOUR = re.compile(
    r"(?:"
    r"PATH|HOME|SHELL|IFS|ENV|CDPATH|FPATH|PS[0-4]|PROMPT.*|HIST.*|INPUTRC|ZDOTDIR|TERMINFO.*|TERMCAP"
    r"|BASH.*|SHELLOPTS|.*IGNORE|POSIXLY_CORRECT|XDG_.*|DBUS_.*|DISPLAY|XAUTHORITY|TMPDIR|SUDO_.*"
    r"|LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*|GLIBC_.*"
    r"|PYTHON.*|PIP_.*|UV_.*|VIRTUAL_ENV|CONDA.*|PERL.*|RUBY.*|GEM_.*|BUNDLE_.*|PHP.*|LUA_.*|GUILE_.*"
    r"|NODE_(OPTIONS|PATH|EXTRA.*)|NPM_.*|YARN_.*|.*JAVA.*OPTIONS|CLASSPATH|MAVEN_.*|GRADLE_.*"
    r"|GO(FLAGS|PROXY|PATH|ROOT|ENV)|CARGO.*|RUST.*|CC|CXX|(C|CXX|LD|MAKE)FLAGS|MAKEFILES"
    r"|GIT_.*|SSH_.*|GPG.*|GNUPGHOME|EDITOR|VISUAL|.*PAGER|LESS.*|MANOPT|MANPATH|BROWSER|VIM.*|EXINIT"
    r"|.*_PROXY|.*SSL_CERT.*|.*CA_BUNDLE|OPENSSL_.*|CURL_.*|WGETRC|NETRC|DOCKER_.*|COMPOSE_.*|KUBE.*"
    r"|AWS_(CONFIG_FILE|SHARED_CREDENTIALS_FILE|ENDPOINT_URL.*|PROFILE|CONTAINER_.*|WEB_IDENTITY.*)"
    r")",
    re.ASCII | re.IGNORECASE,
)


def check_name(name: str) -> None:
    """Raise BootstrapError unless `name` is the name of a variable."""
    if not _NAME.fullmatch(name):
        raise BootstrapError(
            f"{name!r} is not the name of a variable", "Use letters, digits and _, not starting with a digit."
        )


def check_variable(name: str) -> None:
    """Raise BootstrapError unless `name` is a variable that may be handed to a shell or a program."""
    check_name(name)
    if _BEHAVIOUR.fullmatch(name):
        raise BootstrapError(
            f"{name}: changes how shells and programs behave, so it is not handed to them",
            "Give the variable a name of your own, and read that in the service.",
        )


def check_value(name: str, value: str) -> None:
    """Raise BootstrapError, naming the variable, for a value that no environment or no text can hold."""
    if "\0" in value:
        raise BootstrapError(
            f"{name}: holds a NUL character, which no environment variable can", "Store it as base64."
        )
    # Python reads a byte of the environment that is not UTF-8 as a lone surrogate.
    if _SURROGATE.search(value):
        raise BootstrapError(f"{name}: holds bytes that are not UTF-8", "Store it as base64.")
