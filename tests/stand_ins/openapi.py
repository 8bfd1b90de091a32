"""An OpenAPI 3.1 document as judge of requests and answers: paths, parameters, and bodies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_URI = "urn:openapi"


def _read_only(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """A property that only the server may write, although somebody sends it."""
    del validator, instance, schema
    if value:
        yield ValidationError("is read-only")


_extend: Any = extend  # it has no types
_Request: Any = _extend(Draft202012Validator, {"readOnly": _read_only})


class Document:
    """What an API takes and gives."""

    def __init__(self, path: Path) -> None:
        self._document = json.loads(path.read_bytes())
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._validators: dict[tuple[str, bool], Any] = {}
        self._paths = [
            (re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path))), path)
            for path in sorted(self._document["paths"], key=lambda path: path.count("{"))
        ]

    def request(self, method: str, target: str, body: bytes, content_type: str | None) -> list[str]:
        """What is wrong with a request; empty when nothing is."""
        parts = urlsplit(target)
        template = self._template(parts.path)
        if template is None:
            return [f"no such path: {parts.path}"]
        operation = self._document["paths"][template].get(method.lower())
        if operation is None:
            return [f"no such method: {method} {template}"]
        return [
            *self._values(template, operation, parts.path, parts.query),
            *self._body(template, method.lower(), operation, body, content_type),
        ]

    def answer(self, method: str, target: str, status: int, document: Any) -> list[str]:
        """What is wrong with an answer of a stand-in; empty when nothing is."""
        template = self._template(urlsplit(target).path)
        if template is None:
            return []
        pointer = f"/paths/{_escaped(template)}/{method.lower()}/responses"
        responses = self._document["paths"][template][method.lower()]["responses"]
        key = str(status) if str(status) in responses else "default"
        if key not in responses:
            return [f"{method} {template} never answers {status}"]
        if status == 204:
            return [] if document is None else ["204 has no content"]
        at, response = self._followed(f"{pointer}/{key}", responses[key])
        content = response["content"]
        kind = "application/json" if "application/json" in content else next(iter(content))
        return self._errors(f"{at}/content/{_escaped(kind)}/schema", document, requested=False)

    def _template(self, path: str) -> str | None:
        return next((template for pattern, template in self._paths if pattern.fullmatch(path)), None)

    def _values(self, template: str, operation: Any, path: str, query: str) -> Iterator[str]:
        shared = self._document["paths"][template].get("parameters", [])
        parameters = [
            self._followed("", parameter)[1] for parameter in [*shared, *operation.get("parameters", [])]
        ]
        found = dict(zip(re.findall(r"\{(\w+)\}", template), self._groups(template, path), strict=True))
        for name in found:
            if not any(one["in"] == "path" and one["name"] == name for one in parameters):
                yield f"undeclared path parameter {name}"
        allowed = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
        for name, value in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
            if name not in allowed:
                yield f"unknown query parameter {name}"
            elif allowed[name].get("type") == "boolean" and value not in ("true", "false"):
                yield f"{name} is no boolean: {value}"

    def _groups(self, template: str, path: str) -> tuple[str, ...]:
        pattern = next(pattern for pattern, known in self._paths if known == template)
        match = pattern.fullmatch(path)
        assert match is not None
        return tuple(map(unquote, match.groups()))

    def _body(
        self, template: str, method: str, operation: Any, body: bytes, content_type: str | None
    ) -> list[str]:
        if "requestBody" not in operation:
            return ["a body where none is wanted"] if body else []
        if not body:
            return ["no body"]
        if content_type != "application/json":
            return [f"content type {content_type}"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        pointer = f"/paths/{_escaped(template)}/{method}/requestBody/content/application~1json/schema"
        document = json.loads(body)
        unknown = set(document) - set(self._properties(schema))
        return [
            *(f"unknown property {name}" for name in sorted(unknown)),
            *self._errors(pointer, document, requested=True),
        ]

    def _properties(self, schema: Any) -> Iterator[str]:
        _, schema = self._followed("", schema)
        yield from schema.get("properties", {})
        for part in schema.get("allOf", []):
            yield from self._properties(part)

    def _errors(self, pointer: str, document: Any, *, requested: bool) -> list[str]:
        key = (pointer, requested)
        if key not in self._validators:
            kind = _Request if requested else Draft202012Validator
            self._validators[key] = kind({"$ref": f"{_URI}#{pointer}"}, registry=self._registry)
        errors = self._validators[key].iter_errors(document)
        return [f"{one.json_path}: {one.message}" for one in errors if not _excused(one, document)]

    def _followed(self, pointer: str, node: Any) -> tuple[str, Any]:
        while "$ref" in node:
            pointer = node["$ref"].removeprefix("#")
            node = self._document
            for part in pointer.split("/")[1:]:
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return pointer, node


def _excused(error: ValidationError, document: Any) -> bool:
    """Honeycomb's document wants a column's key_name in a change, and calls it read-only at the same time."""
    return error.json_path == "$.key_name" and error.validator == "readOnly" and "key_name" in document


def _escaped(part: str) -> str:
    """A part of a JSON pointer inside a URI's fragment."""
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
