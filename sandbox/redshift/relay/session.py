"""One client's session: its messages on their way to PostgreSQL, statements rewritten."""

import asyncio
import struct
from collections.abc import Mapping, Sequence
from functools import partial

from sandbox.parts.settings import Settings
from sandbox.redshift.dialect.statement import REFUSED_SQL, Refusal, Statement
from sandbox.redshift.dialect.translation import LONGEST_SHORT_TEXT, Context, Dialect
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import limits, messages
from sandbox.redshift.relay.answers import Answers
from sandbox.redshift.relay.entrance import Visitor, log_in
from sandbox.redshift.relay.intervals import Intervals
from sandbox.redshift.relay.loading import Load, Target, find_target
from sandbox.redshift.relay.locking import Locking
from sandbox.redshift.relay.names import Names
from sandbox.redshift.relay.outbox import OWN_NAME, Outbox
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
    ) -> None:
        self._client = client
        self._backend = backend
        self._settings = settings
        self._user = startup.get("user", "")
        self._dialect = dialect
        self._outstanding = Outstanding()
        self._outstanding.add(Request("startup"))
        self._intervals = Intervals(startup.get("driver_version", ""))
        self._answers = Answers(backend, client, self._outstanding, startup, self._intervals)
        self._outbox = Outbox(backend, self._outstanding)
        self._unloading = Unloading(self._outbox, client, settings, self._answers, self._user)
        self._visitor = visitor
        self._special = Names()  # prepared statements that need more than forwarding
        self._portals = Names()
        self._locking = Locking()
        self._load: Load | None = None
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
            load = self._load
            self.is_interrupted = bool(self._outstanding)
            for part in parts:
                part.cancel()
            results = await asyncio.gather(*parts, return_exceptions=True)
            if load:
                await load.abandon()
            await self._unloading.abandon()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def cancel(self) -> None:
        """Stop a running COPY's reading, an UNLOAD's writing; PostgreSQL itself cancels everything else."""
        self._unloading.cancel()
        if self._load:
            self._load.cancel()

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
        elif kind == "F":
            await self._client.discard(size)
            self._refuse("Q", Refusal("function calls by number (fastpath) are not supported"))
        elif kind == "Q" and size - 1 > limits.LONGEST_STATEMENT_BYTES:
            await self._client.discard(size)
            self._refuse("Q", limits.too_large(size - 1))
        elif kind == "P" and size > limits.LONGEST_STATEMENT_BYTES + limits.LONGEST_PARSE_REST_BYTES:
            await self._client.discard(size)
            self._refuse("P", limits.too_large(size))
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
        self._outbox.send(messages.header("B", size) + head, Request("B"))
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

    def _refuse(self, kind: str, refusal: Refusal) -> None:
        message = messages.query if kind == "Q" else partial(messages.parse, b"")
        self._outbox.send(message(REFUSED_SQL.encode()), refused(kind, refusal))

    async def _query(self, body: bytes) -> None:
        sql = messages.read_query(body)
        text = None if sql is None else messages.read_text(sql)
        if text is None:
            self._forward("Q", body)
            return
        try:
            statements = await self._translate(text)
        except Refusal as refusal:
            self._refuse("Q", refusal)
            return
        if any(statement.copy or statement.unload for statement in statements):
            await self._run_one_by_one(statements)
            return
        for statement in statements:
            self._locking.note(statement)
        if not any(statement.rewritten or statement.after or statement.lock for statement in statements):
            self._forward("Q", body)
            return
        self._outbox.send(*script(statements))

    async def _run_one_by_one(self, statements: Sequence[Statement]) -> None:
        """Run a Query that holds a COPY statement by statement, still all or nothing.

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
        if statement.unload:
            return await self._unloading.run(statement)
        if statement.copy is None:
            request_message, request = script([statement])
            request.hold_ready = True
            return await self._outbox.exchange(request_message, request)
        target, error = await find_target(self._outbox, statement, in_block=self._in_block())
        if error:
            # The look-up's error left the extended protocol waiting for a Sync.
            await self._outbox.exchange(messages.SYNC, Request("S", hold_ready=True))
            return error
        if target is None:
            request = refused("Q", Target.missing(statement.copy))
            request.hold_ready = True
            return await self._outbox.exchange(messages.query(REFUSED_SQL.encode()), request)
        load = self._new_load(target)
        request = Request("Q", rewritten=True, hold_ready=True, copy=load)
        return await self._feed(load, messages.query(target.sql.encode()), request)

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
            statements = await self._translate(text)
        except Refusal as refusal:
            parse = messages.parse(name, REFUSED_SQL.encode(), parameter_types)
            self._outbox.send(parse, refused("P", refusal))
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
        self._outbox.send(messages.parse(name, sql, parameter_types), Request("P", rewritten=rewritten))
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
        if names:
            self._portals.copy(*names, self._special)
            body = self._intervals.bind(*names, body)
        self._forward("B", body)

    async def _execute(self, body: bytes) -> None:
        portal = messages.read_execute(body)
        special = None if portal is None else self._portals.get(portal)
        if special and special.copy:
            await self._execute_copy(special)
            return
        if special and special.unload:
            await self._unloading.execute(special)
            return
        for sql in self._locking.turns(special.lock) if special and special.lock else ():
            self._outbox.run(sql)
        after = special.after if special else ()
        statement = self._intervals.executed(portal)
        self._outbox.send(messages.message("E", body), Request("E", holds=bool(after), statement=statement))
        self._locking.touch()
        if special:
            self._locking.note(special)
        for number, sql in enumerate(after, start=1):
            self._outbox.run(sql, Request("E", silent=True, releases=number == len(after)))

    async def _execute_copy(self, statement: Statement) -> None:
        assert statement.copy  # noqa: S101 - by the caller
        target, error = await find_target(self._outbox, statement, in_block=self._in_block())
        if error:
            return  # reported; everything up to the client's Sync is ignored
        if target is None:
            parse = messages.parse(OWN_NAME, REFUSED_SQL.encode())
            self._outbox.send(parse, refused("P", Target.missing(statement.copy)))
            return
        load = self._new_load(target)
        self._outbox.prepare(target.sql)
        request = Request("E", rewritten=True, copy=load)
        await self._feed(load, messages.execute(OWN_NAME) + messages.FLUSH, request)

    async def _close(self, body: bytes) -> None:
        if closed := messages.read_close(body):
            kind, name = closed
            (self._special if kind == b"S" else self._portals).pop(name)
            self._intervals.close(kind, name)
        self._forward("C", body)

    async def _feed(self, load: Load, request_message: bytes, request: Request) -> ErrorFields | None:
        request.answered = asyncio.get_running_loop().create_future()
        self._load = load
        try:
            self._outbox.send(request_message, request)
            await self._outbox.flush()
            await load.feed(self._backend, request.answered)
            return await request.answered
        finally:
            self._load = None

    def _new_load(self, target: Target) -> Load:
        pid = struct.unpack("!i", self.backend_key[:4])[0]
        return Load(target, self._settings, pid, self._user)

    async def _translate(self, text: str) -> tuple[Statement, ...]:
        """The statements of a text; a long one leaves the other sessions and logins their turn."""
        if len(text) <= LONGEST_SHORT_TEXT:
            return self._dialect.translate(text, self._context())
        return await asyncio.to_thread(self._dialect.translate, text, self._context())

    def _context(self) -> Context:
        return Context(
            backslash_escapes=self._answers.backslash_escapes,
            in_transaction=self._in_block(),
        )
