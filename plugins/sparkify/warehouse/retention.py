"""Retention: old rows of staging tables are forgotten, and what is made of them stays.

`ops.retention` says up to when a staging table has forgotten what was staged. No load counts as having staged
such time any more, so that no run looks back at it; a window that a run stages again is there again. Whoever
reads the table asks `forgotten_time` before missing rows are taken for rows that are gone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from sparkify.failures import FatalError, TransientError
from sparkify.warehouse import ledger
from sparkify.warehouse.ledger import LoadRecord, TaskRun
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import Value, named_values, quote_identifier, quote_table
from sparkify.window import ALL_TIME, Window, common, merge, without

FEWEST_DAYS = 92
"""How many days stay at least: loads look back a month at most, at files of a month at most."""

_DAY = timedelta(days=1)
_MARK = "SELECT MAX(forgotten_before) FROM ops.retention WHERE dataset = %(table)s"
_STAGED = (
    "SELECT window_start, window_end FROM ops.loads WHERE target_table = %(table)s "
    "AND window_end > %(window_start)s AND window_start < %(window_end)s"
)
# An hour counts as staged as long as a load has it in its window.
_FORGET_LOADS = """
UPDATE ops.loads
SET
    window_start = CASE WHEN window_end > %(end)s THEN CAST(%(end)s AS TIMESTAMP) END,
    window_end = CASE WHEN window_end > %(end)s THEN window_end END
WHERE target_table = %(table)s AND window_start < %(end)s AND load_id < %(settled)s
"""
NOT_TAKEN = """
FROM ops.changes
INNER JOIN (
    SELECT DISTINCT known.source_table, taken.target_table
    FROM ops.changes AS known
    INNER JOIN ops.changes_taken AS taken ON known.load_id = taken.change_load_id
) AS followers ON changes.source_table = followers.source_table
LEFT JOIN ops.changes_taken AS own
    ON changes.load_id = own.change_load_id AND followers.target_table = own.target_table
WHERE own.change_load_id IS NULL
"""
"""What follows a SELECT of changes that have not reached a table which took in others of the same source."""


class WaitingChangeError(TransientError):
    """Rows to be forgotten have changes that a table has yet to take in; the next run of its DAG does it."""


@dataclass(frozen=True, slots=True)
class StagedTable:
    """A staging table whose old rows may be forgotten.

    Args:
        table: its name, in lower case.
        time_column: the column that places a row in a window.
        key_pattern: names its files; what is forgotten at once is the time of a file, else a day.
    """

    table: str
    time_column: str
    key_pattern: str | None = None

    def period(self, moment: datetime) -> Window:
        """Return the time, forgotten as a whole, in which a moment (naive UTC) lies."""
        hour = moment.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
        day = Window(hour.replace(hour=0), hour.replace(hour=0) + _DAY)
        if self.key_pattern is None:
            return day
        [period] = Window.of_hour(hour).periods(self.key_pattern).values()
        return day if period == ALL_TIME else period


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is to be forgotten of a staging table.

    Args:
        staged: the table.
        before: rows of earlier time, in naive UTC.
        settled: rows staged before that, in naive UTC: those of a window that was loaded again lately stay.
        run: recorded in `ops.loads`, with the number of rows, once for each period.
    """

    staged: StagedTable
    before: datetime
    settled: datetime
    run: TaskRun

    def forget(self, session: Session, log: Log) -> int:
        """Forget rows, oldest first, a file's time in each transaction; return how many there were.

        Raises:
            WaitingChangeError: rows stay because a table has yet to take in changes of them.
        """
        end, rows = self.staged.period(self.before).start, 0
        while (oldest := self._find_oldest(session, end)) is not None:
            period = self.staged.period(oldest)
            count = self._forget_period(session, period)
            log.info("%s: %s forgotten, %d rows.", self.staged.table, period, count)
            rows += count
        log.info("%s: %d rows of before %s forgotten.", self.staged.table, rows, end.date())
        return rows

    def _find_oldest(self, session: Session, end: datetime) -> datetime | None:
        values: dict[str, Value] = {"end": end.replace(tzinfo=None), "settled": first_load_id(self.settled)}
        time, table = quote_identifier(self.staged.time_column), quote_table(self.staged.table)
        oldest: datetime | None = session.scalar(
            f"SELECT MIN({time}) FROM {table} WHERE {time} < %(end)s AND load_id < %(settled)s", values
        )
        return oldest

    def _forget_period(self, session: Session, period: Window) -> int:
        table, time = self.staged.table, quote_identifier(self.staged.time_column)
        end = period.values["window_end"]
        record = LoadRecord(ledger.new_load_id(), self.run, table, ledger.utc_now())
        values: dict[str, Value] = {"table": table, "end": end, "settled": first_load_id(self.settled)}
        with session.publishing(table, ledger.STAGED_FILES):
            _check_waiting(session, table, end)
            rows = session.execute(
                f"DELETE FROM {quote_table(table)} WHERE {time} < %(end)s AND load_id < %(settled)s", values
            )
            session.execute(_FORGET_LOADS, values)
            raise_mark(session, table, end, record.load_id)
            ledger.record_load(session, replace(record, rows_deleted=rows))
        return rows


