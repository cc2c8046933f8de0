"""What one fact or dimension task loads."""

from collections.abc import Mapping, Sequence
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
COMPLETED = "sparkify_completed"
CHANGED_LOADS = "changed_loads"


@dataclass(frozen=True, slots=True)
class Follow:
    """A staging table whose changes reach a fact or dimension table that has already read it, each once.

    A window that was staged again is loaded again, whichever run comes next. Rows that were staged without a
    window are seen by a SELECT that reads all of the table; one that keeps to its window needs `update`.

    Args:
        table: the staging table.
        after: tables that must have taken in a change first, because SELECT or update read them, too.
        update: an UPDATE of the target, or a `.sql` file, that completes rows loaded before; statements may
            follow it. It finds the loads that have changed the staging table in the temp table
            `changed_loads`, column `load_id`, as `names` does.
        prepare: an INSERT, or a `.sql` file, of the rows to complete into the temp table
            `sparkify_completed`, which has the columns of INCOMING and `is_kept`, an INTEGER, for its own
            use; it runs before the target is locked, and without rows there is no update. `IN (%(names)s)`
            stands for what `names` gives, as `IN (%(times)s)` in `update` does for the times of the rows.
        names: a SELECT of one column, or a `.sql` file: what to look for. As constants, which skip blocks by
            the zone maps of a table sorted by them; a join would read it whole.
    """

    table: str
    after: Sequence[str] = ()
    update: str | None = None
    prepare: str | None = None
    names: str | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table beside the target by which an update finds rows without reading all of them.

    Args:
        table: the table; it has the target's time column.
        columns: what the SELECT gives for it beside the target's columns: a type for each.
        insert: an INSERT into it, or a `.sql` file, from the temp table `sparkify_incoming`.
    """

    table: str
    columns: Mapping[str, str]
    insert: str


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
    lookup: Lookup | None = None

    @property
    def values(self) -> dict[str, Value]:
        """The values that the SELECT may name."""
        return dict(self.window.values) if self.window else {}

    @property
    def query(self) -> str:
        """The SELECT so that it can stand in parentheses."""
        return self.select.strip().rstrip(";")

    @property
    def followed(self) -> dict[str, Sequence[str]]:
        """The tables that this one follows, each with those that come first."""
        return {follow.table: follow.after for follow in self.follows}

    @property
    def outside(self) -> str:
        """The condition that a row is outside of the window, in mode `window`."""
        if self.mode != "window":
            return ""
        return f"{quote_identifier(self.time_column or '')} IS NULL OR NOT ({self.inside})"

    @property
    def inside(self) -> str:
        """The condition that a row is in the window."""
        column = quote_identifier(self.time_column or "")
        return f"{column} >= %(window_start)s AND {column} < %(window_end)s"

    @property
    def has_sure_key(self) -> bool:
        """Whether the audits see to it that the key is there and tells rows apart."""
        key = set(self.key_columns)
        return bool(key) and key == set(self.audits.unique) and key <= set(self.audits.not_null)

    @property
    def corrects(self) -> bool:
        """Whether rows may have to be rebuilt from history; see UpsertMode."""
        return bool(self.newer_by and self.window)

    def copy_of_target(self, name: str, more: str = "") -> str:
        """Return the statement that makes a temp table of the target's columns and those of the lookup."""
        extra = self.lookup.columns if self.lookup else {}
        columns = "".join(f", {quote_identifier(column)} {kind}" for column, kind in extra.items())
        return f"CREATE TEMP TABLE {name} (LIKE {quote_table(self.table)}{columns}{more})"

    def same_key(self, left: str, right: str) -> str:
        """Return the condition that rows of two tables have the same key."""
        names = map(quote_identifier, self.key_columns)
        return " AND ".join(f"{quote_table(left)}.{name} = {quote_table(right)}.{name}" for name in names)
