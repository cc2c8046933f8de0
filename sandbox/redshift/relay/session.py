"""One client's session: its messages on their way to PostgreSQL, statements rewritten."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from sandbox.parts.settings import Settings
from sandbox.redshift.dialect.statement import REFUSED_SQL, Refusal, Statement
from sandbox.redshift.dialect.translation import LONGEST_SHORT_TEXT, Context, Dialect
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import limits, messages
from sandbox.redshift.relay.answers import Answers
from sandbox.redshift.relay.copying import Copying
from sandbox.redshift.relay.entrance import Visitor, log_in
from sandbox.redshift.relay.intervals import Intervals
from sandbox.redshift.relay.journal import Entries, Journal
from sandbox.redshift.relay.locking import Locking
from sandbox.redshift.relay.looking import Looking
from sandbox.redshift.relay.names import Names
from sandbox.redshift.relay.outbox import Outbox
from sandbox.redshift.relay.query_log import QueryLog
from sandbox.redshift.relay.requests import Outstanding, Request, refused, script
from sandbox.redshift.relay.unloading import Unloading
from sandbox.redshift.relay.wire import Wire

# Parsed in a COPY's place and never executed: like COPY it takes no parameters and returns no rows.
_COPY_STAND_IN = b"COPY stand_in FROM STDIN"

# What may be under way to PostgreSQL before the client has to wait.
_MOST_REQUESTS = 10_000
_MOST_UNSENT_BYTES = 1 << 20


class Session:
    """Relays one client, already connected to a PostgreSQL backend.

    Args:
        client: The client's connection.
        backend: The connection to PostgreSQL; its StartupMessage has been sent.
        settings: The sandbox.
        startup: The parameters of the client's StartupMessage.
        dialect: Rewrites the statements.
        visitor: The client, as long as it has not logged in.
        log: Keeps its statements.

    Attributes:
        is_interrupted: The session ended while PostgreSQL was at work for it.
    """

    def __init__(
        self,
        client: Wire,
        backend: Wire,
        settings: Settings,
        startup: Mapping[str, str],
        dialect: Dialect,
        *,
        visitor: Visitor,
        log: QueryLog,
    ) -> None:
        self._client = client
        self._backend = backend
        self._settings = settings
        self._dialect = dialect
        self._outstanding = Outstanding()
        self._outstanding.add(Request("startup"))
        self._intervals = Intervals(startup.get("driver_version", ""))
        self._journal = Journal(log, startup, client)
        self._answers = Answers(backend, client, self._outstanding, self._intervals, self._journal)
        self._outbox = Outbox(backend, self._outstanding)
        self._looking = Looking(self._outbox, dialect)
        self._copying = Copying(self._outbox, backend, settings, self._journal)
        self._unloading = Unloading(self._outbox, client, settings, self._answers, self._journal.user)
        self._visitor = visitor
        self._special = Names()  # prepared statements that need more than forwarding
        self._portals = Names()
        self._locking = Locking()
        self.is_interrupted = False

    @property
    def backend_key(self) -> bytes:
        """Process id and secret of the backend, as in BackendKeyData; empty before the login."""
        return self._answers.backend_key

    async def run(self) -> None:
        """Relay until either side closes the connection.

        Raises:
            ClientFaultError: The client broke the protocol before its login.
        """
        parts = [
            asyncio.ensure_future(self._relay_requests()),
            asyncio.ensure_future(self._answers.relay()),
            asyncio.ensure_future(self._client.closed.wait()),
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            load = self._copying.load
            self.is_interrupted = bool(self._outstanding)
            for part in parts:
                part.cancel()
            results = await asyncio.gather(*parts, return_exceptions=True)
            if load:
                await load.abandon()
            await self._unloading.abandon()
            self._journal.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def cancel(self) -> None:
        """Stop a running COPY's reading, an UNLOAD's writing; PostgreSQL itself cancels everything else."""
        self._unloading.cancel()
        if self._copying.load:
            self._copying.load.cancel()

    async def _relay_requests(self) -> None:
        await log_in(self._client, self._backend, self._answers.authentication, self._visitor)
        while header := await self._client.header():
            kind, size = header
            if not 0 <= size <= limits.LONGEST.get(kind, -1):
                await self._end_session(kind)
            elif not await self._pass_unread(kind, size):
                body = await self._client.exactly(size)
                if len(body) < size:
                    return  # the client is gone
                await self._pass(kind, body)
            if not self._client.has_message() or len(self._outbox) > _MOST_UNSENT_BYTES:
                await self._outbox.flush()
            while len(self._outstanding) > _MOST_REQUESTS:
                self._outbox.add(messages.FLUSH)  # or answers could wait for a Sync that nobody has read
                await self._outbox.flush()
                await self._outstanding.fewer()

    async def _end_session(self, kind: str) -> None:
        """Let PostgreSQL end the session, after what was asked before is answered."""
        text = (
            "invalid message length"
            if kind in limits.LONGEST
            else f"invalid frontend message type {ord(kind)}"
        )
        refusal = ErrorFields("08P01", text, severity="FATAL")
        self._outbox.send(messages.message("\0"), Request("violation", refusal=refusal))
        await self._outbox.flush()
        await asyncio.Event().wait()  # the end of the answers ends the session

    async def _pass_unread(self, kind: str, size: int) -> bool:
        """Deal with a message that is not taken into memory as a whole; False when it is to be."""
        if kind in "dcf":  # PostgreSQL ignores them outside a COPY, and no COPY is the client's to feed
            await self._client.discard(size)
        elif refused_unread := limits.refusal(kind, size):
            await self._client.discard(size)
            self._refuse(*refused_unread)
        elif kind == "B" and size > limits.WHOLE_BIND_BYTES:
            await self._pass_bind(size)
        else:
            return False
        return True

    async def _pass_bind(self, size: int) -> None:
        """Pass a large Bind on piece by piece."""
        head = await self._client.exactly(limits.BIND_NAMES_BYTES)
        names = messages.read_bind_names(head)
        self._lock_prepared(names)
        entries = await self._log_bind(*names) if names else None
        self._outbox.send(messages.header("B", size) + head, Request("B", entries=entries))
        if names:
            self._portals.copy(*names, self._special)
            self._intervals.bind(*names)
        await self._outbox.flush()
        async for piece in self._client.pieces(size - len(head)):
            self._backend.write(piece)
            await self._backend.drain()

    async def _pass(self, kind: str, body: bytes) -> None:
        handlers = {
            "Q": self._query,
            "P": self._parse,
            "B": self._bind,
            "E": self._execute,
            "C": self._close,
        }
        if kind in handlers:
            await handlers[kind](body)
        elif kind == "D":
            self._outbox.send(messages.message("D", body), self._intervals.describe(body))
        elif kind == "S" or (kind == "H" and body):
            self._forward(kind, body)
        else:  # Flush, Terminate: nothing answers them
            self._outbox.add(messages.message(kind, body))

    def _forward(self, kind: str, body: bytes) -> None:
        """Pass a message on as it is; a malformed one gets PostgreSQL's own answer."""
        self._outbox.send(messages.message(kind, body), Request(kind))
        if kind == "S":
            self._locking.sync(in_block=self._in_block())

    def _refuse(self, kind: str, refusal: Refusal, entries: Entries | None = None) -> None:
        message = messages.query if kind == "Q" else partial(messages.parse, b"")
        self._outbox.send(message(REFUSED_SQL.encode()), refused(kind, refusal, entries))

    async def _query(self, body: bytes) -> None:
        sql = messages.read_query(body)
        text = None if sql is None else messages.read_text(sql)
        if text is None:
            self._forward("Q", body)
            return
        try:
            statements = await self._translate(text)
        except Refusal as refusal:
            self._refuse("Q", refusal, self._journal.entries([text]))
            return
        if any(statement.copy or statement.unload or statement.unresolved for statement in statements):
            await self._run_one_by_one(statements)
            return
        sources = (statement.source for statement in statements)
        entries = self._journal.entries([text] if len(statements) == 1 else sources)
        await self._journal.settle(*statements)
        for statement in statements:
            self._locking.note(statement)
        if not any(statement.rewritten or statement.after or statement.lock for statement in statements):
            self._outbox.send(messages.message("Q", body), Request("Q", entries=entries))
            return
        self._outbox.send(*script(statements, entries))

    async def _run_one_by_one(self, statements: Sequence[Statement]) -> None:
        """Run a Query that holds a COPY, or what is unresolved, statement by statement, still all or nothing.

        PostgreSQL runs a Query of several statements as one transaction; so do we, by an explicit one.
        """
        wraps = (
            len(statements) > 1
            and self._answers.transaction_status == "I"
            and not any(statement.controls_transaction for statement in statements)
        )
        if wraps:
            await self._outbox.query("BEGIN")
        error: ErrorFields | None = None
        for statement in statements:
            error = await self._run_one(statement)
            if error:
                break
        if wraps:
            await self._outbox.query("ROLLBACK" if error else "COMMIT")
        self._client.write(messages.message("Z", self._answers.transaction_status.encode()))

    async def _run_one(self, statement: Statement) -> ErrorFields | None:
        entries = self._journal.entries([statement.source])
        found = await self._looking.resolve_apart(statement, self._context(), entries)
        if isinstance(found, ErrorFields):
            return found
        await self._journal.settle(found)
        if found.unload:
            return await self._unloading.run(found, entries)
        if found.copy is None:
            return await self._outbox.run_apart(*script([found], entries))
        return await self._copying.run(statement, entries, in_block=self._in_block())

    async def _parse(self, body: bytes) -> None:
        parts = messages.read_parse(body)
        if parts is None:
            self._forward("P", body)
            return
        name, sql, parameter_types = parts
        self._special.pop(name)
        if len(sql) > limits.LONGEST_STATEMENT_BYTES:
            self._refuse("P", limits.too_large(len(sql)))
            return
        text = messages.read_text(sql)
        if text is None:
            self._forward("P", body)
            return
        try:
            translated = await self._translate(text)
            statements = await self._looking.resolve_prepared(translated, self._context, self._lock)
        except Refusal as refusal:
            parse = messages.parse(name, REFUSED_SQL.encode(), parameter_types)
            self._outbox.send(parse, refused("P", refusal, self._journal.prepare(name, text)))
            return
        if isinstance(statements, ErrorFields):  # it is reported; all is ignored up to the client's Sync
            self._journal.prepare(name, text)[0].fail(statements)
            return
        rewritten = any(statement.rewritten for statement in statements)
        if len(statements) == 1:
            [statement] = statements
            if statement.is_special:
                self._special.put(name, statement)
            self._lock(statement)
        if len(statements) == 1 and (statements[0].copy or statements[0].unload):
            sql, rewritten = _COPY_STAND_IN, True
        elif rewritten:
            sql = ";".join(statement.sql for statement in statements).encode()
        entries = self._journal.prepare(name, text)
        request = Request("P", rewritten=rewritten, entries=entries)
        self._outbox.send(messages.parse(name, sql, parameter_types), request)
        self._locking.touch()

    def _lock(self, statement: Statement) -> None:
        """Take a statement's lock before PostgreSQL reads it; a COPY's comes when it is executed."""
        if statement.lock and not statement.copy:
            for sql in self._locking.take(statement.lock, in_block=self._in_block()):
                self._outbox.run(sql)

    def _lock_prepared(self, names: tuple[bytes, bytes] | None) -> None:
        """Take the lock of the statement that a Bind names; PostgreSQL may plan it anew."""
        if names and (statement := self._special.get(names[1])):
            self._lock(statement)
        self._locking.touch()

    def _in_block(self) -> bool:
        status = self._answers.transaction_status
        return self._locking.in_block(status, is_answered=not self._outstanding)

    async def _bind(self, body: bytes) -> None:
        names = messages.read_bind_names(body)
        self._lock_prepared(names)
        entries = None
        if names:
            entries = await self._log_bind(*names)
            self._portals.copy(*names, self._special)
            body = self._intervals.bind(*names, body)
        self._outbox.send(messages.message("B", body), Request("B", entries=entries))

    async def _log_bind(self, portal: bytes, name: bytes) -> Entries:
        """The log's entry of what is bound; who asks for the log finds in it all that came before."""
        statement = self._special.get(name)
        entries = self._journal.bind(portal, name, begins=statement is not None and statement.reads_log)
        if statement:
            await self._journal.settle(statement)
        return entries

    async def _execute(self, body: bytes) -> None:
        portal = messages.read_execute(body)
        special = None if portal is None else self._portals.get(portal)
        entries = self._journal.execute(portal)
        if special and special.copy:
            await self._copying.execute(special, entries, in_block=self._in_block())
            return
        if special and special.unload:
            await self._unloading.execute(special, entries)
            return
        for sql in self._locking.turns(special.lock) if special and special.lock else ():
            self._outbox.run(sql)
        after = special.after if special else ()
        statement = self._intervals.executed(portal)
        request = Request("E", holds=bool(after), statement=statement, entries=entries)
        self._outbox.send(messages.message("E", body), request)
        self._locking.touch()
        if special:
            self._locking.note(special)
        for number, sql in enumerate(after, start=1):
            releases = number == len(after)
            self._outbox.run(sql, Request("E", silent=True, releases=releases, entries=entries))

    async def _close(self, body: bytes) -> None:
        if closed := messages.read_close(body):
            kind, name = closed
            (self._special if kind == b"S" else self._portals).pop(name)
            self._intervals.close(kind, name)
        self._forward("C", body)

    async def _translate(self, text: str) -> tuple[Statement, ...]:
        """The statements of a text; a long one leaves the other sessions and logins their turn."""
        if len(text) <= LONGEST_SHORT_TEXT:
            return self._dialect.translate(text, self._context())
        return await asyncio.to_thread(self._dialect.translate, text, self._context())

    def _context(self) -> Context:
        return Context(self._answers.backslash_escapes, self._in_block())
