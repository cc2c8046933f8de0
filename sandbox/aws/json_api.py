"""Requests and answers of a service that speaks JSON, read and written by botocore's model of it."""

import base64
import json
import re
from datetime import datetime
from functools import cached_property
from typing import Any

import botocore.loaders
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from sandbox.aws.refusals import RefusalError
from sandbox.aws.wsgi import StartResponse

Values = dict[str, Any]


def refuse(code: str, message: str) -> RefusalError:
    """The error of such a service with this code; those of Redshift's services all have status 400.

    Their API references give each but InternalServerException that status.
    """
    return RefusalError("400 Bad Request", code, message)


def invalid(message: str) -> RefusalError:
    """A value that the service does not take."""
    return refuse("ValidationException", message)


class JsonApi:
    """A service's requests and answers.

    Args:
        name: The service, by botocore's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _model(self) -> ServiceModel:
        loaded = botocore.loaders.create_loader().load_service_model(self._name, "service-2")
        return ServiceModel(loaded, self._name)

    def read(self, action: str, body: bytes) -> Values:
        """The parameters of a call.

        Raises:
            RefusalError: There is no such operation, or they do not fit its model.
        """
        if action not in self._model.operation_names:
            raise refuse("UnknownOperationException", f"There is no operation {action[:100]}.")
        try:
            values = json.loads(body or b"{}")
        except ValueError as error:
            raise refuse("SerializationException", "The body is no JSON.") from error
        shape = self._model.operation_model(action).input_shape
        if not isinstance(values, dict):
            raise refuse("SerializationException", "The body is no JSON object.")
        if shape is not None:
            report = ParamValidator().validate(values, shape)
            if report.has_errors():
                raise invalid(report.generate_report())
            _check(shape, values, "")
        return values

    def write(self, action: str, answer: Values) -> bytes:
        """The body of an answer: what its model names, without what is None."""
        shape = self._model.operation_model(action).output_shape
        return json.dumps(_serialize(shape, answer) if shape is not None else {}).encode()


def send(body: bytes, start_response: StartResponse) -> list[bytes]:
    """Answer with what `write` made."""
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def _check(shape: Shape, value: Any, path: str) -> None:  # noqa: ANN401 - values of any shape
    """Refuse what botocore's own clients let pass: too long, not of the pattern, not of the list."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                _check(member, value[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        _check_length(shape, len(value), path)
        for number, item in enumerate(value):
            _check(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, StringShape):
        _check_length(shape, len(value), path)
        pattern = shape.metadata.get("pattern")
        if (shape.enum and value not in shape.enum) or (pattern and not re.fullmatch(pattern, value)):
            rule = " or ".join(shape.enum) if shape.enum else f"of the form {pattern}"
            raise invalid(f"Value {value[:100]!r} at {path!r} is not valid: it must be {rule}.")
    elif shape.type_name in {"integer", "long"}:
        _check_length(shape, value, path)


def _check_length(shape: Shape, size: int, path: str) -> None:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        raise invalid(f"The value at {path!r} is too large: {size}, at most {most}.")


def _serialize(shape: Shape, value: Any) -> Any:  # noqa: ANN401 - values of any shape
    if isinstance(shape, StructureShape):
        return {
            name: _serialize(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_serialize(shape.member, item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        is_text = shape.serialization.get("timestampFormat") == "iso8601"
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if is_text else value.timestamp()
    return value
