"""The way from a request to the moto service that answers it."""

from typing import Any

from flask import Flask
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.aws import wsgi


class MotoServices(DomainDispatcherApplication):
    """moto's dispatcher with a short cut for S3.

    moto looks through its installed folders for every request, which takes as long as a small PutObject
    itself. The signature names the service already.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._s3: Flask = create_backend_app("s3")

    def get_application(self, environ: dict[str, Any]) -> Flask:
        """The application of the service the request was signed for."""
        if environ.get(wsgi.SERVICE) == "s3" and not wsgi.raw_path(environ).startswith("/v20180820/"):
            return self._s3
        application: Flask = super().get_application(environ)
        return application
