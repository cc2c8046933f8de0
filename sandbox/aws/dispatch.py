"""The way from a request to the moto service that answers it."""

import logging
import traceback
from collections.abc import Iterable
from typing import Any
from xml.parsers.expat import ExpatError

from botocore.model import OperationNotFoundError
from flask import Flask
from moto.backends import SERVICE_NAMES
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.aws import calls, lacking, wsgi
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Environ, StartResponse

# What is served, by the names that requests are signed for. Nothing here calls other hosts or runs
# containers, as moto's Lambda and Batch do, and SNS where `topics` lets it. moto's own pages (/moto-api/) are
# no service.
SERVICES: tuple[SERVICE_NAMES, ...] = (
    *("s3", "iam", "sts", "ec2", "secretsmanager", "redshift", "redshift-data", "sns"),
)
# A header by which a request could get to another of moto's accounts.
_ACCOUNT = "HTTP_X_MOTO_ACCOUNT_ID"
# What Python raises where a request's value is not what moto takes for granted.
_UNREADABLE = (
    *(ArithmeticError, AssertionError, AttributeError, ExpatError, LookupError, NameError, RecursionError),
    *(TypeError, ValueError),
)
_CODES = {"s3": "InvalidRequest", "ec2": "InvalidParameterValue"}

log = logging.getLogger("sandbox.aws")


class MotoServices(DomainDispatcherApplication):
    """moto's dispatcher, going by the signature alone.

    moto looks at paths, bodies and its installed folders, which takes as long as a small PutObject itself,
    and can be led to another service than the one that the request was checked for.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._applications: dict[str, Flask] = {"s3": create_backend_app("s3")}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let moto answer; what it stumbles over is refused in one line, as AWS refuses it before."""
        try:
            return super().__call__(environ, start_response)  # type: ignore[no-any-return]
        except (NotImplementedError, OperationNotFoundError):
            refusal = lacking.refusal(environ[wsgi.SERVICE], calls.read(environ).action)
        except _UNREADABLE as error:
            refusal = _unreadable(error, environ)
        return respond(refusal, environ, start_response)

    def get_application(self, environ: dict[str, Any]) -> Flask:
        """The application of the service the request was signed for."""
        environ.pop(_ACCOUNT, None)
        service = environ[wsgi.SERVICE]
        with self.lock:
            if service not in self._applications:
                self._applications[service] = create_backend_app(service)
            return self._applications[service]


def _unreadable(error: Exception, environ: Environ) -> RefusalError:
    """The refusal of a request that moto could not read; the log says where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    request = f"{environ['REQUEST_METHOD']} {wsgi.raw_path(environ)[:300]}"
    log.warning(
        "%s cannot be read: %s: %.200r in %s:%s",
        *(request, type(error).__name__, str(error), frame.filename, frame.lineno),
    )
    has_document = environ["REQUEST_METHOD"] in {"PUT", "POST"} and environ.get("QUERY_STRING")
    code = _CODES.get(environ[wsgi.SERVICE], "ValidationError")
    if environ[wsgi.SERVICE] == "s3" and (has_document or isinstance(error, ExpatError)):
        code = "MalformedXML"
    message = f"A value of the request cannot be read: {type(error).__name__}: {str(error)[:200]!r}"
    return RefusalError("400 Bad Request", code, message)
