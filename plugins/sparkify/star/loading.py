"""Loading: the rows of one SELECT into a fact or dimension table, in one transaction under the table's lock.

The SELECT runs after the lock: what it reads (a staging table) may be changed by another run at any time,
and under the lock every load of a target sees whatever was committed before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sparkify.failures import FatalError
from sparkify.star.audits import Audits, audit_rows
from sparkify.warehouse import ledger
from sparkify.warehouse.ledger import LoadRecord, TaskRun
from sparkify.warehouse.session import Log, Session
from sparkify.warehouse.sql import Value, quote_columns, quote_identifier, quote_table
from sparkify.window import ALL_TIME, Window, without

LoadMode = Literal["window", "append", "replace", "upsert"]

NO_AUDITS = Audits()

# Temp tables shadow permanent ones of the same name.
INCOMING = "sparkify_incoming"
SUPERSEDED = "sparkify_superseded"
CORRECTED = "sparkify_corrected"
LATE_LOADS = "late_loads"


@dataclass(frozen=True, slots=True)
class LateArrivals:
    """How rows that reach a staging table late find the facts that were loaded without them.

    Args:
        select: a SELECT of the `load_id`s whose rows the facts may take in; which of them they have taken in
            is kept in `ops.late_arrivals`.
        update: one UPDATE of the target; it reads the others from the temp table `late_loads`.
    """

    select: str
    update: str


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
    late_arrivals: LateArrivals | None = None
    late_windows_of: str | None = None
    late_windows_after: Sequence[str] = ()

    @property
    def values(self) -> dict[str, Value]:
        """The values that the SELECT may name."""
        return dict(self.window.values) if self.window else {}

    @property
    def temp_tables(self) -> Sequence[str]:
        """The temp tables, with the target's columns, that the load works in."""
        return (INCOMING, SUPERSEDED, CORRECTED) if self.corrects else (INCOMING,)

    @property
    def corrects(self) -> bool:
        """Whether rows may have to be rebuilt from history; see `_correct_superseded`."""
        return bool(self.newer_by and self.window)


def load(session: Session, job: LoadJob, log: Log) -> LoadRecord:
    """Bring the target up to date with the job's SELECT and return what was done.

    Args:
        session: a fresh session.
        job: what to load.
        log: everything unusual.

    Raises:
        FatalError: an audit failed; the table is as it was.
    """
    record = LoadRecord(ledger.new_load_id(), job.run, job.table, ledger.utc_now(), job.window)
    columns = session.columns(job.table)
    for name in job.temp_tables:
        session.execute(f"CREATE TEMP TABLE {name} (LIKE {quote_table(job.table)})")
    if job.late_arrivals:
        session.execute(f"CREATE TEMP TABLE {LATE_LOADS} (load_id VARCHAR(64))")
    session.commit()

    session.lock(job.table)
    record = _load_rows(session, job, columns, record)
    late_loads = _take_in_late_arrivals(session, job, record.load_id, log)
    has_late_windows = _take_in_late_windows(session, job, columns, record, log)
    if not (record.rows_deleted or record.rows_inserted or late_loads or has_late_windows):
        session.rollback()
        log.info("Nothing changed: %s stays as it is.", job.table)
        return record
    ledger.record_load(session, record)
    session.commit()
    return record


def _load_rows(session: Session, job: LoadJob, columns: Sequence[str], record: LoadRecord) -> LoadRecord:
    _select_into(session, INCOMING, columns, job.select, job.values)
    audit_rows(session, INCOMING, job.audits, f"The load of {job.table}")
    deleted, inserted = _MODES[job.mode](session, job, columns)
    return replace(record, rows_deleted=deleted, rows_inserted=inserted)


def _take_in_late_windows(
    session: Session,
    job: LoadJob,
    columns: Sequence[str],
    record: LoadRecord,
    log: Log,
) -> bool:
    """Load the windows that were staged again since they were loaded; return whether there were any."""
    if job.window is None or job.late_windows_of is None:
        return False
    late = ledger.late_windows(session, job.late_windows_of, job.table, job.late_windows_after)
    # Before ops.loads is written, as with late songs: two loads must not meet from both sides.
    ledger.record_late_arrivals(session, job.table, record.load_id, sorted({one.load_id for one in late}))
    for window in without([one.window for one in late], job.window):
        for name in job.temp_tables:
            session.execute(f"DELETE FROM {name}")
        again = LoadRecord(ledger.new_load_id(), job.run, job.table, record.started_at, window)
        # An hour may have become empty; only the run's own window has to have rows.
        audits = replace(job.audits, min_rows=0)
        again = _load_rows(session, replace(job, window=window, audits=audits), columns, again)
        ledger.record_load(session, again)
        counts = (again.rows_inserted, again.rows_deleted)
        log.info("Late data: %s of %s loaded again, %d rows in, %d out.", window, job.table, *counts)
    return bool(late)


def _select_into(
    session: Session, table: str, columns: Sequence[str], select: str, values: dict[str, Value]
) -> int:
    names = quote_columns(columns)
    return session.execute(
        f"INSERT INTO {quote_table(table)} ({names})\nSELECT {names}\nFROM (\n{_body(select)}\n) AS source",
        values,
    )


