"""The endpoint's listener: start-up messages, cancel requests, and a session for each client."""

import asyncio
import concurrent.futures
import contextlib
import gc
import hmac
import os
import socket
import ssl
import struct
import sys
import traceback
from collections.abc import AsyncIterator
from typing import Any

from sandbox.parts import tls
from sandbox.parts.postgres import LOGINS_AT_ONCE
from sandbox.parts.settings import Settings
from sandbox.redshift.dialect import lexical
from sandbox.redshift.dialect.translation import Dialect
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.entrance import ClientFaultError, ClientGoneError, Entrance, Notes, Visitor
from sandbox.redshift.relay.query_log import QueryLog
from sandbox.redshift.relay.session import Session
from sandbox.redshift.relay.startup import forwarded, keeps_case
from sandbox.redshift.relay.wire import BEFORE_LOGIN_BYTES, Wire

_LONGEST_STARTUP_BYTES = 10_000
_CANCEL_KEY_BYTES = 8
# How many connections may wait to be accepted, and how many are before those at hand are looked at again: who
# is logging in must not lose the place to many that come at the same moment.
_BACKLOG = 1_000
_ACCEPTED_AT_ONCE = 4
# How long the PostgreSQL process of a client that did not log in has to end.
_DYING_SECONDS = 2.0
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
        # By whether names in quotes keep their capitals.
        self._dialects = {False: Dialect(), True: Dialect(keeps_case=True)}
        self._log = QueryLog(settings)
        self._sessions: set[Session] = set()
        self._entrance = Entrance()
        self._notes = Notes()
        self._turned_away = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._dying: set[asyncio.Future[None]] = set()
        self._listener: asyncio.Server | None = None
        self._tls: ssl.SSLContext = tls.server_context(settings)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is in use.
        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(_THREADS))
        loop.set_exception_handler(self._on_loop_error)
        await asyncio.to_thread(self._log.start)
        self._listener = await loop.create_server(
            lambda: Wire(self._accept, high_water=BEFORE_LOGIN_BYTES),
            self._settings.host,
            self._settings.redshift_port,
            backlog=_ACCEPTED_AT_ONCE,
        )
        for listening in self._listener.sockets:
            with socket.socket(fileno=os.dup(listening.fileno())) as same:
                same.listen(_BACKLOG)

    async def stop(self) -> None:
        """Stop listening and end every session; open transactions roll back."""
        if self._listener:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._log.stop)

    def _accept(self, client: Wire) -> None:
        visitor = Visitor(self._entrance)
        visitor.task = task = asyncio.get_running_loop().create_task(self._serve(client, visitor))
        client.lost = visitor.vanish
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._finish(task, client, visitor))

    async def _serve(self, client: Wire, visitor: Visitor) -> None:
        try:
            await self._welcome(client, visitor)
        except ClientGoneError:
            pass
        except ClientFaultError as fault:
            visitor.turned_away = fault.fields
        except OSError as error:
            client.write(_fatal("08006", f"PostgreSQL behind the endpoint does not answer: {error}"))
        except Exception:  # one client's trouble must not end the others
            traceback.print_exc(file=sys.stderr)
            client.write(_fatal("XX000", "internal error of the sandbox's endpoint; its log says more"))

    def _finish(self, task: "asyncio.Task[None]", client: Wire, visitor: Visitor) -> None:
        """A connection is over, maybe before its task has begun."""
        self._tasks.discard(task)
        visitor.leave()
        if visitor.has_logged_in:
            self._entrance.sessions -= 1
        if reason := visitor.turned_away:
            self._notes.add(client.address, reason.message)
            if visitor.has_spoken:
                client.write(messages.error_response(reason))
            client.abort()
            self._turned_away += 1
            if self._turned_away % LOGINS_AT_ONCE == 0:
                gc.collect()  # a TLS connection that was broken off is a cycle that holds 256 KB
            return
        client.close()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """One line where the system is at fault, e.g. out of file descriptors; asyncio tries again soon."""
        if isinstance(error := context.get("exception"), OSError):
            self._notes.add("endpoint", f"{context['message']}: {error.strerror}")
        else:
            loop.default_exception_handler(context)

    async def _welcome(self, client: Wire, visitor: Visitor) -> None:
        try:
            startup = await self._startup(client, visitor)
        except OSError:  # a TLS handshake that failed has nobody to be told
            return
        if startup is not None:
            self._entrance.require_room()
            await self._relay(client, startup, visitor)

    async def _startup(self, client: Wire, visitor: Visitor) -> dict[str, str] | None:
        """Answer everything that may come first; None when no session follows."""
        offers = {messages.SSL_REQUEST, messages.GSSENC_REQUEST}  # each once
        while True:
            header = await client.exactly(8)
            if len(header) < 8:
                return None
            length, code = struct.unpack("!ii", header)
            if not 8 <= length <= _LONGEST_STARTUP_BYTES:
                self._notes.add(client.address, "invalid length of startup packet")
                return None
            body = await client.exactly(length - 8)
            visitor.heard()
            if code in offers:
                offers.remove(code)
                await self._answer_offer(client, code)
            elif code == messages.CANCEL_REQUEST:
                await self._cancel(body)
                return None
            elif code >> 16 == 3:
                visitor.has_spoken = True
                startup = _read_startup(body)
                return startup if self._may_start(client, startup) else None
            else:
                text = f"unsupported frontend protocol {code >> 16 & 0xFFFF}.{code & 0xFFFF}"
                client.write(_fatal("0A000", f"{text}: server supports 3.0 to 3.0"))
                return None

    def _may_start(self, client: Wire, startup: dict[str, str]) -> bool:
        for name, value in startup.items():
            if name.lower() == "client_encoding" and not lexical.is_utf8(value):
                text = f'invalid value for parameter "client_encoding": "{value}"; Redshift has UTF8'
                client.write(_fatal("22023", text))
                return False
        return self._is_warehouse(client, startup)

    async def _answer_offer(self, client: Wire, code: int) -> None:
        if code == messages.SSL_REQUEST:
            client.write(b"S")
            await client.start_tls(self._tls)
        else:
            client.write(b"N")

    def _is_warehouse(self, client: Wire, startup: dict[str, str]) -> bool:
        database = startup.get("database") or startup["user"]
        if database != self._settings.database:
            client.write(_fatal("3D000", f'database "{database}" does not exist'))
        return database == self._settings.database

    async def _relay(self, client: Wire, startup: dict[str, str], visitor: Visitor) -> None:
        async with self._backend(visitor) as backend:
            dialect = self._dialects[keeps_case(startup)]
            session = Session(
                client, backend, self._settings, startup, dialect, visitor=visitor, log=self._log
            )
            self._sessions.add(session)
            try:
                backend.write(messages.startup(forwarded(startup)))
                await session.run()
            finally:
                self._sessions.discard(session)
                if session.is_interrupted and session.backend_key:
                    # Sooner than the backend notices by itself that its client is gone.
                    with contextlib.suppress(OSError):
                        await self._send_cancel(session.backend_key)

    @contextlib.asynccontextmanager
    async def _backend(self, visitor: Visitor) -> AsyncIterator[Wire]:
        """A PostgreSQL process for a client, who holds one of few places until the login."""
        places = self._entrance.backends
        await places.acquire()
        try:
            backend = await self._connect()
        except BaseException:
            places.release()
            raise
        try:
            yield backend
        finally:
            if visitor.has_logged_in:
                backend.close()
            else:
                self._dying.add(dying := asyncio.ensure_future(self._bury(backend)))
                dying.add_done_callback(self._dying.discard)

    async def _bury(self, backend: Wire) -> None:
        """Free a place once its PostgreSQL process is gone."""
        backend.end_writing()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(backend.closed.wait(), _DYING_SECONDS)
        backend.close()
        self._entrance.backends.release()

    async def _connect(self) -> Wire:
        loop = asyncio.get_running_loop()
        _, backend = await loop.create_unix_connection(Wire, self._socket)
        return backend

    async def _cancel(self, key: bytes) -> None:
        """Relay a client's CancelRequest, and stop the COPY the relay itself feeds."""
        if len(key) != _CANCEL_KEY_BYTES:
            return
        for session in list(self._sessions):
            if hmac.compare_digest(session.backend_key, key):
                session.cancel()
                with contextlib.suppress(OSError):
                    await self._send_cancel(key)

    async def _send_cancel(self, key: bytes) -> None:
        wire = await self._connect()
        wire.write(struct.pack("!ii", 8 + len(key), messages.CANCEL_REQUEST) + key)
        await wire.closed.wait()  # PostgreSQL closes once it has sent the signal
        wire.close()


def _read_startup(body: bytes) -> dict[str, str]:
    startup = messages.read_startup(body)
    if startup is None:
        raise ClientFaultError("invalid startup packet layout")
    if not startup.get("user"):
        raise ClientFaultError("no user name specified in startup packet", "28000")
    return startup


def _fatal(sqlstate: str, text: str) -> bytes:
    return messages.error_response(ErrorFields(sqlstate, text, severity="FATAL"))
