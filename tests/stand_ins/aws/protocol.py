"""AWS's three protocols: what a request asks for, and how answers and errors are written.

The JSON protocol (logs), the REST-JSON one (xray: a path for each operation) and the query one (iam, sts).
Shapes come from botocore's models; moto's parser and serializers read and write the query protocol.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import botocore.session
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import QueryParser
from moto.core.serialize import get_serializer_class

from tests.stand_ins.aws.errors import Refusal
from tests.stand_ins.server import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_JSON = {"logs": "application/x-amz-json-1.1", "xray": "application/json"}
SERVICES = ("xray", "logs", "iam", "sts")


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


@cache
def _paths(service: str) -> Mapping[tuple[str, str], str]:
    model = service_model(service)
    operations = map(model.operation_model, model.operation_names)
    return {(each.http["method"], each.http["requestUri"]): each.name for each in operations}


def asked(service: str, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """Read which operation is asked for, and its arguments; a Refusal where no operation is."""
    model = service_model(service)
    values: dict[str, str] = {}
    if service == "xray":
        name = _paths(service).get((request.method, request.path), "")
        arguments = _json(request.body)
    elif service == "logs":
        name = request.headers.get("X-Amz-Target", "").removeprefix(f"{model.metadata['targetPrefix']}.")
        arguments = _json(request.body)
    else:
        values = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        name = values.get("Action", "")
        if values.get("Version") != model.api_version:
            raise Refusal("NoSuchVersion", "The requested version is not valid", 400)
        arguments = {}
    if name not in model.operation_names:
        raise Refusal("UnknownOperationException" if service in _JSON else "InvalidAction", name, 404)
    operation = cast("OperationModel", model.operation_model(name))
    if service in ("iam", "sts"):
        arguments = QueryParser(operation).parse(cast("Any", {"values": values}))
    return operation, arguments


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Refusal("SerializationException", "", 400)
    return read


def answer(operation: OperationModel, result: Mapping[str, Any]) -> Response:
    """Write what an operation gives back."""
    service = operation.service_model
    written = get_serializer_class(service.service_name, service.protocol)(operation).serialize(result)
    headers = {name: str(value) for name, value in written["headers"].items()}
    if service.service_name in _JSON:
        headers["Content-Type"] = _JSON[service.service_name]
    return Response(written["status_code"], str(written["body"]).encode(), headers)


def error(service: str, refused: Refusal) -> Response:
    """Write an error as the service does."""
    status = refused.status or _status(service, refused.code)
    if service == "xray":
        headers = {"Content-Type": _JSON[service], "x-amzn-ErrorType": f"{refused.code}:"}
        return Response(status, json.dumps({"message": refused.message}).encode(), headers)
    if service == "logs":
        document = {"__type": refused.code, "message": refused.message}
        return Response(status, json.dumps(document).encode(), {"Content-Type": _JSON[service]})
    fault = "Receiver" if status >= 500 else "Sender"
    namespace = service_model(service).metadata["xmlNamespace"]
    text = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type>'
        f"<Code>{refused.code}</Code><Message>{_escaped(refused.message)}</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>"
    )
    return Response(status, text.encode(), {"Content-Type": "text/xml"})


def _status(service: str, code: str) -> int:
    """What the model says of an error; 400 where it knows none, or says nothing."""
    for shape in service_model(service).error_shapes:
        if shape.metadata.get("error", {}).get("code", shape.name) == code:
            return int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
    return 400


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
