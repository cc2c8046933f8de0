"""The relay's side of a COPY from S3: finding the target, feeding PostgreSQL, reporting the end."""

import asyncio
import contextlib
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.command import CopyCommand, CopyError
from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED
from sandbox.redshift.copy.job import CopyJob, CopySession, TargetColumn
from sandbox.redshift.dialect.statement import Refusal, Statement
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.journal import Journal
from sandbox.redshift.relay.outbox import OWN_NAME, Outbox
from sandbox.redshift.relay.requests import Request
from sandbox.redshift.relay.wire import Wire

_CANCELED = "57014"
_LOST = "08006"
_ALWAYS_GENERATED = "a"


@dataclass(frozen=True)
class Target:
    """The table a COPY loads, as the client's session sees it.

    Args:
        command: The COPY.
        query_text: The statement as it was written.
        sql: PostgreSQL's COPY statement that takes the rows.
        columns: The columns in COPY order; fewer than named when one does not exist (PostgreSQL reports it).
        table_id: The table's OID.
        transaction_id: The transaction's id.
        timeout_seconds: The session's statement_timeout, None without one.
        identities: The columns that only EXPLICIT_IDS fills.
    """

    command: CopyCommand
    query_text: str
    sql: str
    columns: tuple[TargetColumn, ...]
    table_id: int
    transaction_id: int
    timeout_seconds: float | None
    identities: frozenset[str] = frozenset()

    # One row a column. pg_size_bytes would not read settings' time units: pg_settings holds milliseconds.
    QUERY = """
        SELECT c.oid, pg_catalog.txid_current(), timeout.setting, a.attname, a.attidentity, a.attnotnull,
               pg_catalog.format_type(a.atttypid, NULL), a.atttypmod
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN pg_catalog.pg_settings timeout
        WHERE c.oid = pg_catalog.to_regclass($1) AND timeout.name = 'statement_timeout'
        ORDER BY a.attnum"""

    @staticmethod
    def parameter(command: CopyCommand) -> bytes:
        """The value of QUERY's parameter: the table's name, quoted."""
        return command.target.encode()

    @classmethod
    def read(cls, statement: Statement, rows: Sequence[bytes]) -> "Target | None":
        """The target from QUERY's rows; None when there is no such table."""
        command = statement.copy
        found = [[value or "" for value in messages.read_row(row)] for row in rows]
        if command is None or not found:
            return None
        by_name = {row[3]: _column(row) for row in found}
        implicit = [row[3] for row in found if row[4] != _ALWAYS_GENERATED or command.options.explicit_ids]
        names = implicit if command.columns is None else command.columns
        return cls(
            command=command,
            query_text=statement.sql,
            sql=command.backend_sql(implicit),
            columns=tuple(by_name[name] for name in names if name in by_name),
            table_id=int(found[0][0]),
            transaction_id=int(found[0][1]),
            timeout_seconds=int(found[0][2]) / 1000 or None,
            identities=frozenset(row[3] for row in found if row[4] == _ALWAYS_GENERATED),
        )

    def check_identities(self) -> None:
        """Make sure that the column list has identity columns if, and only if, EXPLICIT_IDS is given.

        The guide's page "Column mapping options" has the rule; the words are unconfirmed.

        Raises:
            CopyError: It is not so.
        """
        listed = self.command.columns
        if listed is None:
            return
        is_explicit = self.command.options.explicit_ids
        wrong = self.identities - set(listed) if is_explicit else self.identities & set(listed)
        for name in sorted(wrong)[:1]:
            reason = "is not in the column list" if is_explicit else "is in the column list"
            text = (
                f"COPY {'with' if is_explicit else 'without'} EXPLICIT_IDS: identity column '{name}' {reason}"
            )
            raise CopyError(FEATURE_NOT_SUPPORTED, text)

    @staticmethod
    def missing(command: CopyCommand) -> Refusal:
        """The error for a table that does not exist."""
        return Refusal(f"Cannot COPY into nonexistent table {command.table}", "XX000")


async def find_target(
    outbox: Outbox, statement: Statement, *, in_block: bool
) -> tuple[Target | None, ErrorFields | None]:
    """The COPY's target as its session sees it (temp tables!), locked; no transaction ends.

    Args:
        outbox: The session's.
        statement: The COPY.
        in_block: Whether the session is in a transaction block.
    """
    assert statement.copy and statement.lock  # noqa: S101, PT018 - by the caller
    rows: list[bytes] = []
    if in_block:
        missing = Target.missing(statement.copy).fields
        outbox.run(statement.lock.statement, Request("E", silent=True, missing=missing))
    outbox.prepare(Target.QUERY, [Target.parameter(statement.copy)])
    request = Request("E", silent=True, rows=rows)
    error = await outbox.exchange(messages.execute(OWN_NAME) + messages.FLUSH, request)
    target = None if error else Target.read(statement, rows)
    if target:
        outbox.prepare(statement.lock.turn)
        turn = messages.execute(OWN_NAME) + messages.FLUSH
        error = await outbox.exchange(turn, Request("E", silent=True))
    return (None, error) if error else (target, None)


