"""Upkeep: VACUUM and ANALYZE of tables of which SVV_TABLE_INFO says that they need it, one after the other.

The rules of these statements, with their sources, are in docs/maintenance.md.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sparkify.failures import FatalError, describe, explain, is_transient
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import named_values, quote_table

_READING = 60_000
_SQLSTATE_NO_RIGHT = "42501"
_NO_RIGHT = (
    "This user may not read SVV_TABLE_INFO, which Redshift shows to superusers and to whom they grant it: "
    'GRANT SELECT ON svv_table_info TO "{user}";'
)


@dataclass(frozen=True, slots=True)
class TableState:
    """What SVV_TABLE_INFO says of a table.

    Args:
        table: its name, as it was asked for.
        rows: those marked for deletion included.
        visible_rows: without them.
        unsorted: percent of the rows; None without a sort key.
        stats_off: how old the statistics are, 0 to 100.
    """

    table: str
    rows: int
    visible_rows: int
    unsorted: float | None
    stats_off: float | None

    @property
    def deleted(self) -> float:
        """Percent of the rows that are marked for deletion."""
        return 100 * max(0, self.rows - self.visible_rows) / self.rows if self.rows else 0.0

    def __str__(self) -> str:
        order = "no sort key" if self.unsorted is None else f"{self.unsorted:g} % unsorted"
        return (
            f"{self.visible_rows:,} rows and {self.rows - self.visible_rows:,} deleted "
            f"({self.deleted:.3g} %), {order}, statistics {self.stats_off or 0:g} % off"
        )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From what on a table is worked on; each in whole percent.

    Args:
        unsorted: more of its rows are unsorted: VACUUM FULL, which takes the deleted ones away, too.
        deleted: more of its rows are deleted ones: VACUUM DELETE ONLY.
        stats_off: its statistics are older: ANALYZE.
        boost: sort with BOOST.
    """

    unsorted: int
    deleted: int
    stats_off: int
    boost: bool = False

    def choose(self, state: TableState) -> list[str]:
        """Return the statements that a table needs.

        VACUUM is given the threshold: its own, 95 percent, may pass over what was chosen here.
        """
        table = quote_table(state.table)
        chosen = []
        if (state.unsorted or 0) > self.unsorted:
            boost = " BOOST" if self.boost else ""
            chosen = [f"VACUUM FULL {table} TO {100 - self.unsorted} PERCENT{boost}"]
        elif state.deleted > self.deleted:
            chosen = [f"VACUUM DELETE ONLY {table} TO {100 - self.deleted} PERCENT"]
        if (state.stats_off or 0) > self.stats_off:
            chosen.append(f"ANALYZE {table}")
        return chosen


