"""What one fact or dimension task loads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sparkify.star.audits import Audits
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.sql import Value, quote_identifier, quote_table
from sparkify.window import Window

LoadMode = Literal["window", "append", "replace", "upsert"]

NO_AUDITS = Audits()

# Temp tables shadow permanent ones of the same name.
INCOMING = "sparkify_incoming"
SUPERSEDED = "sparkify_superseded"
CORRECTED = "sparkify_corrected"


@dataclass(frozen=True, slots=True)
class Follow:
    """A staging table whose changes reach a fact or dimension table that has already read it, each once.

    A window that was staged again is loaded again, whichever run comes next. Rows that were staged without a
    window are seen by a SELECT that reads all of the table; one that keeps to its window needs `update`.

    Args:
        table: the staging table.
        after: tables that must have taken in a change first, because SELECT or update read them, too.
        update: an UPDATE of the target, or a `.sql` file, that completes rows loaded before; it finds the
            loads that have changed the staging table in the temp table `changed_loads`, column `load_id`.
    """

    table: str
    after: Sequence[str] = ()
    update: str | None = None


@dataclass(frozen=True, slots=True)
class LoadJob:
    """What one fact or dimension task loads; see the operators for the meaning of each field."""

    table: str
    mode: LoadMode
    select: str
    run: TaskRun
    window: Window | None = None
    time_column: str | None = None
    key_columns: Sequence[str] = ()
    newer_by: str | None = None
    audits: Audits = NO_AUDITS
    follows: Sequence[Follow] = ()

    @property
    def values(self) -> dict[str, Value]:
        """The values that the SELECT may name."""
        return dict(self.window.values) if self.window else {}

    @property
    def followed(self) -> list[str]:
        """The staging tables that it is made from."""
        return [follow.table for follow in self.follows]

    @property
    def query(self) -> str:
        """The SELECT so that it can stand in parentheses."""
        return self.select.strip().rstrip(";")

    @property
    def temp_tables(self) -> Sequence[str]:
        """The temp tables, with the target's columns, that the load works in."""
        return (INCOMING, SUPERSEDED, CORRECTED) if self.corrects else (INCOMING,)

    @property
    def corrects(self) -> bool:
        """Whether rows may have to be rebuilt from history; see UpsertMode."""
        return bool(self.newer_by and self.window)

    def same_key(self, left: str, right: str) -> str:
        """Return the condition that rows of two tables have the same key."""
        names = map(quote_identifier, self.key_columns)
        return " AND ".join(f"{quote_table(left)}.{name} = {quote_table(right)}.{name}" for name in names)
