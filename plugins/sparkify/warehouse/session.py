"""One database session of a load.

Every load follows one shape: prepare in temp tables, then publish: lock, change and record in one short
transaction (`Session.publishing`). Readers neither wait for it nor hold it up.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from sparkify.failures import describe
from sparkify.warehouse.sql import Value, display, execute, quote_columns, quote_table, rows_of_values

_MISSING = "42P01"


class Log(Protocol):
    """The part of a logger that loads use; Python's loggers and Airflow's both have it."""

    def debug(self, message: str, /, *args: object) -> object: ...  # noqa: D102

    def info(self, message: str, /, *args: object) -> object: ...  # noqa: D102

    def warning(self, message: str, /, *args: object) -> object: ...  # noqa: D102


class Cursor(Protocol):
    """The part of a DB-API cursor that a session uses."""

    rowcount: int
    description: Sequence[Sequence[Any]]

    def execute(self, sql: str, parameters: Sequence[Any], /) -> object: ...  # noqa: D102

    def fetchall(self) -> Sequence[Sequence[Any]]: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class Connection(Protocol):
    """The part of a DB-API connection that a session uses."""

    autocommit: bool

    def cursor(self) -> Any: ...  # noqa: D102, ANN401 - drivers' cursors share no declared type

    def commit(self) -> None: ...  # noqa: D102

    def rollback(self) -> None: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class Publication:
    """What `Session.publishing` is about to commit."""

    def __init__(self) -> None:
        self.is_withdrawn = False

    def withdraw(self) -> None:
        """Leave everything as it was: there is nothing to publish."""
        self.is_withdrawn = True


class Session:
    """A connection whose statements are bound, logged and kept for the rendered view of the task.

    Args:
        connection: an open DB-API connection with autocommit off.
        log: statements go here at debug level.
        journal: statements are added to it, for people to read.
    """

    def __init__(self, connection: Connection, log: Log, journal: list[str] | None = None) -> None:
        self.connection = connection
        self.log = log
        self.statements = journal if journal is not None else []
        self._is_open = False
        self._notices: Any = getattr(connection, "notices", [])
        # psycopg keeps none itself.
        if listen := getattr(connection, "add_notice_handler", None):
            listen(lambda notice: self._notices.append(notice.message_primary))

    def execute(self, sql: str, values: Mapping[str, Value] | None = None) -> int:
        """Run one statement and return the number of rows it changed (-1 where the driver does not know)."""
        with self._run(sql, values) as cursor:
            return cursor.rowcount

    def query(self, sql: str, values: Mapping[str, Value] | None = None) -> list[tuple[Any, ...]]:
        """Run one SELECT and return its rows."""
        with self._run(sql, values) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def ask(self, sql: str, values: Mapping[str, Value] | None = None) -> list[tuple[Any, ...]]:
        """Run one SELECT, in a transaction of its own if none is open, and return its rows."""
        return self.ask_named(sql, values)[1]

    def ask_named(
        self, sql: str, values: Mapping[str, Value] | None = None
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Do the same, with column names."""
        with self._alone(), self._run(sql, values) as cursor:
            return [_text(c[0]) for c in cursor.description], [tuple(row) for row in cursor.fetchall()]

    def analyze(self, table: str) -> None:
        """Renew a table's statistics."""
        with self._alone(), self._run(f"ANALYZE {quote_table(table)} PREDICATE COLUMNS"):
            pass

    @contextmanager
    def _alone(self) -> Iterator[None]:
        was_open = self._is_open
        if not was_open:
            self.connection.autocommit = True
        try:
            yield
        finally:
            if not was_open:
                self._is_open = False
                with suppress(Exception):
                    self.connection.autocommit = False

    def scalar(self, sql: str, values: Mapping[str, Value] | None = None) -> Any:  # noqa: ANN401 - a column's type is the query's
        """Run one SELECT and return the first column of its only row."""
        [row] = self.query(sql, values)
        return row[0]

    def columns(self, table: str) -> list[str]:
        """Return the column names of `table` in order."""
        with self._run(f"SELECT * FROM {quote_table(table)} LIMIT 0") as cursor:
            return [_text(column[0]) for column in cursor.description]

    def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> None:
        """Insert `rows` with multi-row statements, a thousand rows at a time.

        Redshift takes at most 32,767 bound values in a statement and is slow at single-row inserts.
        """
        for first in range(0, len(rows), 1000):
            places, values = rows_of_values(rows[first : first + 1000])
            self.execute(
                f"INSERT INTO {quote_table(table)} ({quote_columns(columns)}) VALUES {places}", values
            )

    @contextmanager
    def publishing(self, *tables: str) -> Iterator["Publication"]:
        """Change tables that others read: what happens inside is committed as a whole, or not at all.

        Nothing is read between BEGIN and LOCK: Redshift takes a transaction's snapshot at its first statement
        that reads, and one taken before the lock would let two runs insert the same rows. So what was done
        before is committed first.

        Args:
            *tables: whoever else publishes one of them waits until the end. Statements from elsewhere that
                write the same rows get Redshift's serialization error, or this transaction does.
        """
        self.commit()
        self._lock(tables)
        publication = Publication()
        try:
            yield publication
        except BaseException:
            # The connection may be what failed; then the server undoes it.
            with suppress(Exception):
                self.rollback()
            raise
        if publication.is_withdrawn:
            self.rollback()
        else:
            self.commit()

    def _lock(self, tables: Sequence[str]) -> None:
        """Lock the companions of `tables`, in that order, until the end of the transaction, and begin it.

        LOCK on a table itself would wait for each transaction that has read it, and new readers would wait
        behind the LOCK (Database Developer Guide, "LOCK"). Nobody reads a companion.
        """
        names = [quote_table(_companion(table)) for table in tables]
        locking = "LOCK TABLE " + ", ".join(names)
        try:
            self.execute(locking)
        except Exception as error:
            failure = describe(error)
            if failure is None or failure.sqlstate != _MISSING:
                raise
            self.rollback()
            for name in names:
                self.execute(f"CREATE TABLE IF NOT EXISTS {name} (held BOOLEAN)")
            self.commit()
            self.execute(locking)

    def take_notices(self) -> list[str]:
        """Return what the server has told beside its answers since this was last asked."""
        told = [str(notice) for notice in self._notices]
        self._notices.clear()
        return told

    def commit(self) -> None:
        """Commit what was done since the last commit, if anything was."""
        if self._is_open:
            self.connection.commit()
            self.statements.append("COMMIT")
        self._is_open = False

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        self._is_open = False
        self.connection.rollback()
        self.statements.append("ROLLBACK")

    @contextmanager
    def _run(self, sql: str, values: Mapping[str, Value] | None = None) -> Iterator[Cursor]:
        given = values or {}
        shown = display(sql, given) if len(given) <= 100 else f"{sql[:500]} … ({len(given)} values)"
        self.log.debug("%s", shown)
        self.statements.append(shown)
        self._is_open = True
        cursor: Cursor = self.connection.cursor()
        try:
            execute(cursor, sql, given)
            yield cursor
        finally:
            _close(cursor)


def _close(cursor: Cursor) -> None:
    """Close a cursor without hiding an error of its statement behind one of closing."""
    with suppress(Exception):
        cursor.close()


def _companion(table: str) -> str:
    """Return the table that is locked for `table`; it is made when it is first needed."""
    return "ops.lock_" + table.lower().removeprefix("public.").replace(".", "_")


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
