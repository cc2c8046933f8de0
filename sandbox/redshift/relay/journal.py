"""One session's statements on their way into the log: when they begin, when and how they end."""

import re
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sandbox.redshift.dialect.statement import Statement
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.relay.wire import Wire

if TYPE_CHECKING:
    from sandbox.redshift.relay.query_log import QueryLog

# Longer texts are logged up to here.
_LONGEST_TEXT = 65_536
# A driver keeps a thousand statements; of more the oldest are logged without their text.
_MOST_NAMES = 5_000
_NAME_BYTES = 63
_CANCELED = "57014"
# Errors of what was not planned yet: unknown names, syntax, what is not supported, a failed transaction.
_BEFORE_PLANNING = ("42", "0A", "25P02", "3F")
_SETS_LABEL = re.compile(
    r"\s*(?:SET\s+(?:SESSION\s+)?QUERY_GROUP\s*(?:TO\b|=)\s*(?:'([^']*)'|(\w+))|RESET\s+QUERY_GROUP\b)",
    re.IGNORECASE,
)


class Transaction:
    """A transaction by the endpoint's own count.

    Args:
        number: The query id of its first statement.
        label: The session's query group before it.

    Attributes:
        number, label: As given.
        start: When it began, in seconds since 1970.
    """

    __slots__ = ("label", "number", "start")

    def __init__(self, number: int, label: str) -> None:
        self.number = number
        self.label = label
        self.start = time.time()


class Entry:
    """A statement in the log.

    Args:
        journal: Its session's.
        text: As the client wrote it.

    Attributes:
        query_id: Its number in the STL views, 0 before it begins, negative where there is none.
        transaction: Which it belongs to.
        status: ``running``, ``success``, ``failed`` or ``canceled``.
        start: When it began, in seconds since 1970.
        end: When it ended; 0.0 before.
        tag: What PostgreSQL said at its end, e.g. ``SELECT 5``.
        error: Why it failed.
        label: The session's query group.
    """

    __slots__ = (
        *("journal", "text", "query_id", "transaction", "status", "start", "end", "tag", "error", "label"),
    )

    def __init__(self, journal: "Journal", text: str) -> None:
        self.journal = journal
        self.text = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT]
        self.query_id = 0
        self.transaction: Transaction | None = None
        self.status = "running"
        self.start = self.end = 0.0
        self.tag = b""
        self.error: ErrorFields | None = None
        self.label = ""

    @property
    def was_planned(self) -> bool:
        """Whether it came so far that it had a query id."""
        return self.error is None or not self.error.sqlstate.startswith(_BEFORE_PLANNING)

    def begin(self) -> "Entry":
        """It is executed from now on."""
        if not self.query_id:
            self.journal.began(self)
        return self

    def complete(self, tag: bytes = b"") -> None:
        """It has succeeded."""
        self._finish("success", tag or self.tag)

    def fail(self, error: ErrorFields) -> None:
        """It has failed, maybe before it was executed."""
        self.begin()
        self.error = self.error or error
        self._finish("canceled" if error.sqlstate == _CANCELED else "failed")

    def cancel(self) -> None:
        """Its session is gone; nothing happens where it was not executed."""
        if self.query_id:
            self._finish("canceled")

    def drop(self) -> None:
        """It was never executed: it is not logged."""
        self.journal.forget(self)

    def _finish(self, status: str, tag: bytes = b"") -> None:
        if self.end:
            return
        self.begin()
        self.end, self.status, self.tag = time.time(), status, tag
        self.journal.ended(self)


Entries = deque[Entry]


