"""Messages on their way to PostgreSQL, each with the request that waits for its answer."""

import asyncio

from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.requests import Outstanding, Request
from sandbox.redshift.relay.wire import Wire

# The prepared statement and the portal of the relay's own statements.
OWN_NAME = b"redshift_endpoint"


class Outbox:
    """Gathers messages and sends them together.

    Args:
        backend: The connection to PostgreSQL.
        outstanding: Where the requests wait.
    """

    def __init__(self, backend: Wire, outstanding: Outstanding) -> None:
        self._backend = backend
        self._outstanding = outstanding
        self._unsent = bytearray()

    def __len__(self) -> int:
        return len(self._unsent)

    def add(self, data: bytes) -> None:
        """Send what nothing answers."""
        self._unsent += data

    def send(self, data: bytes, request: Request) -> None:
        """Send a request."""
        self._unsent += data
        self._outstanding.add(request)

    def prepare(self, sql: str, values: list[bytes] | None = None) -> None:
        """Parse and bind a statement of the relay's own, beside the client's."""
        for close in (messages.close_portal, messages.close_statement):
            self.send(close(OWN_NAME), Request("C", silent=True))
        self.send(messages.parse(OWN_NAME, sql.encode()), Request("P", silent=True, rewritten=True))
        self.send(messages.bind(OWN_NAME, OWN_NAME, values), Request("B", silent=True))

    def run(self, sql: str, request: Request | None = None) -> None:
        """Run a statement of the relay's own, beside the client's."""
        self.prepare(sql)
        self.send(messages.execute(OWN_NAME), request or Request("E", silent=True))

    async def query(self, sql: str) -> None:
        """Run a Query of the relay's own, and wait for its end."""
        await self.exchange(messages.query(sql.encode()), Request("Q", silent=True, hold_ready=True))

    async def exchange(self, data: bytes, request: Request) -> ErrorFields | None:
        """Send a request and wait for the end of its answer: None, or the error."""
        request.answered = asyncio.get_running_loop().create_future()
        self.send(data, request)
        await self.flush()
        return await request.answered

    async def flush(self) -> None:
        """Hand over all that was gathered, and wait while too much of it lies there."""
        if self._unsent:
            self._backend.write(bytes(self._unsent))
            self._unsent.clear()
        await self._backend.drain()
