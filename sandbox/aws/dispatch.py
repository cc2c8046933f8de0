"""The way from a request to the moto service that answers it."""

from typing import Any

from flask import Flask
from moto.backends import SERVICE_NAMES
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.aws import wsgi

# What is served, by the names that requests are signed for. Nothing here calls other hosts
# or runs containers, as moto's Lambda, SNS and Batch do. moto's own pages (/moto-api/) are no service.
SERVICES: tuple[SERVICE_NAMES, ...] = (
    *("s3", "iam", "sts", "ec2", "secretsmanager", "redshift", "redshift-data"),
)
# A header by which a request could get to another of moto's accounts.
_ACCOUNT = "HTTP_X_MOTO_ACCOUNT_ID"


class MotoServices(DomainDispatcherApplication):
    """moto's dispatcher, going by the signature alone.

    moto looks at paths, bodies and its installed folders, which takes as long as a small PutObject itself,
    and can be led to another service than the one that the request was checked for.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._applications: dict[str, Flask] = {"s3": create_backend_app("s3")}

    def get_application(self, environ: dict[str, Any]) -> Flask:
        """The application of the service the request was signed for."""
        environ.pop(_ACCOUNT, None)
        service = environ[wsgi.SERVICE]
        with self.lock:
            if service not in self._applications:
                self._applications[service] = create_backend_app(service)
            return self._applications[service]
