"""What the relay has sent to PostgreSQL and is still owed an answer for."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sandbox.redshift.dialect.statement import Refusal, Statement
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay import messages
from sandbox.redshift.relay.journal import Entries

# The last message of each request's answer; an ErrorResponse ends every kind but Query and Sync.
ENDINGS = {
    "P": frozenset("1"),
    "B": frozenset("2"),
    "C": frozenset("3"),
    "D": frozenset("Tn"),
    "E": frozenset("CIs"),
    "S": frozenset("Z"),
    "Q": frozenset("Z"),
    # Neither has an answer but an error.
    "H": frozenset(),
    "violation": frozenset(),
    "startup": frozenset("Z"),
}


class CopyAnswers(Protocol):
    """Who is told how PostgreSQL answers a COPY that the relay feeds."""

    def begin(self) -> None:
        """PostgreSQL waits for data."""

    async def completed(self, tag: bytes) -> list[bytes]:
        """The messages for the client in place of CommandComplete."""

    async def failed(self, error: ErrorFields) -> ErrorFields:
        """The error for the client in place of PostgreSQL's."""


class UnloadAnswers(Protocol):
    """Who takes the rows that PostgreSQL sends for an UNLOAD."""

    async def take(self, data: bytes) -> None:
        """Rows in PostgreSQL's COPY text format."""


class Part(Enum):
    """Whose a statement of a Query is: the client's, or ours around one of those."""

    BEFORE = 1
    CLIENT = 2
    AFTER = 3


@dataclass(eq=False, slots=True)
class Request:
    """One message sent to PostgreSQL, and what to do with its answer.

    Args:
        kind: The message's type letter (P, B, D, E, C, S, Q), ``startup``, a malformed Flush (H), or
            ``violation`` for what makes PostgreSQL end the session.
        silent: The client did not ask for it: only errors reach the client.
        rewritten: The statement's text was changed, so PostgreSQL's error position means nothing.
        refusal: The error to report instead of the one PostgreSQL is made to raise.
        notices: INFO messages that precede `refusal`.
        missing: The error to report where PostgreSQL finds no such table or schema.
        parts: For a Query of several statements, whose each is: answers of the client's reach the client.
        holds: The answer's end waits for that of the silent requests that belong to it.
        releases: The last silent request of those.
        hold_ready: Do not forward ReadyForQuery.
        copy: The COPY this request starts.
        unload: The UNLOAD whose rows this request brings.
        rows: Collects the rows of a silent request, or what is described.
        statement: The prepared statement that is described or executed, where its intervals are rewritten.
        answered: Receives the error, or None on success, once the answer is complete.
        entries: The client's statements in the log, in their order; that of a Parse or Bind is logged only if
            it fails.
    """

    kind: str
    silent: bool = False
    rewritten: bool = False
    refusal: ErrorFields | None = None
    notices: tuple[str, ...] = ()
    missing: ErrorFields | None = None
    parts: deque[Part] | None = None
    holds: bool = False
    releases: bool = False
    hold_ready: bool = False
    copy: CopyAnswers | None = None
    unload: UnloadAnswers | None = None
    rows: list[bytes] | None = None
    statement: bytes = b""
    answered: "asyncio.Future[ErrorFields | None] | None" = None
    entries: Entries | None = None
    error: ErrorFields | None = field(default=None, init=False)

    @property
    def visible(self) -> bool:
        """Whether the part of the answer that comes now reaches the client."""
        if self.parts:
            return self.parts[0] is Part.CLIENT
        return not self.silent

    @property
    def text(self) -> str:
        """The client's statement that runs, as it was written; empty where it is none of the client's."""
        return self.entries[0].text if self.entries else ""

    def completes(self) -> tuple[bool, bool]:
        """A statement of this request is complete: whether that is held back, and whether it releases."""
        if not self.parts:
            return self.holds, self.releases
        part = self.parts.popleft()
        continues = bool(self.parts) and self.parts[0] is Part.AFTER
        return part is Part.CLIENT and continues, part is Part.AFTER and not continues

    def log_end(self, tag: bytes) -> None:
        """The client's statement that runs has succeeded; the next one begins."""
        if self.entries:
            self.entries.popleft().complete(tag)
            if self.entries:
                self.entries[0].begin()

    def log_error(self, error: ErrorFields) -> None:
        """The client's statement that runs has failed, and those behind it are not executed."""
        if self.entries:
            self.entries.popleft().fail(error)
            self.entries.clear()

    def finish(self) -> None:
        """The answer is complete."""
        if self.entries and self.error:  # skipped
            for entry in self.entries:
                entry.drop()
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(self.error)


class Outstanding:
    """The requests in the order PostgreSQL answers them.

    After an error in the extended protocol PostgreSQL ignores everything up to the next Sync; so does this.
    """

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()
        self._skipping = False
        self._fewer = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    async def fewer(self) -> None:
        """Wait until something has been answered."""
        self._fewer.clear()
        await self._fewer.wait()

    @property
    def head(self) -> Request | None:
        """The request being answered now."""
        return self._requests[0] if self._requests else None

    def add(self, request: Request) -> None:
        """A request has been sent."""
        if self._skipping and request.kind != "S":
            request.error = SKIPPED
            request.finish()
            return
        self._skipping = False
        self._requests.append(request)

    def answer(self, kind: str) -> None:
        """A message of this type has arrived: end the request being answered if it is its last."""
        head = self.head
        if head and kind in ENDINGS[head.kind]:
            self._requests.popleft()
            self._fewer.set()
            head.finish()

    def fail(self, error: ErrorFields) -> None:
        """An ErrorResponse has arrived."""
        self._fewer.set()
        head = self.head
        if head is None:
            return
        head.error = error
        head.log_error(error)
        if "Z" in ENDINGS[head.kind]:
            return
        while self._requests and self._requests[0].kind != "S":
            skipped = self._requests.popleft()
            skipped.error = skipped.error or SKIPPED
            skipped.finish()
        self._skipping = not self._requests

    def abandon(self) -> None:
        """The connection is gone: nothing will be answered."""
        while self._requests:
            request = self._requests.popleft()
            request.error = request.error or SKIPPED
            if request.entries:
                request.entries[0].cancel()
            request.finish()


SKIPPED = ErrorFields("57P01", "not executed: an earlier statement failed or the connection was lost")


def script(statements: Sequence[Statement], entries: Entries) -> tuple[bytes, Request]:
    """One Query for all of them, with what goes before and after each."""
    texts: list[str] = []
    parts: deque[Part] = deque()
    for statement in statements:
        before = statement.lock.script if statement.lock else []
        texts += [*before, statement.sql, *statement.after]
        parts += [*(Part.BEFORE for _ in before), Part.CLIENT, *(Part.AFTER for _ in statement.after)]
    request = Request("Q", rewritten=True, parts=parts, entries=entries)
    return messages.query(";".join(texts).encode()), request


def refused(kind: str, refusal: Refusal, entries: Entries | None = None) -> Request:
    """A request that PostgreSQL is made to fail, answered with the refusal."""
    return Request(kind, refusal=refusal.fields, notices=refusal.notices, entries=entries)
