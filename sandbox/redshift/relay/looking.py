"""Asking PostgreSQL, in the client's session, what the names of a statement are before it gets the statement.

Only those statements are asked for of which the text alone does not say it (`dialect/aliases.py`).
"""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sandbox.redshift.dialect import aliases
from sandbox.redshift.dialect.statement import Refusal, Statement
from sandbox.redshift.dialect.translation import LONGEST_SHORT_TEXT, Context, Dialect
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.journal import Entries
from sandbox.redshift.relay.outbox import OWN_NAME, Outbox
from sandbox.redshift.relay.requests import Request

R = TypeVar("R")


class Looking:
    """Resolves what is left open in statements.

    Args:
        outbox: Leads to PostgreSQL.
        dialect: Translates the questions, and what comes of the answers.
    """

    def __init__(self, outbox: Outbox, dialect: Dialect) -> None:
        self._outbox = outbox
        self._dialect = dialect

    async def resolve(self, statement: Statement, context: Context) -> Statement | ErrorFields:
        """The statement with its names resolved, or the error that PostgreSQL has answered.

        PostgreSQL is left in the extended protocol; behind an error it waits for a Sync.

        Args:
            statement: One with something unresolved.
            context: The session's state.

        Raises:
            Refusal: Redshift, or the sandbox, does not run what comes of it.
        """
        questions = aliases.resolve(statement.unresolved, backslash_escapes=context.backslash_escapes)
        columns: frozenset[str] | None = None
        while True:
            question, resolved = await _beside(statement.unresolved, partial(_next, questions, columns))
            if resolved:
                [done] = await _beside(resolved, partial(self._dialect.translate, resolved, context))
                if statement.unload:
                    unload = replace(statement.unload, query=done.sql)
                    return replace(statement, unload=unload, unresolved="")
                return replace(done, rewritten=True, unresolved="", written=statement.source)
            found = await self._columns(question, context)
            if isinstance(found, ErrorFields):
                return found
            columns = found

    async def resolve_apart(
        self, statement: Statement, context: Context, entries: Entries
    ) -> Statement | ErrorFields:
        """The same for a statement that a Query will hold: nothing is left open behind it.

        The statement's locks come before the questions, which take a snapshot as they do. An error is the
        client's, and its entry's in the log.
        """
        if not statement.unresolved:
            return statement
        for sql in statement.lock.script if statement.lock and context.in_transaction else ():
            self._outbox.run(sql)
        try:
            found: Statement | ErrorFields | Refusal = await self.resolve(statement, context)
        except Refusal as refusal:
            found = refusal
        await self._outbox.exchange(messages.SYNC, Request("S", hold_ready=True))
        if isinstance(found, Refusal):
            return await self._outbox.refuse(found, entries) or found.fields
        if isinstance(found, ErrorFields):
            entries[0].fail(found)
        return found

    async def resolve_prepared(
        self,
        statements: tuple[Statement, ...],
        context: Callable[[], Context],
        lock: Callable[[Statement], None],
    ) -> tuple[Statement, ...] | ErrorFields:
        """The same for what is to be prepared, or the error that the client has.

        Args:
            statements: What the client's text holds.
            context: The session's state.
            lock: Takes a statement's lock, which comes before the question.

        Raises:
            Refusal: Redshift, or the sandbox, does not run what comes of it.
        """
        if len(statements) != 1 or not statements[0].unresolved:
            return statements
        lock(statements[0])
        found = await self.resolve(statements[0], context())
        return found if isinstance(found, ErrorFields) else (found,)

    async def _columns(self, question: str, context: Context) -> frozenset[str] | ErrorFields:
        [query] = await _beside(question, partial(self._dialect.translate, question, context))
        described: list[bytes] = []
        self._outbox.send(messages.close_statement(OWN_NAME), Request("C", silent=True))
        parse = messages.parse(OWN_NAME, query.sql.encode())
        self._outbox.send(parse, Request("P", silent=True, rewritten=True))
        describe = messages.describe_statement(OWN_NAME) + messages.FLUSH
        error = await self._outbox.exchange(describe, Request("D", silent=True, rows=described))
        return error or frozenset(name for body in described for name in messages.read_column_names(body))


def _next(questions: Generator[str, frozenset[str], str], columns: frozenset[str] | None) -> tuple[str, str]:
    """The next question, or empty and what comes of all answers."""
    try:
        return (next(questions) if columns is None else questions.send(columns)), ""
    except StopIteration as resolved:
        return "", resolved.value


async def _beside(text: str, function: Callable[[], R]) -> R:
    """Call the function; where it reads a long text the other sessions and logins have their turn."""
    return function() if len(text) <= LONGEST_SHORT_TEXT else await asyncio.to_thread(function)
