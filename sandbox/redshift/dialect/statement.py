"""One SQL statement as PostgreSQL will get it, and what the relay does around it."""

from dataclasses import dataclass

from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.unload.command import UnloadCommand

# PostgreSQL is made to raise a syntax error at the refused statement's place, so that its transaction and the
# protocol end up in the state an error leaves; the relay then reports the refusal instead.
REFUSED_SQL = "refused_by_redshift"


@dataclass(frozen=True)
class TableLock:
    """What a statement locks.

    Args:
        table: The table's name, quoted.
        is_shared: By COPY and INSERT, which wait for each other only where they write.
    """

    table: str
    is_shared: bool

    @property
    def statement(self) -> str:
        """Takes the lock in a transaction block, and like Redshift's no snapshot."""
        mode = "ROW EXCLUSIVE" if self.is_shared else "SHARE ROW EXCLUSIVE"
        return f"LOCK TABLE {self.table} IN {mode} MODE"

    @property
    def query(self) -> str:
        """Takes the lock without a transaction block, behind a snapshot."""
        return f"SELECT pg_internal.lock_table({self._literal})"

    @property
    def turn(self) -> str:
        """Waits for the other writers that share the lock."""
        return f"SELECT pg_internal.write_in_turn({self._literal})"

    @property
    def _literal(self) -> str:
        text = self.table.replace("\\", "\\\\").replace("'", "''")
        return f"E'{text}'"

    @property
    def script(self) -> list[str]:
        """What goes before the statement, in one message with it."""
        return [self.statement, self.turn] if self.is_shared else [self.statement]


@dataclass(frozen=True)
class Statement:
    """One statement, rewritten.

    Args:
        sql: The text for PostgreSQL, without a final semicolon.
        rewritten: `sql` is not what the client wrote.
        after: Statements that follow silently in the same transaction.
        copy: The COPY from S3 that takes the statement's place.
        controls_transaction: BEGIN, COMMIT, ROLLBACK and the like.
        lock: What it locks until the end of its transaction.
        written: The text as the client wrote it, where it was rewritten.
        reads_log: It may ask about statements and sessions, hence for what has just happened.
        unresolved: The client's text, where the session's tables have to be asked what names in it are; the
            other values are then those of a statement without aliases.
        unload: The UNLOAD to S3 that takes the statement's place; its query is PostgreSQL's.
    """

    sql: str
    rewritten: bool = False
    after: tuple[str, ...] = ()
    copy: CopyCommand | None = None
    controls_transaction: bool = False
    lock: TableLock | None = None
    written: str = ""
    unresolved: str = ""
    reads_log: bool = False

    @property
    def source(self) -> str:
        """The text as the client wrote it."""
        return self.written or self.sql

    unload: UnloadCommand | None = None

    @property
    def is_special(self) -> bool:
        """Whether it takes more than passing it on."""
        takes_place = self.copy or self.unload or self.after
        return bool(takes_place or self.lock or self.controls_transaction or self.reads_log)

    @property
    def begins_block(self) -> bool:
        """Whether it is BEGIN or START TRANSACTION."""
        return self.controls_transaction and self.sql[:5].lower() in ("begin", "start")


class Refusal(Exception):  # noqa: N818 - Redshift refuses; nothing went wrong here
    """A statement that Redshift, or the sandbox, does not run.

    Args:
        message: The error's message.
        sqlstate: Its SQLSTATE.
        detail: What the client shows below it.
        hint: What to do instead.
        notices: INFO messages that come before the error.
    """

    def __init__(
        self,
        message: str,
        sqlstate: str = "0A000",
        *,
        detail: str | None = None,
        hint: str | None = None,
        notices: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.fields = ErrorFields(sqlstate, message, detail, hint)
        self.notices = notices