def _load_window(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
    column = quote_identifier(job.time_column or "")
    outside = session.scalar(
        f"SELECT COUNT(*) FROM {INCOMING} "
        f"WHERE {column} IS NULL OR {column} < %(window_start)s OR {column} >= %(window_end)s",
        job.values,
    )
    if outside:
        raise FatalError(
            f"{outside} rows for {job.table} lie outside the window {job.window} by {job.time_column}: "
            "the SELECT must keep to %(window_start)s and %(window_end)s. The table is as it was."
        )
    deleted = session.execute(
        f"DELETE FROM {quote_table(job.table)} "
        f"WHERE {column} >= %(window_start)s AND {column} < %(window_end)s",
        job.values,
    )
    return deleted, _insert(session, job.table, INCOMING, columns)


def _load_replace(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
    if _same_rows(session, job.table, columns):
        return 0, 0
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)}")
    return deleted, _insert(session, job.table, INCOMING, columns)


def _load_append(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
    return 0, _insert_missing(session, job, columns)


def _load_upsert(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
    corrected = _correct_superseded(session, job, columns) if job.corrects else (0, 0)
    same = _same_key(job, job.table, INCOMING)
    if job.newer_by:
        column = quote_identifier(job.newer_by)
        same += f" AND {INCOMING}.{column} >= {quote_table(job.table)}.{column}"
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)} USING {INCOMING} WHERE {same}")
    return corrected[0] + deleted, corrected[1] + _insert_missing(session, job, columns)


def _correct_superseded(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
    """Rebuild the rows whose newest state came from this window and is no longer in it.

    A source file may be corrected: the event that made a row what it is disappears. Such rows are rebuilt
    from all of history; there are none in an ordinary run, which therefore never reads history.
    """
    target, newest = quote_table(job.table), quote_identifier(job.newer_by or "")
    found = session.execute(
        f"""
INSERT INTO {SUPERSEDED} ({quote_columns(columns)})
SELECT {quote_columns(columns, f"{target}.")}
FROM {target}
LEFT JOIN {INCOMING} ON {_same_key(job, job.table, INCOMING)} AND {INCOMING}.{newest} >= {target}.{newest}
WHERE
    {target}.{newest} >= %(window_start)s AND {target}.{newest} < %(window_end)s
    AND {INCOMING}.{newest} IS NULL""",
        job.values,
    )
    if not found:
        return 0, 0
    keys = _same_key(job, "source", SUPERSEDED)
    everything = f"""
SELECT source.*
FROM (
{_body(job.select)}
) AS source
INNER JOIN {SUPERSEDED} ON {keys}"""
    _select_into(session, CORRECTED, columns, everything, dict(ALL_TIME.values))
    deleted = session.execute(
        f"DELETE FROM {target} USING {SUPERSEDED} WHERE {_same_key(job, job.table, SUPERSEDED)}"
    )
    return deleted, _insert(session, job.table, CORRECTED, columns)


def _take_in_late_arrivals(session: Session, job: LoadJob, load_id: str, log: Log) -> int:
    """Run the late-arrivals UPDATE for the loads that came since it last ran; return how many there were."""
    late = job.late_arrivals
    if late is None:
        return 0
    found = session.execute(
        f"""
INSERT INTO {LATE_LOADS} (load_id)
SELECT loads.load_id
FROM (
{_body(late.select)}
) AS loads
LEFT JOIN ops.late_arrivals
    ON late_arrivals.source_load_id = loads.load_id AND late_arrivals.target_table = %(target)s
WHERE late_arrivals.source_load_id IS NULL""",
        {"target": job.table},
    )
    if not found:
        return 0
    updated = session.execute(late.update, job.values)
    session.execute(
        f"""
INSERT INTO ops.late_arrivals (target_table, source_load_id, load_id)
SELECT CAST(%(target)s AS VARCHAR(128)), {LATE_LOADS}.load_id, CAST(%(load_id)s AS VARCHAR(64))
FROM {LATE_LOADS}""",
        {"target": job.table, "load_id": load_id},
    )
    log.info("%d late loads taken in: %d rows of %s changed.", found, updated, job.table)
    return found


def _insert(session: Session, table: str, source: str, columns: Sequence[str]) -> int:
    names = quote_columns(columns)
    return session.execute(f"INSERT INTO {quote_table(table)} ({names}) SELECT {names} FROM {source}")


def _insert_missing(session: Session, job: LoadJob, columns: Sequence[str]) -> int:
    """Insert the incoming rows whose key the target does not hold."""
    target, key = quote_table(job.table), quote_identifier(job.key_columns[0])
    return session.execute(
        f"""
INSERT INTO {target} ({quote_columns(columns)})
SELECT {quote_columns(columns, f"{INCOMING}.")}
FROM {INCOMING}
LEFT JOIN {target} ON {_same_key(job, job.table, INCOMING)}
WHERE {target}.{key} IS NULL"""
    )


def _body(select: str) -> str:
    """Return a SELECT so that it can stand in parentheses."""
    return select.strip().rstrip(";")


def _same_rows(session: Session, table: str, columns: Sequence[str]) -> bool:
    names, target = quote_columns(columns), quote_table(table)
    # Groups, because EXCEPT compares sets: a row that is there twice must be counted twice.
    counted = f"SELECT {names}, COUNT(*) AS copies FROM {{}} GROUP BY {names}"
    counts = session.query(
        f"""
SELECT
    (SELECT COUNT(*) FROM {INCOMING}) - (SELECT COUNT(*) FROM {target}),
    (SELECT COUNT(*) FROM ({counted.format(INCOMING)} EXCEPT {counted.format(target)}) AS changed)"""
    )
    return counts[0] == (0, 0)


def _same_key(job: LoadJob, left: str, right: str) -> str:
    return " AND ".join(
        f"{quote_table(left)}.{quote_identifier(name)} = {quote_table(right)}.{quote_identifier(name)}"
        for name in job.key_columns
    )


_MODES = {"window": _load_window, "append": _load_append, "replace": _load_replace, "upsert": _load_upsert}
