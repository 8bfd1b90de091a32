"""Templates over plain data: what they may do, what they may not, and how a mistake is named."""

from __future__ import annotations

import pytest

from bootstrap.model.errors import BootstrapError
from bootstrap.model.files import Ownership
from bootstrap.rendering.renderer import Renderer, TemplateError

CONTEXT = {
    "project": {"name": "shop"},
    "services": [{"name": "web", "definition": {"image": "x"}}, {"name": "db", "definition": {}}],
}

# Every way out of the sandbox that has been published for Jinja, and the obvious others.
ESCAPES = (
    "''.__class__.__mro__",
    "''['__class__']",
    "''|attr('__class__')",
    "''|attr('\\x5f\\x5fclass\\x5f\\x5f')",
    "[''] | map(attribute='__class__') | first",
    "[''] | map('attr', '__class__') | first",
    "[''] | sort(attribute='__class__.__name__') | first",
    "'{0.__class__}'.format(1)",
    "'{0[__class__]}'.format(project.name)",
    "'{a.__class__}'.format_map({'a': 1})",
    "('{0.__class__}' | attr('format'))(1)",
    "(['{0.__class__}'] | map('attr', 'format') | first)(1)",
    "('{0.__class__}' | string).format(1)",
    "'%s' % ''.__class__",
    "cycler.__init__.__globals__",
    "lipsum.__globals__['os'].popen('id').read()",
    "joiner.__init__.__globals__",
    "namespace.__init__.__globals__",
    "dict.__base__.__subclasses__()",
    "dict.mro()",
    "self.__init__.__globals__",
    "self._TemplateReference__context",
    "self._TemplateReference__context.eval_ctx.environment",
    "loop.__class__",
    "caller()",
    "varargs[0]",
    "get_flashed_messages.__globals__",
    "range.__call__.__self__",
    "(1).__class__.__base__.__subclasses__()",
    "(lambda: 1)()",
    "project.items.__self__.__class__",
    "project.update({'name': 'x'})",
    "project.setdefault('b', 1)",
    "project.pop('name')",
    "services.append(1)",
    "services.clear()",
    "services.sort()",
    "services.__setitem__(0, 1)",
    "compose.__globals__",
    "open('/etc/passwd')",
    "__import__('os')",
    "environment.loader",
    "context.environment",
)


def render(text: str, name: str = "file.yml.j2", **others: str) -> dict[str, str]:
    texts = {name: text, **others}
    return {file.path: file.text for file in Renderer(texts).render(CONTEXT)}


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_cannot_leave_its_data(escape: str) -> None:
    before = repr(CONTEXT)
    with pytest.raises(TemplateError, match=r"^file\.yml\.j2: line 2: ") as caught:
        render(f"line 1\n{{{{ {escape} }}}}\n")
    assert caught.value.hint
    assert repr(CONTEXT) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ nothing }}", "line 1: 'nothing' is undefined"),
        ("\n\n{{ project.nothing }}", "line 3"),
        ("{% for x in nothing %}{% endfor %}", "line 1: 'nothing' is undefined"),
        ("{% if nothing %}{% endif %}", "line 1: 'nothing' is undefined"),
        ("\n{% if %}", "line 2"),
        ("{{ 1 | nothing }}", "line 1: No filter named 'nothing'"),
        ("{{ 1 is nothing }}", "line 1: No test named 'nothing'"),
        ("{% include 'nothing' %}", "line 1: nothing"),
        ("{% extends '/etc/passwd' %}", "line 1: /etc/passwd"),
        ("{% import 'file.yml' as x %}", "line 1: file.yml"),
        ("{{ 1 / 0 }}", "line 1: division by zero"),
        ("{{ range(1000000000) | length }}", "line 1: Range too big"),
        ("{{ 9 ** 99999999 }}", "line 1: ** is not available here"),
        ("{{ 'a' * 3000000000 }}", "line 1: * is not available here"),
        ("{{ [1] * 3000000000 }}", "line 1: * is not available here"),
        ("{{ {'a': 1} + 1 }}", "line 1: unsupported operand"),
        ("{{ 5 | shell }}", "line 1"),
        ("{{ {'name': 'A B', 'value': 'x'} | env_assignment }}", "is not the name of a variable"),
        ("{% include 'file.yml.j2' %}", "without end"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "without end"),
        (r"{{ '\ud800' }}", "surrogates not allowed"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(BootstrapError) as caught:
        render(text)
    assert words in caught.value.message
    assert caught.value.message.startswith("file.yml.j2: ") or "env_assignment" in text
    assert caught.value.hint


def test_a_mistake_in_an_included_template_is_named() -> None:
    with pytest.raises(TemplateError, match=r"'nothing' is undefined"):
        render("{% include 'other.j2' %}", **{"other.j2": "\n{{ nothing }}"})


def test_one_file_for_each_service() -> None:
    made = render("{{ service.name }}\n", name="env/[service].env.j2")
    assert made == {"env/web.env": "web\n", "env/db.env": "db\n"}


def test_what_gives_only_white_space_makes_no_file() -> None:
    made = render("{% if service.name == 'db' %}\nx\n{% endif %}\n\n", name="[service].j2")
    assert made == {"db": "x\n\n"}


@pytest.mark.parametrize(
    ("path", "ownership", "mode", "per_workspace"),
    [
        ("docker-compose.yml", Ownership.MARKER, None, False),
        (".devcontainer/devcontainer.json", Ownership.MARKER, None, False),
        ("aws/json/xray-group.json", Ownership.PATH, None, False),
        (".devcontainer/install.sh", Ownership.MARKER, 0o755, False),
        (".bootstrap/env/web.env", Ownership.MARKER, 0o600, True),
        (".env.example", Ownership.MARKER, None, False),
    ],
)
def test_a_path_says_whose_the_file_is_and_who_may_read_it(
    path: str, ownership: Ownership, mode: int | None, *, per_workspace: bool
) -> None:
    (made,) = Renderer({f"{path}.j2": "x"}).render(CONTEXT)
    assert (made.path, made.ownership, made.mode, made.per_workspace) == (
        path,
        ownership,
        mode,
        per_workspace,
    )


def test_filters_encode_for_their_reader() -> None:
    made = render(
        "{{ {'a': '${X}', 'b': ['1', 1]} | yaml(2) }}\n{{ {'a': '${X}'} | compose }}\n"
        "{{ \"it's\" | shell }}\n{{ {'a': 'é'} | json }}\n"
        "{{ {'a': {'b': 1}, 'l': [1]} | merge({'a': {'c': 2}, 'l': [1, 2]}) | json(none) }}\n"
        "{{ {'name': 'A', 'value': '$x'} | env_assignment }}"
    )
    assert made["file.yml"] == (
        '  a: "${X}"\n  b:\n    - "1"\n    - 1\na: "$${X}"\n'
        "'it'\\''s'\n{\n  \"a\": \"é\"\n}\n" + '{"a": {"b": 1, "c": 2}, "l": [1, 2]}\n' + 'A="\\$x"'
    )