def first_load_id(moment: datetime) -> str:
    """Return what the ids of loads that began before a moment (naive UTC) are less than."""
    return f"{moment:%Y%m%dT%H%M%S%f}"


def forgotten_time(session: Session, tables: Collection[str], windows: Sequence[Window]) -> list[Window]:
    """Return the time of `windows` of which a staging table has forgotten its rows, oldest first.

    Args:
        session: where `ops` can be read.
        tables: the staging tables.
        windows: what is asked about.
    """
    if not tables or not windows:
        return []
    places, values = named_values("table", list(tables))
    marks = session.query(
        "SELECT dataset, MAX(forgotten_before) FROM ops.retention "
        f"WHERE dataset IN ({places}) GROUP BY dataset",
        values,
    )
    return merge(window for table, end in marks for window in _forgotten_of(session, table, end, windows))


def _forgotten_of(session: Session, table: str, end: datetime, windows: Sequence[Window]) -> list[Window]:
    past = common(windows, [Window(ALL_TIME.start, end.replace(tzinfo=UTC))])
    if not past:
        return []
    staged = session.query(_STAGED, {"table": table, **Window(past[0].start, past[-1].end).values})
    return _minus(past, [Window(*(moment.replace(tzinfo=UTC) for moment in ends)) for ends in staged])


def known_time(session: Session, table: str, windows: Sequence[Window]) -> list[Window]:
    """Return the time of `windows` of which a staging table has not forgotten its rows, oldest first."""
    return _minus(windows, forgotten_time(session, [table], windows))


def _minus(windows: Sequence[Window], taken: Sequence[Window]) -> list[Window]:
    return reduce(without, taken, list(windows))


def check_kept(session: Session, target: str, tables: Collection[str], window: Window | None) -> None:
    """Refuse to take rows that retention has removed from `tables` for rows that are gone from the source.

    Args:
        session: inside the transaction that replaces rows of `target`.
        target: the table, for the message.
        tables: the staging tables that it is made from.
        window: of the rows that are replaced.

    Raises:
        FatalError: some of that time is forgotten; the message says what to do.
    """
    if forgotten := forgotten_time(session, tables, [window] if window else []):
        raise FatalError(
            f"{' and '.join(tables)} no longer hold all rows of {', '.join(map(str, forgotten))}, because "
            f"retention has removed them: {target} was left as it is. To load this window again, run its DAG "
            "from the beginning: the task that stages brings the rows back."
        )


def has_forgotten(session: Session, tables: Collection[str]) -> bool:
    """Tell whether one of the staging tables has ever forgotten rows."""
    places, values = named_values("table", list(tables))
    marks = f"SELECT COUNT(*) FROM ops.retention WHERE dataset IN ({places})"
    return bool(tables) and bool(session.scalar(marks, values))


def _check_waiting(session: Session, table: str, end: datetime) -> None:
    oldest = f"SELECT MIN(changes.window_start) {NOT_TAKEN} AND changes.source_table = %(table)s"
    waiting = session.scalar(oldest, {"table": table})
    if waiting is not None and waiting < end:
        raise WaitingChangeError(
            f"{table} keeps its rows of {waiting.isoformat()} and later, because a table made from it has "
            "yet to take in that these were staged again; the next run of the DAG that loads it does"
        )


def raise_mark(session: Session, table: str, end: datetime, load_id: str) -> None:
    """Note that what was staged into a table of the time before `end` is forgotten.

    Args:
        session: inside the transaction that forgets it.
        table: a staging table; or `ops.loads`, whose records of before `end` are forgotten.
        end: naive UTC; an earlier one than before changes nothing.
        load_id: of what forgets.
    """
    values: dict[str, Value] = {"table": table, "end": end, "load_id": load_id}
    before = session.scalar(_MARK, {"table": table})
    if before is None:
        session.insert_rows(
            "ops.retention", ("dataset", "forgotten_before", "load_id"), [(table, end, load_id)]
        )
    elif before < end:
        session.execute(
            "UPDATE ops.retention SET forgotten_before = %(end)s, load_id = %(load_id)s "
            "WHERE dataset = %(table)s",
            values,
        )
