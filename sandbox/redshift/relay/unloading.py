"""The relay's side of an UNLOAD: asking for the rows in the session, handing them on, reporting the end."""

import asyncio
import struct
import sys
import traceback
from collections.abc import Callable

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.errors import CopyError
from sandbox.redshift.dialect.statement import REFUSED_SQL, Refusal, Statement
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.answers import Answers
from sandbox.redshift.relay.journal import Entries
from sandbox.redshift.relay.outbox import OWN_NAME, Outbox
from sandbox.redshift.relay.requests import Request, refused
from sandbox.redshift.relay.wire import Wire
from sandbox.redshift.unload.columns import UnloadColumn, read_columns
from sandbox.redshift.unload.job import UnloadJob, UnloadSession

# Rows are handed on in pieces of this size; PostgreSQL waits while two of them wait.
_PIECE_BYTES = 256 * 1024
# How long an UNLOAD that is over waits for what is under way to S3 before its log rows are written.
_LAST_WRITE_SECONDS = 5.0
_LOST, _CANCELED = "08006", "57014"


class Unload:
    """One running UNLOAD.

    Args:
        job: Takes the rows.
    """

    def __init__(self, job: UnloadJob) -> None:
        self.job = job
        self.error: CopyError | None = None
        self._waiting = bytearray()
        self._running: asyncio.Future[None] | None = None

    async def take(self, data: bytes) -> None:
        """Rows in PostgreSQL's COPY text format; after an error they are dropped."""
        self._waiting += data
        if len(self._waiting) >= _PIECE_BYTES:
            await self._hand_on()

    async def start(self) -> None:
        """Look at the target."""
        await self._run(self.job.start)

    async def finish(self) -> None:
        """Hand on the rest, and write the last files."""
        await self._hand_on()
        await self._settle()
        if not self.error:
            await self._run(self.job.finish)

    async def fail(self, error: CopyError) -> None:
        """Log that it failed, once nothing is under way any more."""
        self.job.stop()
        if self._running:
            await asyncio.wait([self._running], timeout=_LAST_WRITE_SECONDS)
        await asyncio.to_thread(self.job.fail, error)

    async def _hand_on(self) -> None:
        await self._settle()
        piece = bytes(self._waiting)
        self._waiting.clear()
        if piece and not self.error:
            self._running = self._begin(lambda: self.job.write(piece))

    async def _run(self, work: Callable[[], None]) -> None:
        self._running = self._begin(work)
        await self._settle()

    def _begin(self, work: Callable[[], None]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(None, work)

    async def _settle(self) -> None:
        """Wait for what is under way, and keep its error."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            await asyncio.shield(running)
        except CopyError as error:
            self.error = self.error or error
        except asyncio.CancelledError:
            self._running = running
            raise
        except Exception as error:  # a defect must end the UNLOAD, not the session
            traceback.print_exc(file=sys.stderr)
            text = f"UNLOAD met a defect of the sandbox: {type(error).__name__}: {error}"
            self.error = self.error or CopyError("XX000", text, hint="The endpoint's log says where.")


class Unloading:
    """Runs the UNLOADs of one session.

    Args:
        outbox: Leads to PostgreSQL.
        client: The client's connection.
        settings: The sandbox.
        answers: Know the backend's process id.
        user: The session's user.
    """

    def __init__(self, outbox: Outbox, client: Wire, settings: Settings, answers: Answers, user: str) -> None:
        self._outbox = outbox
        self._client = client
        self._settings = settings
        self._answers = answers
        self._user = user
        self._unload: Unload | None = None

    def cancel(self) -> None:
        """The client asked to cancel: nothing more goes to S3, and PostgreSQL is asked for no row."""
        if self._unload:
            self._unload.job.stop()
            canceled = CopyError(_CANCELED, "canceling statement due to user request")
            self._unload.error = self._unload.error or canceled

    async def abandon(self) -> None:
        """The session is over, maybe before the UNLOAD is."""
        unload, self._unload = self._unload, None
        if unload:
            await unload.fail(CopyError(_LOST, "UNLOAD was not finished: the connection was lost"))

    async def run(self, statement: Statement, entries: Entries) -> ErrorFields | None:
        """Run it as a part of a Query, without ReadyForQuery at its end."""
        found = await self._describe(statement)
        if isinstance(found, ErrorFields):
            _fail(entries, found)
            # The error left the extended protocol waiting for a Sync.
            await self._outbox.exchange(messages.SYNC, Request("S", hold_ready=True))
            return found
        self._unload = unload = self._new(statement, entries, *found)
        await unload.start()
        error: ErrorFields | None = None
        if not unload.error:
            request = Request("Q", silent=True, rewritten=True, hold_ready=True, unload=unload)
            error = await self._outbox.exchange(messages.query(_copy(statement)), request)
        refusal = await self._end(unload, error, entries)
        return await self._outbox.refuse(refusal, entries) if refusal else error

    async def execute(self, statement: Statement, entries: Entries) -> None:
        """Run it in place of the client's Execute; behind an error all is ignored up to the client's Sync."""
        found = await self._describe(statement)
        if isinstance(found, ErrorFields):
            _fail(entries, found)
            return
        self._unload = unload = self._new(statement, entries, *found)
        await unload.start()
        error: ErrorFields | None = None
        if not unload.error:
            self._outbox.prepare(_copy(statement).decode())
            request = Request("E", silent=True, rewritten=True, unload=unload)
            error = await self._outbox.exchange(messages.execute(OWN_NAME) + messages.FLUSH, request)
        refusal = await self._end(unload, error, entries)
        if refusal:
            refuse = refused("P", refusal, entries)
            self._outbox.send(messages.parse(OWN_NAME, REFUSED_SQL.encode()), refuse)

    async def _describe(self, statement: Statement) -> tuple[list[UnloadColumn], int] | ErrorFields:
        """The query's columns and the transaction's id; PostgreSQL reads the query by itself."""
        assert statement.unload  # noqa: S101 - by the caller
        described: list[bytes] = []
        self._outbox.send(messages.close_statement(OWN_NAME), Request("C", silent=True))
        parse = messages.parse(OWN_NAME, statement.unload.query.encode())
        self._outbox.send(parse, Request("P", silent=True, rewritten=True))
        describe = messages.describe_statement(OWN_NAME) + messages.FLUSH
        error = await self._outbox.exchange(describe, Request("D", silent=True, rows=described))
        if error:
            return error
        rows: list[bytes] = []
        self._outbox.prepare("SELECT pg_catalog.txid_current()")
        request = Request("E", silent=True, rows=rows)
        error = await self._outbox.exchange(messages.execute(OWN_NAME) + messages.FLUSH, request)
        if error:
            return error
        columns = [column for body in described for column in read_columns(body)]
        return columns, int(messages.read_row(rows[0])[0] or 0)

    def _new(
        self, statement: Statement, entries: Entries, columns: list[UnloadColumn], transaction_id: int
    ) -> Unload:
        assert statement.unload  # noqa: S101 - by the caller
        session = UnloadSession(
            backend_pid=struct.unpack("!i", self._answers.backend_key[:4])[0],
            user=self._user,
            database=self._settings.database,
            transaction_id=transaction_id,
            query_text=statement.source,
            query_id=entries[0].query_id if entries else None,
        )
        return Unload(UnloadJob(statement.unload, columns, session, self._settings))

    async def _end(self, unload: Unload, error: ErrorFields | None, entries: Entries) -> Refusal | None:
        """Write what is left and tell the client; an error that PostgreSQL has not told is still to be."""
        if not error and not unload.error:
            await unload.finish()
        own = unload.error
        if error or own:
            failure = own or CopyError(error.sqlstate, error.message) if error else own
            assert failure  # noqa: S101 - one of them is there
            await unload.fail(failure)
        self._unload = None
        if error:
            _fail(entries, error)
            return None
        if own:
            return Refusal(own.message, own.sqlstate, detail=own.detail, hint=own.hint)
        for entry in entries:
            entry.complete(b"UNLOAD")
        self._client.write(messages.info(unload.job.notice) + messages.command_complete(b"UNLOAD"))
        return None


def _fail(entries: Entries, error: ErrorFields) -> None:
    for entry in entries:
        entry.fail(error)


def _copy(statement: Statement) -> bytes:
    """PostgreSQL's statement that sends the rows; its query has been read alone before."""
    assert statement.unload  # noqa: S101 - by the caller
    return f"COPY (\n{statement.unload.query}\n) TO STDOUT".encode()
