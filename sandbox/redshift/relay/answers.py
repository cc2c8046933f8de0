"""PostgreSQL's answers on their way to the client."""

import asyncio
import re
import struct

from sandbox.redshift.dialect import lexical
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.errors import redshift_error
from sandbox.redshift.relay.intervals import Intervals
from sandbox.redshift.relay.journal import Journal
from sandbox.redshift.relay.requests import Outstanding, Request
from sandbox.redshift.relay.wire import Wire

# Drivers parse the first as a version number. The next are the sign of Redshift, the second to asyncpg, the
# third to Amazon's ODBC driver, which shows it to its user. By the last Amazon's drivers know which SHOW they
# may send to learn of tables and keys: in their code 4 stands for those of the guide, 5 for SHOW … FROM
# DATABASE, of which the guide says nothing.
_VERSIONS = {
    "server_version": "8.0.2",
    "padb_revision": "12103",
    "padb_version": "1.0.12103",
    "show_discovery": "4",
}

_MISSING = ("42P01", "3F000")
_HEADER = struct.Struct("!ci")
_DATA = frozenset(b"Dd")
_SASL = struct.pack("!i", messages.SASL)
_RSC = "Redshift Python Driver"
# "If VACUUM is run without the necessary table permissions, the operation completes successfully but has no
# effect" (Redshift Database Developer Guide, VACUUM); PostgreSQL warns of every such table.
_SKIPPED_TABLE = re.compile(rb'permission denied to (?:vacuum|analyze) "[^\0]+", skipping it')


