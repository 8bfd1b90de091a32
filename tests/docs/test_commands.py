"""What the pages say to type exists: commands, options, choices, targets of make, steps of the installer."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml

from bootstrap.cli.root import root

ROOT = Path(__file__).parents[2]
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "cli.md"})
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`(?!`)([^`]+)`(?!`)")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_ENDS = re.compile(r"^[();<>|&]+$")
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
_TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)
_STEP = re.compile(r"^    ([a-z]+)\)", re.MULTILINE)


class Typed(NamedTuple):
    """One command as it stands on a page."""

    page: Path
    text: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text}"


def simple_commands(line: str) -> Iterator[tuple[str, ...]]:
    """The simple commands of a line of shell, those in `$(...)` among them; no assignments before them."""
    for inner in _SUBSTITUTION.findall(line):
        yield from simple_commands(inner)
    lexer = shlex.shlex(_SUBSTITUTION.sub("x", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    redirected = False
    for word in [*lexer, ";"]:
        if _ENDS.match(word) and "<" not in word and ">" not in word:
            while words and _ASSIGNMENT.match(words[0]):
                del words[0]
            if words:
                yield tuple(words)
            words = []
        elif _ENDS.match(word):
            redirected = True
        elif redirected:
            redirected = False
        else:
            words.append(word)


def lines_of(page: Path) -> Iterator[str]:
    """Every line that somebody is to type, or a workflow runs."""
    for language, text in _BLOCK.findall(page.read_text("utf-8")):
        if language == "sh":
            yield from text.replace("\\\n", " ").splitlines()
        elif language == "yaml" and "jobs:" in text:
            jobs = yaml.safe_load(text)["jobs"].values()
            yield from (
                line for job in jobs for step in job["steps"] for line in step.get("run", "").splitlines()
            )


def blocks() -> Iterator[Typed]:
    for page in PAGES:
        for line in lines_of(page):
            yield from (Typed(page, line, words) for words in simple_commands(line))


def mentioned() -> Iterator[Typed]:
    """What sentences and tables name, which may have placeholders, or lack what everybody knows."""
    for page in PAGES:
        for text in _INLINE.findall(_BLOCK.sub("", page.read_text("utf-8"))):
            if text.startswith("bootstrap "):
                yield Typed(page, text, tuple(shlex.split(" ".join(text.split()))))


def is_ours(typed: Typed) -> bool:
    return typed.words[0].rpartition("/")[2] == "bootstrap"


TYPED = list(blocks())
OURS = [each for each in TYPED if is_ours(each)]


def parse(words: tuple[str, ...], *, whole: bool) -> None:
    """Hold a command against the real tree; raises click.UsageError. Nothing is run."""
    command: click.Command = root
    context = click.Context(root)
    arguments = list(words[1:])
    while isinstance(command, click.Group):
        # A group reads its own options, and leaves everything from the first other word on.
        _, arguments, _ = command.make_parser(context).parse_args(arguments)
        if not arguments:
            return
        _, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    if whole:
        command.make_context(command.name, arguments, parent=context.parent)
    else:
        # Options have to exist; what is to be filled in is not looked at.
        command.make_parser(context).parse_args(arguments)


@pytest.mark.parametrize("typed", OURS, ids=str)
def test_what_is_typed_is_taken(typed: Typed) -> None:
    try:
        parse(typed.words, whole=True)
    except click.UsageError as error:
        pytest.fail(f"{typed}: {error.format_message()}")


@pytest.mark.parametrize("typed", sorted(set(mentioned())), ids=str)
def test_what_is_mentioned_exists(typed: Typed) -> None:
    try:
        parse(typed.words, whole=False)
    except click.UsageError as error:
        pytest.fail(f"{typed}: {error.format_message()}")


def test_targets_of_make_exist() -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    named = {each: each.words[1] for each in TYPED if each.words[0] == "make"}
    assert named
    assert {str(each) for each, target in named.items() if target not in targets} == set()


def test_steps_of_the_installer_exist() -> None:
    script = (ROOT / ".devcontainer" / "install.sh").read_text("utf-8")
    steps = set(_STEP.findall(script.rpartition("for step in")[2]))
    named = [each for each in TYPED if ".devcontainer/install.sh" in each.words]
    assert named
    for each in named:
        assert set(each.words[2:]) <= steps, each


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("a b   # c", [("a", "b")]),
        ("X=1 Y='2 3' a && b || c", [("a",), ("b",), ("c",)]),
        ("a <f >> g 2>&1 | b", [("a",), ("b",)]),
        ('eval "$(a --x | b)"', [("a", "--x"), ("b",), ("eval", "x")]),
    ],
)
def test_a_line_is_taken_apart_as_a_shell_does(line: str, commands: list[tuple[str, ...]]) -> None:
    assert [
        tuple(word for word in each if word not in {"2", "1"}) for each in simple_commands(line)
    ] == commands


@pytest.mark.parametrize(
    "text",
    ["bootstrap upp", "bootstrap up --no-such", "bootstrap tag start", "bootstrap secrets use nowhere"],
)
def test_a_mistake_is_found(text: str) -> None:
    with pytest.raises(click.UsageError):
        parse(tuple(shlex.split(text)), whole=True)
