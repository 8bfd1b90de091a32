"""Reads how a service's Python files name it for X-Ray's SDK. Nothing of them is ever run."""

import ast
import warnings
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

#: without any of them a file says nothing to the SDK
_WORDS = (b"aws_xray_sdk", b"xray_recorder", b"AWSXRayRecorder", b"XRayMiddleware")
#: what leads from one name to its value before we give up
_STEPS = 5


class Value(Struct, frozen=True):
    """What an expression comes to: a variable of the environment, a text, or what only running it would say.

    With both, the text counts where the variable is not set.
    """

    text: str | None = None
    variable: str | None = None

    @property
    def known(self) -> bool:
        """Whether anything can be said about it."""
        return self.text is not None or self.variable is not None


class Naming(Struct, frozen=True):
    """One place where a recorder is given a service's name, a pattern for dynamic naming, or both."""

    path: str
    line: int
    #: the function that it is in, so that what comes first can be told; None at the top of the file
    scope: int | None = None
    service: Value | None = None
    dynamic: Value | None = None


class Source(Struct, frozen=True):
    """What a service's files say."""

    namings: tuple[Naming, ...] = ()
    #: path:line of the first XRayMiddleware; empty without one
    middleware: str = ""
    #: files that speak of X-Ray and are no Python that this interpreter reads
    unreadable: tuple[str, ...] = ()


class _File(Struct):
    """One file while it is read."""

    path: str
    tree: ast.Module
    #: names of recorders, of classes of recorders, and of the middleware
    recorders: set[str] = field(default_factory=lambda: {"xray_recorder"})
    classes: set[str] = field(default_factory=lambda: {"AWSXRayRecorder"})
    middleware: set[str] = field(default_factory=lambda: {"XRayMiddleware"})
    #: what is assigned to each simple name, everywhere in the file
    assigned: dict[str, list[ast.expr]] = field(default_factory=dict)


def read(texts: Mapping[str, bytes]) -> Source:
    """Read files: path -> bytes. Those that do not mention X-Ray's SDK are not looked at."""
    namings: list[Naming] = []
    middleware, unreadable = "", []
    for path, data in texts.items():
        if not any(word in data for word in _WORDS):
            continue
        tree = _parsed(data)
        if tree is None:
            unreadable.append(path)
            continue
        file = _learned(_File(path, tree))
        for node, scope in _nodes(tree):
            namings += _naming(file, node, scope)
            if not middleware and isinstance(node, ast.Call) and _last(node.func) in file.middleware:
                middleware = f"{path}:{node.lineno}"
    return Source(tuple(namings), middleware, tuple(unreadable))


def _parsed(data: bytes) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its author's, such as an invalid escape
        try:
            return ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, int | None]]:
    """Every node in the order of the text, and in which function it is; without recursion."""
    waiting: list[tuple[ast.AST, int | None]] = [(tree, None)]
    while waiting:
        node, scope = waiting.pop()
        yield node, scope
        inside = node.lineno if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        waiting += [(child, inside) for child in reversed(list(ast.iter_child_nodes(node)))]


def _learned(file: _File) -> _File:
    """Find what the file calls recorders, and what it assigns."""
    for node, _ in _nodes(file.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aws_xray_sdk"):
            for alias in node.names:
                for names, original in (
                    (file.recorders, "xray_recorder"),
                    (file.classes, "AWSXRayRecorder"),
                    (file.middleware, "XRayMiddleware"),
                ):
                    if alias.name == original:
                        names.add(alias.asname or alias.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    file.assigned.setdefault(target.id, []).append(node.value)
                if isinstance(node.value, ast.Call) and _last(node.value.func) in file.classes:
                    file.recorders.add(_last(target))
    file.recorders.discard("")
    return file


def _naming(file: _File, node: ast.AST, scope: int | None) -> Iterator[Naming]:
    if isinstance(node, ast.Call):
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr != "configure":
            return
        if _last(function.value) not in file.recorders:
            return
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        unknown = Value() if None in given else None  # configure(**settings)
        service = _value(file, given["service"]) if "service" in given else unknown
        dynamic = _dynamic(file, given["dynamic_naming"]) if "dynamic_naming" in given else None
        if service is not None or dynamic is not None:
            yield Naming(file.path, node.lineno, scope, service, dynamic)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if not isinstance(target, ast.Attribute) or _last(target.value) not in file.recorders:
                continue
            if target.attr == "service":
                yield Naming(file.path, node.lineno, scope, service=_value(file, node.value))
            elif target.attr == "dynamic_naming":
                yield Naming(file.path, node.lineno, scope, dynamic=_dynamic(file, node.value))


def _dynamic(file: _File, node: ast.expr) -> Value | None:
    """The pattern, given as such or in the SDK's own DefaultDynamicNaming(pattern, fallback)."""
    if isinstance(node, ast.Call) and _last(node.func) == "DefaultDynamicNaming" and node.args:
        return _value(file, node.args[0])
    return _value(file, node)


def _value(file: _File, node: ast.expr, steps: int = _STEPS) -> Value | None:
    """None stands for Python's None, which the SDK takes for nothing given."""
    if isinstance(node, ast.Constant):
        if node.value is None or node.value == "":
            return None
        return Value(text=node.value) if isinstance(node.value, str) else Value()
    if isinstance(node, ast.Name) and steps:
        assigned = file.assigned.get(node.id, [])
        return _value(file, assigned[0], steps - 1) if len(assigned) == 1 else Value()
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and steps:
        return _otherwise(_value(file, node.values[0], steps - 1), file, node.values[1], steps)
    return _from_environment(file, node, steps)


def _from_environment(file: _File, node: ast.expr, steps: int) -> Value | None:
    """`os.environ["X"]`, `os.environ.get("X", default)` and `os.getenv("X", default)`."""
    if isinstance(node, ast.Subscript) and _last(node.value) == "environ":
        return Value(variable=_literal(node.slice))
    if not isinstance(node, ast.Call) or not node.args or not steps:
        return Value()
    asked = node.func
    through_get = isinstance(asked, ast.Attribute) and asked.attr == "get" and _last(asked.value) == "environ"
    if _last(asked) != "getenv" and not through_get:
        return Value()
    found = Value(variable=_literal(node.args[0]))
    if len(node.args) == 1:
        return found
    return _otherwise(found, file, node.args[1], steps)


def _otherwise(first: Value | None, file: _File, node: ast.expr, steps: int) -> Value | None:
    """The first, and where that is a variable which may be missing, the other instead."""
    other = _value(file, node, steps - 1)
    if first is None:
        return other
    if first.variable is None or first.text is not None or other is None:
        return first
    return Value(text=other.text, variable=first.variable) if other.text is not None else Value()


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _last(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