class Answers:
    """Forwards what PostgreSQL sends, except what the client did not ask for.

    Args:
        backend: The connection to PostgreSQL.
        client: The client's connection.
        outstanding: The requests PostgreSQL owes answers for.
        intervals: Rewrites them for it.
        journal: The session's, which learns of its login and its transactions.

    Attributes:
        backend_key: Process id and secret of the backend, as BackendKeyData holds them.
        transaction_status: ``I`` idle, ``T`` in a transaction, ``E`` in a failed one.
        authentication: The code of each authentication message, as it arrives.
        backslash_escapes: Whether a backslash in an ordinary literal is an escape.
    """

    def __init__(
        self,
        backend: Wire,
        client: Wire,
        outstanding: Outstanding,
        intervals: Intervals,
        journal: Journal,
    ) -> None:
        self.backend_key = b""
        self.transaction_status = "I"
        self.backslash_escapes = True
        self.authentication: asyncio.Queue[int] = asyncio.Queue()
        self._backend = backend
        self._client = client
        self._outstanding = outstanding
        startup = journal.startup
        self._driver = startup.get("driver_version", "")
        self._names_encoding = "client_encoding" in startup or "client_encoding" in startup.get("options", "")
        self._intervals = intervals
        self._journal = journal
        self._held: list[bytes] = []
        self._passing = 0  # bytes of a row that has been forwarded in part

    async def relay(self) -> None:
        """Forward until PostgreSQL closes the connection."""
        rest = b""
        try:
            while received := await self._backend.take():
                rest = await self._relay_chunk(rest + received if rest else received)
                await self._client.drain()
        finally:
            self._outstanding.abandon()

    async def _relay_chunk(self, data: bytes) -> bytes:
        """Forward the messages in `data`; return the beginning of one that is not complete.

        Rows, the bulk of all traffic, are only stepped over and leave together with their neighbours.
        """
        done, at, end = 0, min(self._passing, len(data)), len(data)
        self._passing -= at
        untouched = self._are_rows_untouched()
        while end - at >= _HEADER.size:
            after = at + 1 + _HEADER.unpack_from(data, at)[1]
            if untouched and data[at] in _DATA:
                at = after
                continue
            if after > end:
                break
            self._client.write(data[done:at])
            for answer in await self._answer(data[at : at + 1].decode("latin-1"), data[at:after]):
                self._client.write(answer)
            at = done = after
            untouched = self._are_rows_untouched()
        self._passing += max(0, at - end)
        self._client.write(data[done:at])
        return data[at:]

    def _are_rows_untouched(self) -> bool:
        head = self._outstanding.head
        if head is None:
            return True
        return head.visible and not head.unload and not self._intervals.are_in(head.statement)

    async def _answer(self, kind: str, whole: bytes) -> list[bytes]:
        """What the client gets for this message."""
        body = whole[5:]
        head = self._outstanding.head
        if head is None or kind in "SKRA":
            return [self._state(kind, whole, body)]
        if kind == "E":
            return await self._error(head, messages.read_fields(body))
        return await self._result(kind, whole, body, head)

    async def _result(self, kind: str, whole: bytes, body: bytes, head: Request) -> list[bytes]:
        """A part of the answer that `head` waits for."""
        if kind == "G":
            self._begin_copy(head)
            return []
        if kind == "d" and head.unload:
            await head.unload.take(body)
        if (kind in "Hdc" and head.unload) or (kind == "N" and _SKIPPED_TABLE.search(body)):
            return []
        if kind == "Z":
            self.transaction_status = chr(body[0])
            self._journal.ready(self.transaction_status)
        if head.statement:
            whole = self._rewritten(kind, whole, body, head.statement)
        shown = not head.hold_ready if kind == "Z" else head.visible
        answers = [whole] if shown else []
        if kind == "C" and head.copy:
            answers = await head.copy.completed(body[:-1])
        if kind in "DT" and head.rows is not None:
            head.rows.append(body)
        if kind == "s":
            head.log_end(b"")
        if kind in "CI":
            answers = self._completed(head, answers, body[:-1])
        self._outstanding.answer(kind)
        return answers

    def _rewritten(self, kind: str, whole: bytes, body: bytes, statement: bytes) -> bytes:
        """The message with the intervals of its row as the client reads them."""
        if kind in "tT":
            self._intervals.learn(statement, kind, body)
        rewrites = kind == "D" and self._intervals.are_in(statement)
        return self._intervals.row(statement, body) if rewrites else whole

    def _begin_copy(self, head: Request) -> None:
        if head.copy:
            head.copy.begin()
        else:  # whatever made PostgreSQL run it: rows come from S3 only, converted, never from the client
            self._backend.write(messages.copy_fail("COPY FROM STDIN is not supported"))

    def _completed(self, head: Request, answers: list[bytes], tag: bytes) -> list[bytes]:
        """Hold a statement's end back until what silently follows has succeeded.

        redshift_connector sends messages of its own between CommandComplete and ReadyForQuery.
        """
        is_clients = head.visible
        holds, releases = head.completes()
        if holds:
            self._held += answers
            if head.entries:
                head.entries[0].tag = tag
            return []
        if is_clients or releases:
            head.log_end(b"" if releases else tag)
        if releases:
            answers = self._held + answers
            self._held = []
        return answers

    def _state(self, kind: str, whole: bytes, body: bytes) -> bytes:
        """A message about the session, which answers no request."""
        if kind == "S":
            return self._parameter_status(whole, body)
        if kind == "R":
            return self._authentication(whole, body)
        if kind == "K":
            self.backend_key = body
            self._journal.logged_in(struct.unpack_from("!i", body)[0])
        return whole

    def _authentication(self, whole: bytes, body: bytes) -> bytes:
        """redshift_connector 2.2 takes the empty word that ends the list of mechanisms for one of them."""
        self.authentication.put_nowait(struct.unpack_from("!i", body)[0])
        is_list = body[:4] == _SASL and body.endswith(b"\0\0")
        return messages.message("R", body[:-1]) if is_list and self._driver.startswith(_RSC) else whole

    async def _error(self, head: Request, error: ErrorFields) -> list[bytes]:
        if head.refusal:
            reported = head.refusal
        elif head.copy:
            reported = await head.copy.failed(redshift_error(error))
        else:
            is_missing = head.missing and error.sqlstate in _MISSING
            worded = redshift_error(error, head.text)
            reported = head.missing if head.missing and is_missing else worded
        if head.rewritten:
            reported = reported.without("P")
        if not head.visible:
            reported = reported.without("W", "q", "p")  # the inside of our own functions
        self._outstanding.fail(reported)
        if head.kind == "startup":
            self._journal.turned_away(reported)
        self._held = []
        notices = [messages.info(notice) for notice in head.notices]
        return [*notices, messages.error_response(reported)]

    def _parameter_status(self, whole: bytes, body: bytes) -> bytes:
        """What Redshift says about a setting instead of PostgreSQL, maybe nothing."""
        name, value = body.split(b"\0")[:2]
        if name == b"server_version":
            return b"".join(messages.parameter_status(*pair) for pair in _VERSIONS.items())
        if name == b"standard_conforming_strings":  # Redshift does not know it: a backslash always escapes
            self.backslash_escapes = value == b"off"
            return b""
        if name == b"client_encoding":
            return self._client_encoding(whole, value.decode())
        return whole

    def _client_encoding(self, whole: bytes, encoding: str) -> bytes:
        if not lexical.is_utf8(encoding):
            raise ConnectionError("the session's encoding is no longer UTF8, and has ended")
        # By the name that PostgreSQL 8.0 had for it, until the client gives it another.
        return whole if self._names_encoding else messages.parameter_status("client_encoding", "UNICODE")
