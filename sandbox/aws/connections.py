"""The server's connections: how many, how long, and who has to make room for whom.

Until a client has shown a good signature it is a stranger. Strangers cannot take the places of the others:
of those beyond `STRANGERS` the oldest is closed, and who is too slow is closed anyway.
"""

import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import cast

from werkzeug.serving import ThreadedWSGIServer

from sandbox.aws.incidents import Incidents
from sandbox.aws.wsgi import Application

CONNECTIONS = 256
STRANGERS = 96

# So long a new connection has to show a signature before others may push it out.
_GRACE = 0.1
_REAP_EVERY = 0.25
_Request = socket.socket | tuple[bytes, socket.socket]  # socketserver's types; this server's are sockets
_Address = tuple[str, int] | str
_FULL = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Deadlines:
    """How many seconds a client has: for a head, between two requests, and for each block of a body.

    And for each block of an answer: a client may work through what it has got so far.
    """

    head: float = 10.0
    idle: float = 90.0
    body: float = 30.0
    answer: float = 300.0


class Connection:
    """One client's connection; `trusted` once it has carried a good signature."""

    def __init__(self, peer: socket.socket, seconds: float) -> None:
        self.peer = peer
        self.opened = time.monotonic()
        self.trusted = False
        self.idle = False
        self.deadline = self.opened + seconds

    def trust(self) -> None:
        """The client has shown a good signature."""
        self.trusted = True

    def allow(self, seconds: float, *, idle: bool = False) -> None:
        """Give the client time for its next step."""
        self.deadline = time.monotonic() + seconds
        self.idle = idle

    def end(self) -> None:
        """Close it for its thread, which then finds its end."""
        try:
            self.peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the client was faster


class Server(ThreadedWSGIServer):
    """One thread for a connection, and bounds for both."""

    def __init__(
        self,
        host: str,
        port: int,
        application: Application,
        handler: type,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        self.deadlines = deadlines
        self.incidents = Incidents()
        self._connections: dict[socket.socket, Connection] = {}
        self._lock = threading.Lock()
        self._reaped = 0.0
        super().__init__(host, port, application, handler)

    def connection(self, peer: socket.socket) -> Connection:
        """What is known of a client's connection; nothing of one that had to make room already."""
        with self._lock:
            return self._connections.get(peer) or Connection(peer, self.deadlines.head)

    def process_request(self, request: _Request, client_address: _Address) -> None:
        """Take a connection, in the place of another where there are too many."""
        peer = cast("socket.socket", request)
        if not self._make_room():
            self.incidents.note("Refused a connection, all are in use")
            peer.send(_FULL)
            super().shutdown_request(request)
            return
        with self._lock:
            self._connections[peer] = Connection(peer, self.deadlines.head)
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        """Close a connection and forget it."""
        with self._lock:
            self._connections.pop(cast("socket.socket", request), None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close the connections whose time is over."""
        now = time.monotonic()
        if now < self._reaped + _REAP_EVERY:
            return
        self._reaped = now
        self.incidents.flush()
        for connection in self._all():
            if now > connection.deadline:
                if not connection.idle:
                    self.incidents.note("Closed a connection whose client was too slow")
                connection.end()

    def handle_error(self, request: _Request, client_address: _Address) -> None:
        """One line for what a client has broken off; a traceback only for an error of the server's own."""
        error = sys.exception()
        if isinstance(error, OSError):
            self.incidents.note("A client broke off", f"{type(error).__name__}: {error}")
        else:
            super().handle_error(request, client_address)

    def _all(self) -> list[Connection]:
        with self._lock:
            return list(self._connections.values())

    def _make_room(self) -> bool:
        connections = self._all()
        strangers = [connection for connection in connections if not connection.trusted]
        if len(strangers) >= STRANGERS:
            oldest = strangers[0]  # as they came
            time.sleep(max(0.0, oldest.opened + _GRACE - time.monotonic()))
            self._push_out(oldest)
        elif len(connections) >= CONNECTIONS:
            idle = [connection for connection in connections if connection.idle]
            if not idle:
                return False
            self._push_out(min(idle, key=lambda connection: connection.deadline))
        return True

    def _push_out(self, connection: Connection) -> None:
        if not connection.trusted:
            self.incidents.note("Closed a connection without a signature to make room")
        connection.end()
        with self._lock:
            self._connections.pop(connection.peer, None)
