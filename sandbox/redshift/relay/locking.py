"""When a session takes the locks of its writing statements.

They come before PostgreSQL reads a statement, since it takes a snapshot and weaker locks as it does: the
UPDATE that waits "does not obtain its snapshot of data until after the first transaction has released its
lock" (Redshift Database Developer Guide, "Write and read/write operations").
"""

from sandbox.redshift.dialect.statement import Statement, TableLock

# Outside of a transaction block there is no LOCK. A single statement with a snapshot of its own, taken behind
# the lock, reads what LOCK would have let it read.
_NEW_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"


class Locking:
    """What one session has locked in its transaction, and whether that is a block."""

    def __init__(self) -> None:
        self._locked: set[TableLock] = set()
        self._turns: set[TableLock] = set()
        self._is_untouched = True
        self._in_block: bool | None = None

    def in_block(self, status: str, *, is_answered: bool) -> bool:
        """Whether the next statement runs in a transaction block.

        Args:
            status: The last transaction status that PostgreSQL has told; it does so at each Sync and Query.
            is_answered: It owes no answer.
        """
        if is_answered and self._is_untouched:
            self._in_block = None
            if status == "I":
                self._release()
        return status != "I" if self._in_block is None else self._in_block

    def note(self, statement: Statement) -> None:
        """A statement has been sent to be executed."""
        if statement.controls_transaction:
            self._in_block = statement.begins_block
            self._release()

    def touch(self) -> None:
        """Something has been sent that may have made PostgreSQL take a snapshot."""
        self._is_untouched = False

    def sync(self, *, in_block: bool) -> None:
        """A Sync has been sent; outside of a block it ends the transaction."""
        self._is_untouched = True
        if not in_block:
            self._release()

    def _release(self) -> None:
        self._locked.clear()
        self._turns.clear()

    def take(self, lock: TableLock, *, in_block: bool) -> list[str]:
        """What takes the lock, to be executed before PostgreSQL gets the statement."""
        if lock in self._locked:
            return []
        self._locked.add(lock)
        if in_block:
            return [lock.statement]
        if lock.is_shared:
            return []  # the statement takes it
        return [_NEW_SNAPSHOT, lock.query] if self._is_untouched else [lock.query]

    def turns(self, lock: TableLock) -> list[str]:
        """What waits for those that share the lock, to be executed before the statement is."""
        if not lock.is_shared or lock in self._turns:
            return []
        self._turns.add(lock)
        return [lock.turn]
