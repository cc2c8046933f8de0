"""The log of statements and sessions: written in batches by a thread, so that no statement waits for it."""

import asyncio
import contextlib
import datetime as dt
import json
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from typing import TypeVar

import psycopg

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from sandbox.redshift.copy.errors import storable
from sandbox.redshift.dialect.log_text import kind_of, without_secrets
from sandbox.redshift.relay.journal import Entry, Journal

# What ended is written so much later, unless somebody asks.
_SECONDS = 1.0
# Who asks waits no longer: the log may be ill, the session is not.
_PATIENCE_SECONDS = 2.0
# While PostgreSQL does not answer, the newest are kept.
_MOST_PENDING, _MOST_PENDING_CHARACTERS = 20_000, 16 << 20
_BATCH_ENTRIES, _BATCH_CHARACTERS = 500, 1 << 20
# Numbers come in blocks of this size, see 30_logs.sql; one is always ready.
_BLOCK = 10_000
_TIDY_BATCHES = 100
_STATEMENT_TIMEOUT = "SET statement_timeout = '10s'"

_USERS = """
SELECT name, (
    -- A login's name is a user's own, or has a prefix before it.
    SELECT usesysid::integer FROM pg_catalog.pg_user
    WHERE usename IN (name, pg_catalog.regexp_replace(name, '^IAMA?:', ''))
    ORDER BY usename = name DESC LIMIT 1
) FROM pg_catalog.unnest(%s::text[]) AS name
"""
_RECORD = "SELECT pg_internal.record_queries(%s, %s::pg_catalog.jsonb)"
_RECORD_RUNNING = "SELECT pg_internal.record_running(%s::pg_catalog.jsonb)"

Row = dict[str, object]
_T = TypeVar("_T")


