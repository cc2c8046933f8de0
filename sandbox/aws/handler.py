"""HTTP in front of the WSGI layers: one thread a connection, connections stay open between requests."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from moto.moto_server.werkzeug_app import MotoRequestHandler

from sandbox.aws import wsgi

log = logging.getLogger("sandbox.aws")

_BODYLESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class Handler(MotoRequestHandler):
    """Moto's request handler, answering any number of requests on a connection.

    Werkzeug closes the connection after each one because it cannot know whether the body was read to its end.
    Here the body is read before the application runs, which makes a small request a third cheaper.
    """

    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def run_wsgi(self) -> None:
        """Answer one request."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
        self.environ = environ = self.make_environ()
        wsgi.read_body(environ)
        body = b"".join(self.server.app(environ, self._start_response))
        self._send(body)

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _: object = None
    ) -> Callable[[bytes], object]:
        self._status, self._headers = status, headers
        return self.wfile.write

    def _send(self, body: bytes) -> None:
        code = int(self._status.split(maxsplit=1)[0])
        self.send_response_only(code)
        self.log_request(code)
        for name, value in self._headers:
            self.send_header(name, value)
        has_length = any(name.lower() == "content-length" for name, _ in self._headers)
        if not has_length and code not in _BODYLESS:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 # as inherited
        """Log a request that was answered with an error, without its query (it may hold a signature)."""
        if str(code) >= "400":
            log.info("%s %s -> %s", self.command, self.path.split("?", 1)[0], code)
