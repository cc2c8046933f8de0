"""HTTP in front of the WSGI layers: one thread a connection, connections stay open between requests."""

import contextlib
import io
import logging
import socket
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import BinaryIO, cast

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import WSGIRequestHandler

from sandbox.aws import heads, wsgi
from sandbox.aws.connections import Connection, Server
from sandbox.aws.faults import DroppedError
from sandbox.aws.heads import MalformedError

log = logging.getLogger("sandbox.aws")

_BODYLESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# So much of a refused body is read on, that its sender sees the answer rather than a broken connection.
_DISCARD_BYTES = 1024 * 1024
_DISCARD_SECONDS = 2.0
_BLOCK = 256 * 1024


class Incoming:
    """What comes from a client, which has some time for each block of it; asked for when first read."""

    def __init__(
        self, file: BinaryIO, connection: Connection, seconds: float, ask: Callable[[bytes], object]
    ) -> None:
        self._file = file
        self._connection = connection
        self._seconds = seconds
        self._ask = ask
        self.expected = False

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        self._next()
        return self._file.read(size)

    def readline(self, limit: int, /) -> bytes:
        """A line of up to `limit` bytes."""
        self._next()
        return self._file.readline(limit)

    def _next(self) -> None:
        if self.expected:
            self.expected = False
            self._ask(_CONTINUE)
        self._connection.allow(self._seconds)


class Handler(MotoRequestHandler):
    """Moto's request handler, answering any number of requests on a connection.

    Werkzeug closes the connection after each one because it cannot know whether the body was read to its end.
    Here the layer that checks signatures reads it; what was refused before is the last on its connection.
    """

    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        """Prepare for the first request."""
        super().setup()
        self._connection = self.server.connection(self.request)
        self._file = cast("BinaryIO", self.rfile)
        self._deadlines = self.server.deadlines
        self._incoming = Incoming(self._file, self._connection, self._deadlines.body, self.wfile.write)

    def make_environ(self) -> wsgi.Environ:
        """The request for the layers; without moto's care for names with underscores where there are none."""
        if any("_" in name for name in self.headers):
            return super().make_environ()
        return {**WSGIRequestHandler.make_environ(self), PRESERVED_HEADER_NAMES_ENVIRON_KEY: {}}

    def finish(self) -> None:
        """Close the connection's files."""
        self.rfile = cast("io.BufferedIOBase", self._file)
        super().finish()

    def handle_one_request(self) -> None:
        """Read a request's head and answer it."""
        self.close_connection = True
        try:
            head = self._read_head()
            if head is None:
                return
            self.raw_requestline, section = head
            self.rfile = io.BytesIO(section)
            if not self.parse_request():
                return
            heads.check(self.headers, self.request_version)
        except MalformedError as error:
            self._refuse(error)
            return
        self.rfile = cast("io.BufferedIOBase", self._incoming)
        self._connection.allow(float("inf"))
        try:
            self.run_wsgi()
        except DroppedError:
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Ask for the body when somebody wants it, rather than now."""
        return True

    def run_wsgi(self) -> None:
        """Answer one request."""
        self._incoming.expected = self.headers.get("Expect", "").lower() == "100-continue"
        self.environ = environ = self.make_environ()
        environ[wsgi.TRUST] = self._connection.trust
        body = self.server.app(environ, self._start_response)
        unread = wsgi.BODY not in environ and (
            environ.get("CONTENT_LENGTH", "0").strip("0") != "" or "HTTP_TRANSFER_ENCODING" in environ
        )
        # What is left of a body is no next request; and no stranger keeps a place.
        self.close_connection |= unread or not self._connection.trusted
        self._send(body)
        if unread:
            self._discard()

    def _read_head(self) -> tuple[bytes, bytes] | None:
        """The next request's head; between two requests a client that is known may rest."""
        if self._connection.trusted:
            self._connection.allow(self._deadlines.idle, idle=True)
            cast("io.BufferedReader", self._file).peek(1)
            self._connection.allow(self._deadlines.head)
        return heads.read(self._file)

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _: object = None
    ) -> Callable[[bytes], object]:
        self._status, self._headers = status, headers
        return self.wfile.write

    def _send(self, body: Iterable[bytes]) -> None:
        code = int(self._status.split(maxsplit=1)[0])
        has_length = any(name.lower() == "content-length" for name, _ in self._headers)
        whole = b"" if has_length else b"".join(body)
        self.send_response_only(code)
        self.log_request(code)
        for name, value in self._headers:
            self.send_header(name, value)
        if not has_length and code not in _BODYLESS:
            self.send_header("Content-Length", str(len(whole)))
        if self.close_connection:
            self.send_header("Connection", "close")
        blocks = iter(() if self.command == "HEAD" else body if has_length else (whole,))
        try:
            self._connection.allow(self._deadlines.answer)
            # In one piece with the head: most answers are short.
            self.wfile.write(self._head() + next(blocks, b""))
            for block in blocks:
                self._connection.allow(self._deadlines.answer)
                self.wfile.write(block)
        finally:
            getattr(body, "close", lambda: None)()

    def _head(self) -> bytes:
        """The status line and the headers, as they were given so far, with their end."""
        lines: list[bytes] = vars(self).pop("_headers_buffer", [])
        return b"".join([*lines, b"\r\n"])

    def _refuse(self, error: MalformedError) -> None:
        """Answer what is no HTTP, and close."""
        self.server.incidents.note("Refused a malformed request", str(error))
        text = f"<Error><Code>{error.code}</Code><Message>{error}</Message></Error>".encode()
        head = f"Content-Type: application/xml\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode() + text)
        self._discard()

    def _discard(self) -> None:
        """Read on for a moment, so that the client sees the answer before the end of the connection."""
        self._connection.allow(_DISCARD_SECONDS + 1)
        end, left = time.monotonic() + _DISCARD_SECONDS, _DISCARD_BYTES
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while left > 0 and (seconds := end - time.monotonic()) > 0:
                self.connection.settimeout(seconds)
                block = self.connection.recv(min(left, _BLOCK))
                if not block:
                    return
                left -= len(block)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 # as inherited
        """Log a request that was answered with an error, without its query (it may hold a signature)."""
        if str(code) < "400":
            return
        line = f"{self.command} {self.path.split('?', 1)[0][:300]} -> {code}"
        if self._connection.trusted:
            log.info("%s", line)
        else:
            self.server.incidents.note("Refused a request without a good signature", line)
