"""The endpoint's listener: start-up messages, cancel requests, and a session for each client."""

import asyncio
import concurrent.futures
import contextlib
import ssl
import struct
import sys
import traceback

from sandbox import tls
from sandbox.redshift import messages
from sandbox.redshift.dialect import lexical
from sandbox.redshift.dialect.translation import Dialect
from sandbox.redshift.messages import ErrorFields
from sandbox.redshift.relay import Session
from sandbox.redshift.wire import Wire
from sandbox.settings import Settings

# What drivers send and may choose; PostgreSQL refuses the connection for what it does not know.
_FORWARDED = frozenset(
    (
        *("user", "database", "application_name", "options"),
        *("datestyle", "timezone", "extra_float_digits", "search_path", "statement_timeout"),
    )
)
_LONGEST_STARTUP_BYTES = 10_000
# Every COPY holds one while it waits for S3.
_THREADS = 64


class Server:
    """Accepts clients and relays each to a PostgreSQL backend of its own.

    Args:
        settings: The sandbox.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._socket = str(settings.socket_dir / ".s.PGSQL.5432")
        self._dialect = Dialect()
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._tls: ssl.SSLContext = tls.server_context(settings)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is in use.
        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(_THREADS))
        self._listener = await loop.create_server(
            self._accept, self._settings.host, self._settings.redshift_port
        )

    async def stop(self) -> None:
        """Stop listening and end every session; open transactions roll back."""
        if self._listener:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> Wire:
        client = Wire()
        task = asyncio.get_running_loop().create_task(self._serve(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return client

    async def _serve(self, client: Wire) -> None:
        try:
            startup = await self._greet(client)
            if startup is not None:
                await self._relay(client, startup)
        except OSError as error:
            client.write(_fatal("08006", f"PostgreSQL behind the endpoint does not answer: {error}"))
        except Exception:  # one client's trouble must not end the others
            traceback.print_exc(file=sys.stderr)
            client.write(_fatal("XX000", "internal error of the sandbox's endpoint; its log says more"))
        finally:
            client.close()

    async def _greet(self, client: Wire) -> dict[str, str] | None:
        try:
            return await self._startup(client)
        except OSError:  # a TLS handshake that failed has nobody to be told
            return None

    async def _startup(self, client: Wire) -> dict[str, str] | None:
        """Answer everything that may come first; None when no session follows."""
        while True:
            header = await client.exactly(8)
            if len(header) < 8:
                return None
            length, code = struct.unpack("!ii", header)
            if not 8 <= length <= _LONGEST_STARTUP_BYTES:
                return None
            body = await client.exactly(length - 8)
            if code == messages.SSL_REQUEST:
                client.write(b"S")
                await client.start_tls(self._tls)
            elif code == messages.GSSENC_REQUEST:
                client.write(b"N")
            elif code == messages.CANCEL_REQUEST:
                await self._cancel(body)
                return None
            elif code >> 16 == 3:
                startup = messages.read_startup(body)
                return startup if self._may_start(client, startup) else None
            else:
                client.write(_fatal("0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}"))
                return None

    def _may_start(self, client: Wire, startup: dict[str, str]) -> bool:
        for name, value in startup.items():
            if name.lower() == "client_encoding" and not lexical.is_utf8(value):
                text = f'invalid value for parameter "client_encoding": "{value}"; Redshift has UTF8'
                client.write(_fatal("22023", text))
                return False
        return self._is_warehouse(client, startup)

    def _is_warehouse(self, client: Wire, startup: dict[str, str]) -> bool:
        database = startup.get("database") or startup.get("user", "")
        if database != self._settings.database:
            client.write(_fatal("3D000", f'database "{database}" does not exist'))
        return database == self._settings.database

    async def _relay(self, client: Wire, startup: dict[str, str]) -> None:
        backend = await self._connect()
        session = Session(client, backend, self._settings, startup, self._dialect)
        self._sessions.add(session)
        try:
            forwarded = {name: value for name, value in startup.items() if name.lower() in _FORWARDED}
            backend.write(messages.startup({**forwarded, **lexical.PINNED}))
            await session.run()
        finally:
            self._sessions.discard(session)
            if session.is_interrupted and session.backend_key:
                # Sooner than the backend notices by itself that its client is gone.
                with contextlib.suppress(OSError):
                    await self._send_cancel(session.backend_key)
            backend.close()

    async def _connect(self) -> Wire:
        loop = asyncio.get_running_loop()
        _, backend = await loop.create_unix_connection(Wire, self._socket)
        return backend

    async def _cancel(self, key: bytes) -> None:
        """Relay a client's CancelRequest, and stop the COPY the relay itself feeds."""
        for session in list(self._sessions):
            if session.backend_key == key:
                session.cancel()
        with contextlib.suppress(OSError):
            await self._send_cancel(key)

    async def _send_cancel(self, key: bytes) -> None:
        wire = await self._connect()
        wire.write(struct.pack("!ii", 8 + len(key), messages.CANCEL_REQUEST) + key)
        await wire.closed.wait()  # PostgreSQL closes once it has sent the signal
        wire.close()


def _fatal(sqlstate: str, text: str) -> bytes:
    return messages.error_response(ErrorFields(sqlstate, text, severity="FATAL"))
