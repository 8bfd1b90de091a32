"""Variables: what is a name at all, which names change how programs behave, and which values there can be."""

import re

from bootstrap.model.errors import BootstrapError


class UnreadableError(BootstrapError):
    """A value that this one reader would not read back as it is; others may."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}", "Print it as JSON, which holds every value.")
        self.name = name


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")

# A shell or a program started by us would act on these instead of handing them on: where they look for code,
# configuration and helpers, whom they trust, and where they connect. Where a service's log lines go is a
# vendor's to say, and no manifest's; no program of ours sends any.
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
    r"|AWS_(CONFIG_FILE|SHARED_CREDENTIALS_FILE|PROFILE|CONTAINER_.*|WEB_IDENTITY.*)"
    r"|AWS_ENDPOINT_URL(?!_CLOUDWATCH_LOGS$).*"
    r")",
    re.ASCII | re.IGNORECASE,
)

# What a shell sets or interprets itself, or lets nobody set: found by exporting every identifier in the
# programs of bash, dash, zsh and fish. Case matters: `version` is fish's, and VERSION is free.
_OF_A_SHELL = re.compile(
    r"(?:"
    r"_|PWD|OLDPWD|SHLVL|E?[UG]ID|PPID|USERNAME|GROUPS|COLUMNS|LINES|LINENO|RANDOM|SRANDOM|SECONDS|EPOCH.*TIME"
    r"|EPOCHSECONDS|TMOUT|TIMEFORMAT|TIMEFMT|OPT(IND|ARG|ERR)|REPLY|COMP_.*|COMPREPLY|COPROC|DIRSTACK.*|FUNCN.*"
    r"|PIPESTATUS|MAILCHECK|MAILPATH|READLINE_.*|FCEDIT|auto_resume"
    r"|ARGC|ARGV0|BAUD|ERRNO|KEYBOARD_HACK|KEYTIMEOUT|LISTMAX|LOGCHECK|PERIOD|POSTEDIT|PSVAR|(READ)?NULLCMD"
    r"|REPORT(TIME|MEMORY)|RPS[12]|RPROMPT2?|SPROMPT|SAVEHIST|STTY|TRY_BLOCK_.*|TTYIDLE|WATCH(FMT)?|WORDCHARS"
    r"|ZBEEP|(ZLE|ZSH|zsh)_.*|(dis_)?([gs]?aliases|builtins|functions(_source)?|patchars|reswords)|argv|commands"
    r"|dirstack|func(file|source)?(trace|stack)|job(dirs|states|texts)|keymaps|mailpath|module_path|modules"
    r"|nameddirs|options|parameters|pipestatus|psvar|signals|termcap|userdirs|usergroups|watch|widgets"
    r"|(FISH|fish)_.*|CMD_DURATION|hostname|status|status_generation|umask|version"
    r")",
    re.ASCII,
)

#: bytes of NAME=value and the NUL after it: MAX_ARG_STRLEN of Linux, above which execve() fails (E2BIG)
_LONGEST = 128 * 1024


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


def check_shell_variable(name: str) -> None:
    """Raise BootstrapError unless `name` is a variable that every shell sets to just what it is told."""
    check_variable(name)
    if _OF_A_SHELL.fullmatch(name):
        raise BootstrapError(
            f"{name}: is a shell's own variable, which not every shell lets others set",
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
    if len(name) + len(value.encode()) + len("=\0") > _LONGEST:
        raise BootstrapError(
            f"{name}: is longer than the 128 KiB that an environment variable can have",
            "Keep the value in a file, and its path in the variable.",
        )