class Load:
    """One running COPY.

    Args:
        target: Where the rows go.
        settings: The sandbox.
        journal: The session's.
        query_id: Its number in the log of statements, positive if it has one.
    """

    def __init__(self, target: Target, settings: Settings, journal: Journal, query_id: int) -> None:
        session = CopySession(
            backend_pid=journal.pid,
            user=journal.user,
            database=settings.database,
            transaction_id=target.transaction_id,
            query_text=target.query_text,
            table_id=target.table_id,
            query_id=query_id if query_id > 0 else None,
        )
        self._target = target
        self._job = CopyJob(target.command, target.columns, session, settings)
        self._error: CopyError | None = None
        self._started = False
        self._reported = False
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopped = asyncio.Event()
        self._reading: asyncio.Future[bytes | None] | None = None

    def begin(self) -> None:
        """PostgreSQL waits for data."""
        self._started = True
        if not self._ready.done():
            self._ready.set_result(None)

    def cancel(self) -> None:
        """The client asked to cancel."""
        self._stop(CopyError(_CANCELED, "canceling statement due to user request"))

    async def abandon(self) -> None:
        """The session is over before the COPY is."""
        error = CopyError(_LOST, "COPY was not finished: the connection was lost")
        self._stop(error)
        if self._started and not self._reported:
            await self._report_failure(error)

    async def feed(self, backend: Wire, answered: "asyncio.Future[ErrorFields | None]") -> None:
        """Send the rows once PostgreSQL waits for them; returns when all are sent or the load failed."""
        await _first([self._ready, answered])
        if answered.done():
            return
        try:
            self._target.check_identities()
            await self._send_rows(backend, answered)
        except CopyError as error:
            self._error = self._error or error
        except Exception as error:  # a defect must end the COPY, not the session
            traceback.print_exc(file=sys.stderr)
            text = f"COPY met a defect of the sandbox: {type(error).__name__}: {error}"
            self._error = self._error or CopyError("XX000", text, hint="The endpoint's log says where.")
        if self._error:
            backend.write(messages.copy_fail(self._error.message))
        elif not answered.done():
            backend.write(messages.COPY_DONE)
        # In the extended protocol the answer would otherwise wait for the client's Sync.
        backend.write(messages.FLUSH)

    async def completed(self, tag: bytes) -> list[bytes]:
        """The messages for the client in place of PostgreSQL's CommandComplete."""
        self._reported = True
        await asyncio.to_thread(self._job.finish, int(tag.split()[-1]))
        return [*(messages.info(notice) for notice in self._job.notices), messages.command_complete(b"COPY")]

    async def failed(self, error: ErrorFields) -> ErrorFields:
        """The error for the client in place of PostgreSQL's."""
        if not self._started:
            return error
        own = self._error
        cause = own or CopyError(error.sqlstate, error.message, error.detail, error.hint)
        await self._report_failure(cause)
        return ErrorFields(own.sqlstate, own.message, own.detail, own.hint) if own else error

    async def _send_rows(self, backend: Wire, answered: "asyncio.Future[ErrorFields | None]") -> None:
        deadline = self._target.timeout_seconds and time.monotonic() + self._target.timeout_seconds
        stopped = asyncio.ensure_future(self._stopped.wait())
        chunks = self._job.chunks()
        self._read(chunks)
        try:
            while chunk := await self._chunk(stopped, answered, deadline):
                self._read(chunks)  # and convert, while PostgreSQL takes this one
                backend.write(messages.copy_data(chunk))
                await backend.drain()
        finally:
            stopped.cancel()
            self._close_when_read(chunks)

    def _read(self, chunks: Iterator[bytes]) -> None:
        self._reading = asyncio.get_running_loop().run_in_executor(None, next, chunks, None)

    async def _chunk(
        self,
        stopped: asyncio.Future[Any],
        answered: "asyncio.Future[ErrorFields | None]",
        deadline: float | None,
    ) -> bytes | None:
        """The chunk that is being read; None behind the last one, and when the COPY is over.

        Raises:
            CopyError: There is none, or the time is over.
        """
        assert self._reading  # noqa: S101 - by the caller
        left = deadline and max(0.0, deadline - time.monotonic())
        await _first([self._reading, stopped, answered], left)
        if answered.done() or self._error:
            return None
        if not self._reading.done():
            raise CopyError(_CANCELED, "canceling statement due to statement timeout")
        return self._reading.result()

    def _close_when_read(self, chunks: Iterator[bytes]) -> None:
        """Close the generator, which another thread may still be running."""
        close = getattr(chunks, "close", None)
        if close and self._reading:
            self._reading.add_done_callback(lambda _: close())

    async def _report_failure(self, error: CopyError) -> None:
        self._reported = True
        if self._reading:
            with contextlib.suppress(Exception):  # reported already
                await asyncio.wait_for(asyncio.shield(self._reading), timeout=_LAST_READ_SECONDS)
        await asyncio.to_thread(self._job.fail, error)

    def _stop(self, error: CopyError) -> None:
        self._error = self._error or error
        self._stopped.set()


# How long a failed COPY waits for the read from S3 that is under way before its log rows are written.
_LAST_READ_SECONDS = 0.5


async def _first(futures: Sequence[asyncio.Future[Any]], timeout_seconds: float | None = None) -> None:
    """Wait until one of the futures is done, or the time is over."""
    await asyncio.wait(futures, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)


def _column(row: Sequence[str]) -> TargetColumn:
    name, not_null, type_name, modifier = row[3], row[5] == "t", row[6], int(row[7])
    length = precision = scale = None
    if type_name in ("character varying", "character") and modifier >= 4:
        length = modifier - 4
    elif type_name == "numeric" and modifier >= 4:
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    return TargetColumn(name, type_name, length, precision, scale, not_null)
