"""Sockets that say what they like to the endpoint, or to its PostgreSQL to see what that answers."""

import os
import resource
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Self

import psutil
import psycopg

from sandbox.parts.parts import Redshift
from sandbox.parts.postgres import PORT
from sandbox.parts.settings import Settings
from sandbox.redshift.relay import messages

Message = tuple[str, bytes]


class Raw:
    """One connection, read message by message."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send; False when the other side has gone away."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def message(self) -> Message | None:
        """The next message; None when the other side has closed."""
        header = self._exactly(5)
        if len(header) < 5:
            return None
        (length,) = struct.unpack("!i", header[1:])
        return chr(header[0]), self._exactly(length - 4)

    def answer(self) -> list[Message]:
        """Everything up to ReadyForQuery, or to the end of the connection."""
        found: list[Message] = []
        while message := self.message():
            found.append(message)
            if message[0] == "Z":
                break
        return found

    def rest(self) -> list[Message]:
        """Everything up to the end of the connection."""
        found: list[Message] = []
        while message := self.message():
            found.append(message)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionError:
                more = b""
            if not more:
                return b""
            self._received += more
        taken, self._received = self._received[:count], self._received[count:]
        return taken


class Session(Raw):
    """A connection that has logged in: libpq does that, and then leaves it to us."""

    def __init__(self, settings: Settings, *, direct: bool = False, **options: str) -> None:
        place = (
            {"host": str(settings.socket_dir), "port": PORT}
            if direct
            else {"host": "127.0.0.1", "port": settings.redshift_port}
        )
        self._owner = psycopg.connect(
            **place,  # type: ignore[arg-type]
            user=settings.user,
            password=settings.password,
            dbname=settings.database,
            sslmode="disable",
            **options,
        )
        connection = socket.socket(fileno=os.dup(self._owner.pgconn.socket))
        connection.settimeout(20)
        super().__init__(connection)

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        super().close()
        self._owner.close()


def visit(settings: Settings, data: bytes = b"") -> Raw:
    """A connection to the endpoint that has said this much."""
    connection = socket.create_connection(("127.0.0.1", settings.redshift_port), timeout=20)
    raw = Raw(connection)
    raw.send(data)
    return raw


def visit_postgres(settings: Settings, data: bytes = b"") -> Raw:
    """The same past the endpoint."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(f"{settings.socket_dir}/.s.PGSQL.{PORT}")
    raw = Raw(connection)
    raw.send(data)
    return raw


@contextmanager
def crowd(settings: Settings, number: int, data: bytes = b"") -> Iterator[list[Raw]]:
    """So many connections at once that have said this much and no more."""
    # Each is a file of the test's process, too, which has others open.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        yield [stack.enter_context(visit(settings, data)) for _ in range(number)]


def startup(settings: Settings, **others: str) -> bytes:
    """The warehouse's StartupMessage."""
    return messages.startup({"user": settings.user, "database": settings.database, **others})


def errors(answer: Iterable[Message]) -> list[tuple[str, str]]:
    """Severity and SQLSTATE of each error in an answer."""
    fields = [messages.read_fields(body) for kind, body in answer if kind == "E"]
    return [(error.severity, error.sqlstate) for error in fields]


def shape(answer: Iterable[Message]) -> str:
    """The types of an answer's messages, without those that come at any time."""
    return "".join(kind for kind, _ in answer if kind not in "NSA")


def process(settings: Settings) -> psutil.Process:
    """The endpoint's process."""
    return Redshift(settings).find()[0]


def megabytes(settings: Settings) -> float:
    """What the endpoint's process has in memory."""
    return float(process(settings).memory_info().rss) / 1e6


def log(settings: Settings) -> str:
    """The endpoint's log."""
    return Redshift(settings).log.read_text()