class Journal:
    """What the log keeps of one session.

    Args:
        log: Takes the entries.
        startup: The parameters of the client's StartupMessage.
        client: The client's connection.

    Attributes:
        pid: Process id of the session's PostgreSQL backend; 0 before the login.
        number: Its session's, unlike any other's, whatever process id PostgreSQL gives again.
        start: When the session logged in, in seconds since 1970.
        user: The session's user.
        log, startup, client: As given.
    """

    def __init__(self, log: "QueryLog", startup: Mapping[str, str], client: Wire) -> None:
        self.log = log
        self.startup = startup
        self.client = client
        self.user = startup.get("user", "")
        self.pid = 0
        self.number = str(uuid.uuid4())
        self.start = 0.0
        self._label = ""
        self._is_over = False
        self._transaction: Transaction | None = None
        self._texts: dict[bytes, str] = {}
        self._portals: dict[bytes, Entry] = {}

    def entry(self, text: str) -> Entry:
        """A statement that has not begun."""
        return Entry(self, text)

    def entries(self, texts: Iterable[str]) -> Entries:
        """Statements that run one after the other from now on."""
        found = deque(Entry(self, text) for text in texts)
        if found:
            found[0].begin()
        return found

    def prepare(self, name: bytes, text: str) -> Entries:
        """A statement is prepared; the entry is logged only if that fails."""
        name = name[:_NAME_BYTES]
        self._texts.pop(name, None)
        self._texts[name] = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT]
        if len(self._texts) > _MOST_NAMES:
            del self._texts[next(iter(self._texts))]
        return deque((Entry(self, text),))

    def bind(self, portal: bytes, name: bytes, *, begins: bool) -> Entries:
        """A prepared statement is bound; the entry is logged here only if that fails.

        Args:
            portal: The portal's name.
            name: The prepared statement's.
            begins: Count it as running from now on: it may ask for itself.
        """
        portal = portal[:_NAME_BYTES]
        if before := self._portals.pop(portal, None):
            before.drop()
        entry = Entry(self, self._texts.get(name[:_NAME_BYTES], ""))
        self._portals[portal] = entry
        if len(self._portals) > _MOST_NAMES:
            self._portals.pop(next(iter(self._portals))).drop()
        if begins:
            entry.begin()
        return deque((entry,))

    def execute(self, portal: bytes | None) -> Entries:
        """The portal's statement is executed; nothing where it is one that goes on."""
        entry = self._portals.pop(portal[:_NAME_BYTES], None) if portal is not None else None
        return deque((entry.begin(),)) if entry else deque()

    async def settle(self, *statements: Statement) -> None:
        """Let the system views tell what came before, if one of these statements may ask."""
        if any(statement.reads_log for statement in statements):
            await self.log.settle()

    def ready(self, status: str) -> None:
        """PostgreSQL has told the state of the transaction (I: there is none)."""
        if status == "I":
            self._transaction = None

    def logged_in(self, pid: int) -> None:
        """The session has begun."""
        self.pid, self.start = pid, time.time()
        for event in ("authenticated", "initiating session"):
            self.log.add_event(self, event)

    def turned_away(self, error: ErrorFields) -> None:
        """PostgreSQL has refused the login."""
        if error.sqlstate.startswith("28"):
            self.log.add_event(self, "authentication failure")

    def close(self) -> None:
        """The session is over."""
        for entry in self._portals.values():
            entry.drop()
        if self.pid and not self._is_over:
            self.log.add_event(self, "disconnecting session")
            self.log.add_session(self)
        self._is_over = True

    def began(self, entry: Entry) -> None:
        """Called by an entry that begins."""
        entry.query_id = self.log.next_query()
        if self._transaction is None:
            self._transaction = Transaction(entry.query_id, self._label)
        entry.transaction = self._transaction
        entry.label = self._label
        entry.start = time.time()
        self.log.running[entry] = None

    def ended(self, entry: Entry) -> None:
        """Called by an entry that ends."""
        self.log.running.pop(entry, None)
        if entry.text and not entry.text.isspace():
            self.log.add(entry)
        if entry.status == "success" and (setting := _SETS_LABEL.match(entry.text)):
            self._label = setting[1] or setting[2] or ""
        elif entry.tag == b"ROLLBACK" and entry.transaction:
            self._label = entry.transaction.label

    def forget(self, entry: Entry) -> None:
        """Called by an entry that never was executed."""
        self.log.running.pop(entry, None)
