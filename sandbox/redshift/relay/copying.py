"""The COPYs of one session: run as a part of a Query, or in place of the client's Execute."""

import asyncio

from sandbox.parts.settings import Settings
from sandbox.redshift.dialect.statement import REFUSED_SQL, Statement
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.journal import Entries, Journal
from sandbox.redshift.relay.loading import Load, Target, find_target
from sandbox.redshift.relay.outbox import OWN_NAME, Outbox
from sandbox.redshift.relay.requests import Request, refused
from sandbox.redshift.relay.wire import Wire


class Copying:
    """Runs the COPYs of one session.

    Args:
        outbox: Leads to PostgreSQL.
        backend: The connection to it, which takes the rows.
        settings: The sandbox.
        journal: The session's, which knows its user.

    Attributes:
        load: The COPY that runs now.
    """

    def __init__(self, outbox: Outbox, backend: Wire, settings: Settings, journal: Journal) -> None:
        self._outbox = outbox
        self._backend = backend
        self._settings = settings
        self._journal = journal
        self.load: Load | None = None

    async def run(self, statement: Statement, entries: Entries, *, in_block: bool) -> ErrorFields | None:
        """Run it as a part of a Query, without ReadyForQuery at its end.

        Args:
            statement: The COPY.
            entries: Its entry in the log of statements.
            in_block: A transaction block is open.
        """
        assert statement.copy  # noqa: S101 - by the caller
        target, error = await find_target(self._outbox, statement, in_block=in_block)
        if error:
            entries[0].fail(error)
            # The look-up's error left the extended protocol waiting for a Sync.
            await self._outbox.exchange(messages.SYNC, Request("S", hold_ready=True))
            return error
        if target is None:
            return await self._outbox.refuse(Target.missing(statement.copy), entries)
        load = self._new_load(target, entries)
        request = Request("Q", rewritten=True, hold_ready=True, copy=load, entries=entries)
        return await self._feed(load, messages.query(target.sql.encode()), request)

    async def execute(self, statement: Statement, entries: Entries, *, in_block: bool) -> None:
        """Run it in place of the client's Execute; behind an error all is ignored up to the client's Sync.

        Args:
            statement: The COPY.
            entries: Its entry in the log of statements.
            in_block: A transaction block is open.
        """
        assert statement.copy  # noqa: S101 - by the caller
        target, error = await find_target(self._outbox, statement, in_block=in_block)
        if error:
            for entry in entries:
                entry.fail(error)
            return
        if target is None:
            parse = messages.parse(OWN_NAME, REFUSED_SQL.encode())
            self._outbox.send(parse, refused("P", Target.missing(statement.copy), entries))
            return
        load = self._new_load(target, entries)
        self._outbox.prepare(target.sql)
        request = Request("E", rewritten=True, copy=load, entries=entries)
        await self._feed(load, messages.execute(OWN_NAME) + messages.FLUSH, request)

    async def _feed(self, load: Load, request_message: bytes, request: Request) -> ErrorFields | None:
        request.answered = asyncio.get_running_loop().create_future()
        self.load = load
        try:
            self._outbox.send(request_message, request)
            await self._outbox.flush()
            await load.feed(self._backend, request.answered)
            return await request.answered
        finally:
            self.load = None

    def _new_load(self, target: Target, entries: Entries) -> Load:
        return Load(target, self._settings, self._journal, entries[0].query_id if entries else 0)
