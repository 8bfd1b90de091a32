"""Templates to texts: a sandbox without disk, in which an undefined name is an error."""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bootstrap.encoding import compose_env, shell, yaml
from bootstrap.model.errors import BootstrapError
from bootstrap.model.files import Ownership, RenderedFile
from bootstrap.rendering import compose

SUFFIX = ".j2"
#: in a template's path: one file for every service
EACH_SERVICE = "[service]"


class TemplateError(BootstrapError):
    """A template asks for what it may not have, or for what is not there."""


class _Texts(BaseLoader):
    """Templates from memory: whoever read them has decided which files they may come from."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def get_source(self, environment: object, template: str) -> tuple[str, None, None]:  # noqa: ARG002
        try:
            return self._texts[template], None, None
        except KeyError:
            raise TemplateNotFound(template) from None


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which no product grows without bound either."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse to repeat a text or a list, and to raise numbers to large powers."""
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} is not available here")
        return super().call_binop(context, operator, left, right)


class Renderer:
    """Renders every template of `texts` (path in the target plus ".j2" -> text)."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._environment = _Sandbox(
            loader=_Texts(texts),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # each format has its encoder; HTML is none of them
            optimized=False,  # most templates are rendered once: folding their constants takes longer
        )
        self._environment.filters.update(FILTERS)

    def possible(self, path: str) -> bool:
        """Whether some project could make one of the templates render to `path`."""
        return any(
            path.startswith(start)
            and path.endswith(end)
            and "/" not in path[len(start) : len(path) - len(end)]
            if each
            else path == start
            for start, each, end in (
                name.removesuffix(SUFFIX).partition(EACH_SERVICE) for name in self._texts
            )
        )

    def render(self, context: Mapping[str, Any]) -> list[RenderedFile]:
        """Render every template; one that gives nothing but white space makes no file.

        Raises TemplateError, naming the template and the line.
        """
        return [
            RenderedFile(
                path=path,
                text=text,
                ownership=Ownership.PATH
                if path.endswith(".json") and not _has_comments(path)
                else Ownership.MARKER,
                mode=_mode(path),
                per_workspace=path.startswith(".bootstrap/"),
            )
            for name in sorted(self._texts)
            for path, text in self._texts_of(name, context)
            if text.strip()
        ]

    def _texts_of(self, name: str, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        path = name.removesuffix(SUFFIX)
        try:
            template = self._environment.get_template(name)
            if EACH_SERVICE not in path:
                yield path, _checked(template.render(context))
                return
            for service in context["services"]:
                text = _checked(template.render(context, service=service))
                yield path.replace(EACH_SERVICE, service["name"]), text
        except TemplateSyntaxError as error:
            raise TemplateError(
                f"{name}: line {error.lineno}: {error.message}", "Correct the template."
            ) from error
        except SecurityError as error:
            raise TemplateError(f"{name}: line {_line(error, name)}: {error}", _ONLY_DATA) from error
        except UndefinedError as error:
            raise TemplateError(f"{name}: line {_line(error, name)}: {error.message}", _NAMES) from error
        except RecursionError as error:
            raise TemplateError(
                f"{name}: includes or calls itself without end", "Correct the template."
            ) from error
        except (TemplateRuntimeError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise TemplateError(
                f"{name}: line {_line(error, name)}: {error}", "Correct the template."
            ) from error


_ONLY_DATA = "Templates see plain data only: use what the context gives them."
_NAMES = "Check the spelling against the built-in template of that name."


def _checked(text: str) -> str:
    text.encode()  # a lone surrogate is a ValueError here, and not when the file is half written
    return text


def _line(error: BaseException, name: str) -> int:
    """The template's line that raised, which Jinja leaves in the traceback."""
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in ("<template>", name):
            line = step.tb_lineno
        step = step.tb_next
    return line


def _has_comments(path: str) -> bool:
    return PurePosixPath(path).name == "devcontainer.json"


def _mode(path: str) -> int | None:
    if path.endswith(".env"):
        return 0o600
    return 0o755 if path.endswith(".sh") else None


def _json(value: Any, indent: int = 2) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _yaml(value: Any, indent: int = 0) -> str:
    return yaml.block(value, indent)


def _compose(value: Any, indent: int = 0) -> str:
    return yaml.block(yaml.for_compose(value), indent)


def _env_assignment(variable: Mapping[str, str]) -> str:
    return compose_env.assignment(variable["name"], variable["value"])


def _comment(text: str) -> str:
    """However many lines it has, in files where "#" starts a comment."""
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())


#: what templates may call; each is an encoder or a pure function over plain data
FILTERS: dict[str, Any] = {
    "comment": _comment,
    "compose": _compose,
    "env_assignment": _env_assignment,
    "json": _json,
    "merge": compose.merge,
    "shell": shell.quote,
    "yaml": _yaml,
}