class QueryLog:
    """What all sessions of an endpoint write to.

    Args:
        settings: The sandbox whose PostgreSQL keeps the log.

    Attributes:
        running: The statements that are executed now.
        database: The warehouse's database.
    """

    def __init__(self, settings: Settings) -> None:
        self.running: dict[Entry, None] = {}
        self.database = settings.database
        self._settings = settings
        self._pending: deque[Entry] = deque()
        self._sessions: deque[Row] = deque(maxlen=_MOST_PENDING)
        self._events: deque[Row] = deque(maxlen=_MOST_PENDING)
        self._characters = [0, 0]  # that came, by the event loop's count; that went, by the thread's
        self._numbers = iter(range(0))
        self._blocks: deque[int] = deque()
        self._without_number = 0
        self._wake = threading.Event()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()
        self._connection: psycopg.Connection | None = None
        self._batches = 0
        self._is_ill = self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="query log", daemon=True)

    def start(self) -> None:
        """Begin to write; blocks until PostgreSQL has given numbers, if it answers."""
        with contextlib.suppress(psycopg.Error):
            self._reserve(self._connect())
        self._thread.start()

    def stop(self) -> None:
        """Write what is there, and end."""
        self._is_stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_SECONDS)

    def next_query(self) -> int:
        """A new query id; a negative one, which is never logged, while PostgreSQL gives none."""
        number = next(self._numbers, None)
        if number is None and self._blocks:
            first = self._blocks.popleft()
            self._wake.set()
            self._numbers = iter(range(first, first + _BLOCK))
            number = next(self._numbers)
        if number is None:
            self._without_number -= 1
            return self._without_number
        return number

    def add(self, entry: Entry) -> None:
        """A statement has ended."""
        self._pending.append(entry)
        self._characters[0] += len(entry.text)
        while len(self._pending) > _MOST_PENDING or (
            self._characters[0] - self._characters[1] > _MOST_PENDING_CHARACTERS and len(self._pending) > 1
        ):
            with contextlib.suppress(IndexError):  # the thread took it
                self._characters[0] -= len(self._pending.popleft().text)

    def add_session(self, journal: Journal) -> None:
        """A session is over."""
        self._sessions.append(
            {
                "user_name": journal.user,
                "session_id": journal.pid,
                "database_name": self.database,
                "start_time": _time(journal.start),
                "end_time": _time(time.time()),
            }
        )

    def add_event(self, journal: Journal, event: str) -> None:
        """Something has happened to a connection."""
        host, _, port = journal.client.address.rpartition(":")
        version, cipher = journal.client.tls
        told = {
            name: storable(journal.startup.get(name, ""))
            for name in ("application_name", "driver_version", "os_version", "plugin_name")
        }
        self._events.append(
            {
                "event": event,
                "record_time": _time(time.time()),
                "remote_host": host,
                "remote_port": port,
                "session_id": journal.pid or None,
                "session_number": journal.number,
                "database_name": self.database,
                "user_name": storable(journal.user),
                "duration": int((time.time() - journal.start) * 1_000_000) if event.startswith("disc") else 0,
                "ssl_version": version,
                "ssl_cipher": cipher,
                **told,
            }
        )

    async def settle(self) -> None:
        """Wait until all that has ended, and what runs, can be read in the system views."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((asyncio.get_running_loop(), future))
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(future, _PATIENCE_SECONDS)

    # --- the thread

    def _run(self) -> None:
        while not self._is_stopped:
            self._wake.wait(_SECONDS)
            self._wake.clear()
            asked = list(_taken(self._waiting))
            try:
                self._write(with_running=bool(asked))
                self._is_ill = False
            except (psycopg.Error, OSError) as error:
                self._disconnect(error)
            except Exception:  # a defect of the log must not end it
                traceback.print_exc(file=sys.stderr)
            for loop, future in asked:
                with contextlib.suppress(RuntimeError):  # the loop is gone
                    loop.call_soon_threadsafe(_resolve, future)
        self._disconnect(None)

    def _write(self, *, with_running: bool) -> None:
        if not (self._pending or self._sessions or self._events or with_running or not self._blocks):
            return
        connection = self._connect()
        self._reserve(connection)
        while self._pending or self._sessions or self._events:
            self._write_batch(connection)
        if with_running:
            rows = [_row(entry, 0) for entry in list(self.running) if entry.query_id > 0]
            self._add_users(connection, rows)
            connection.execute(_RECORD_RUNNING, [json.dumps(rows)])

    def _write_batch(self, connection: psycopg.Connection) -> None:
        found = connection.execute("SELECT pg_catalog.nextval('pg_internal.batch')").fetchone()
        batch = int(found[0]) if found else 0
        document = {
            "statements": [_row(entry, batch) for entry in self._next_entries() if entry.query_id > 0],
            "sessions": list(_taken(self._sessions)),
            "events": list(_taken(self._events)),
        }
        self._add_users(connection, document["statements"] + document["sessions"])
        connection.execute(_RECORD, [batch, json.dumps(document)])
        self._batches += 1
        if self._batches % _TIDY_BATCHES == 1:
            connection.execute("SELECT pg_internal.tidy_queries()")

    def _next_entries(self) -> Iterator[Entry]:
        characters = 0
        for _ in range(_BATCH_ENTRIES):
            try:
                entry = self._pending.popleft()
            except IndexError:
                return
            self._characters[1] += len(entry.text)
            characters += len(entry.text)
            yield entry
            if characters > _BATCH_CHARACTERS:
                return

    def _add_users(self, connection: psycopg.Connection, rows: list[Row]) -> None:
        names = {str(row["user_name"]) for row in rows}
        found = connection.execute(_USERS, [list(names)]).fetchall() if names else []
        ids: dict[object, int | None] = dict(found)
        for row in rows:
            row["user_id"] = ids.get(row["user_name"]) or 0

    def _connect(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = postgres.connect_log(self._settings, self._settings.database, "query log")
            self._connection.execute(_STATEMENT_TIMEOUT)
        return self._connection

    def _reserve(self, connection: psycopg.Connection) -> None:
        while not self._blocks:
            found = connection.execute("SELECT pg_catalog.nextval('pg_internal.query_id')").fetchone()
            if found:
                self._blocks.append(int(found[0]))

    def _disconnect(self, error: Exception | None) -> None:
        if error and not self._is_ill:
            self._is_ill = True
            print(f"the log of statements is not written: {error}", file=sys.stderr, flush=True)  # noqa: T201
        if self._connection:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
        self._connection = None


def _row(entry: Entry, batch: int) -> Row:
    """A row of pg_internal.statement, but for its user's number."""
    kind = kind_of(entry.text)
    text, secrets = without_secrets(entry.text)
    transaction = entry.transaction
    return {
        "query_id": entry.query_id,
        "batch": batch,
        "user_name": entry.journal.user,
        "session_id": entry.journal.pid,
        "transaction_id": transaction.number if transaction else entry.query_id,
        "transaction_start": _time(transaction.start if transaction else entry.start),
        "database_name": entry.journal.log.database,
        "label": entry.label,
        "kind": kind.kind,
        "query_type": kind.query_type,
        "on_leader": kind.on_leader,
        "status": entry.status,
        "start_time": _time(entry.start),
        "end_time": _time(entry.end) if entry.end else None,
        "row_count": _row_count(entry.tag),
        "was_planned": entry.was_planned,
        "error_message": _message(entry, secrets),
        "query_text": storable(text.strip()),
    }


def _message(entry: Entry, secrets: tuple[str, ...]) -> str | None:
    if entry.error is None:
        return None
    message = entry.error.message
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return storable(message)


def _row_count(tag: bytes) -> int | None:
    last = tag.rsplit(b" ", 1)[-1]
    return int(last) if last.isdigit() else None


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None).isoformat()


def _taken(queue: "deque[_T]") -> "Iterator[_T]":
    while queue:
        try:
            yield queue.popleft()
        except IndexError:
            return


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