@dataclass(slots=True)
class Upkeep:
    """The work on a list of tables, and what came of it.

    Args:
        thresholds: what needs work.
        deadline: on the clock `time.monotonic`; what runs then is ended, the rest is left.
        log: what was found of each table, what was done, and how it is then.
    """

    thresholds: Thresholds
    deadline: float
    log: Log
    done: list[str] = field(default_factory=list)
    tables_done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def keep_up(self, session: Session, tables: Sequence[str]) -> None:
        """Work on every table that needs it, small ones first: a large one can use up only its own time.

        Raises:
            FatalError: the user may not read SVV_TABLE_INFO.
        """
        self.left.clear()
        self.failed.clear()
        # VACUUM cannot run in a transaction block.
        session.commit()
        session.connection.autocommit = True
        self._give_time(session, least=_READING)
        # ANALYZE would pass over a table of which less than a tenth has changed.
        session.execute("SET analyze_threshold_percent TO 0")
        states = read_states(session, tables)
        for state in sorted(states.values(), key=lambda state: state.rows):
            self._work_on(session, state)
        if empty := [table for table in tables if table not in states]:
            self.log.info("Without rows: %s", ", ".join(empty))

    @property
    def problems(self) -> list[str]:
        """What was not done, a line each."""
        return [*self.failed, *(f"{sql}: no time was left" for sql in self.left)]

    def _work_on(self, session: Session, found: TableState) -> None:
        statements = self.thresholds.choose(found)
        self.log.info("%s: %s. %s", found.table, found, "; ".join(statements) or "Nothing to do.")
        for sql in statements:
            if self._milliseconds <= 0 or not self._execute(session, sql):
                self.left.append(sql)
        if not any(sql in self.done for sql in statements):
            return
        self.tables_done.append(found.table)
        now = read_states(session, [found.table]).get(found.table)
        self.log.info("%s is now: %s", found.table, now or "empty")
        self._check_effect(found, now, [sql for sql in statements if sql in self.done])

    def _execute(self, session: Session, sql: str) -> bool:
        """Run a statement and tell whether it came to an end, a good or a bad one, before the deadline."""
        started = time.monotonic()
        self._give_time(session)
        try:
            session.execute(sql)
        except Exception as error:
            if is_transient(error):
                raise
            if self._milliseconds <= 0:
                self.log.warning("%s was ended after %.1f s.", sql, time.monotonic() - started)
                return False
            self.failed.append(explain(error, sql))
            self.log.warning("%s", self.failed[-1])
        else:
            self.done.append(sql)
            self.log.info("%s took %.1f s.", sql, time.monotonic() - started)
        finally:
            self._give_time(session, least=_READING)
        return True

    def _give_time(self, session: Session, least: int = 1) -> None:
        """Let statements run to the deadline, and so many milliseconds at least."""
        session.execute(f"SET statement_timeout TO {max(self._milliseconds, least)}")

    @property
    def _milliseconds(self) -> int:
        """What is left of the time."""
        return int((self.deadline - time.monotonic()) * 1000)

    def _check_effect(self, found: TableState, now: TableState | None, done: Sequence[str]) -> None:
        """Note a VACUUM that changed nothing: without the right to it, it succeeds, too."""
        vacuum = next((sql for sql in done if sql.startswith("VACUUM")), None)
        if vacuum is None or now is None:
            return
        if (now.unsorted or 0) >= (found.unsorted or 0) and now.deleted >= found.deleted:
            self.failed.append(
                f"{vacuum} changed nothing: the table belongs to another user, or a transaction that began "
                "before the rows were deleted is still open (SVV_TRANSACTIONS)."
            )
            self.log.warning("%s", self.failed[-1])


def read_states(session: Session, tables: Sequence[str]) -> dict[str, TableState]:
    """Return what SVV_TABLE_INFO says of those tables that have rows; it leaves out the others.

    Raises:
        FatalError: the user may not read it; the message says what to grant.
    """
    [(current, user)] = session.query("SELECT CURRENT_SCHEMA(), CURRENT_USER")
    places, values = named_values("table", [table.rpartition(".")[2] for table in tables])
    try:
        rows = session.query(
            f"""
            SELECT "schema", "table", tbl_rows, estimated_visible_rows, unsorted, stats_off
            FROM svv_table_info
            WHERE "table" IN ({places})
            """,
            values,
        )
    except Exception as error:
        failure = describe(error)
        if failure and failure.sqlstate == _SQLSTATE_NO_RIGHT:
            raise FatalError(_NO_RIGHT.format(user=user)) from error
        raise
    found = {(schema, table): numbers for schema, table, *numbers in rows}
    names = {table: (table.rpartition(".")[0] or current, table.rpartition(".")[2]) for table in tables}
    return {table: _state(table, *found[name]) for table, name in names.items() if name in found}


def _state(table: str, rows: object, visible: object, unsorted: object, stats_off: object) -> TableState:
    percents = [None if value is None else float(str(value)) for value in (unsorted, stats_off)]
    return TableState(table, int(str(rows or 0)), int(str(visible or 0)), *percents)
