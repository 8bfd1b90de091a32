"""The table of formats that an environment can be printed in."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bootstrap.encoding import compose_env, compose_yaml, docker_env, dotenv, fish, python_dotenv, shell
from bootstrap.encoding.names import UnreadableError, check_name, check_value, check_variable
from bootstrap.model.errors import BootstrapError

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Format:
    """What one reader reads. Called with names and values, it returns the text for that reader."""

    title: str
    encode: Callable[[Pairs], str]

    def __call__(self, pairs: Pairs) -> str:
        """Encode all of them, or raise BootstrapError that names the one which this reader cannot hold."""
        try:
            return self.encode(pairs)
        except UnreadableError as error:
            value = dict(pairs)[error.name]
            others = [form for form, other in FORMATS.items() if other.holds(error.name, value)]
            raise BootstrapError(error.message, f"Use --format {_either(others)}.") from None

    def holds(self, name: str, value: str) -> bool:
        """Say whether its reader can read this back as it is."""
        try:
            self.encode([(name, value)])
        except BootstrapError:
            return False
        return True


def _either(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _lines(encode: Callable[[str, str], str]) -> Callable[[Pairs], str]:
    """Encode each variable on a line of its own."""
    return lambda pairs: "".join(encode(name, value) + "\n" for name, value in pairs)


def _document(check: Callable[[str], None]) -> Callable[[Pairs], str]:
    """Encode one flat JSON object, where `check` accepts every name."""

    def encode(pairs: Pairs) -> str:
        for name, value in pairs:
            check(name)
            check_value(name, value)
        return json.dumps(dict(pairs), indent=2, ensure_ascii=False) + "\n"

    return encode


#: what --format offers. Names that steer programs are refused where a shell or a program of the user's gets
#: them; a container may be given a PATH of its own, and JSON is only data.
FORMATS: dict[str, Format] = {
    "shell": Format("for `eval` in sh, dash, bash and zsh", _lines(shell.export)),
    "fish": Format("for `source` in fish", _lines(fish.export)),
    "compose-env": Format("for `env_file` of Docker Compose", _lines(compose_env.assignment)),
    "compose-yaml": Format("to paste below `environment:` in a Compose file", _lines(compose_yaml.entry)),
    "docker-env": Format("for `docker run --env-file`", _lines(docker_env.assignment)),
    "python-dotenv": Format("for python-dotenv", _lines(python_dotenv.assignment)),
    "dotenv": Format("for whatever reads .env files", _lines(dotenv.assignment)),
    "json": Format("for programs", _document(check_name)),
    "devcontainer": Format("for `devcontainer --secrets-file`", _document(check_variable)),
}
