"""How a target takes the rows of its SELECT, which stand in INCOMING: one function for each mode.

Each returns how many rows left the target and how many came.
"""

from collections.abc import Callable, Mapping, Sequence

from sparkify.failures import FatalError
from sparkify.star.job import CORRECTED, INCOMING, SUPERSEDED, LoadJob
from sparkify.warehouse.retention import check_kept, has_forgotten
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, quote_columns, quote_identifier, quote_table
from sparkify.window import ALL_TIME

Counts = tuple[int, int]


def replace_window(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Mode window: replace the rows of the window.

    Raises:
        FatalError: the SELECT gives rows outside of it.
    """
    column = quote_identifier(job.time_column or "")
    inside = f"{column} >= %(window_start)s AND {column} < %(window_end)s"
    outside = session.scalar(
        f"SELECT COUNT(*) FROM {INCOMING} WHERE {column} IS NULL OR NOT ({inside})", job.values
    )
    if outside:
        raise FatalError(
            f"{outside} rows for {job.table} lie outside the window {job.window} by {job.time_column}: "
            "the SELECT must keep to %(window_start)s and %(window_end)s. The table is as it was."
        )
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)} WHERE {inside}", job.values)
    if deleted:
        check_kept(session, job.table, job.followed, job.window)
    return deleted, _insert(session, job.table, INCOMING, columns)


def replace_all(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Mode replace: the target becomes what the SELECT gives; nothing is written when it is that already."""
    if _same_rows(session, job.table, columns):
        return 0, 0
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)}")
    return deleted, _insert(session, job.table, INCOMING, columns)


def append(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Mode append: add the rows whose key the target does not hold."""
    target, key = quote_table(job.table), quote_identifier(job.key_columns[0])
    inserted = session.execute(
        f"""
INSERT INTO {target} ({quote_columns(columns)})
SELECT {quote_columns(columns, f"{INCOMING}.")}
FROM {INCOMING}
LEFT JOIN {target} ON {job.same_key(job.table, INCOMING)}
WHERE {target}.{key} IS NULL"""
    )
    return 0, inserted


def upsert(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Mode upsert: replace the rows of the same key, unless they are newer, and add the others."""
    corrected = _correct_superseded(session, job, columns) if job.corrects else (0, 0)
    same = job.same_key(job.table, INCOMING)
    if job.newer_by:
        column = quote_identifier(job.newer_by)
        same += f" AND {INCOMING}.{column} >= {quote_table(job.table)}.{column}"
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)} USING {INCOMING} WHERE {same}")
    return corrected[0] + deleted, corrected[1] + append(session, job, columns)[1]


MODES: Mapping[str, Callable[[Session, LoadJob, Sequence[str]], Counts]] = {
    "window": replace_window,
    "append": append,
    "replace": replace_all,
    "upsert": upsert,
}


def select_into(
    session: Session, table: str, columns: Sequence[str], query: str, values: Mapping[str, Value]
) -> int:
    """Insert the rows of a SELECT, its columns taken by their names."""
    names = quote_columns(columns)
    return session.execute(
        f"INSERT INTO {quote_table(table)} ({names})\nSELECT {names}\nFROM (\n{query}\n) AS source", values
    )


def _correct_superseded(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Rebuild the rows whose newest state came from this window and is no longer in it.

    A source file may be corrected: the event that made a row what it is disappears. Such rows are rebuilt
    from all of history; there are none in an ordinary run, which therefore never reads history.
    """
    if not _find_superseded(session, job, columns):
        return 0, 0
    check_kept(session, job.table, job.followed, job.window)
    everything = f"""
SELECT source.*
FROM (
{job.query}
) AS source
INNER JOIN {SUPERSEDED} ON {job.same_key("source", SUPERSEDED)}"""
    select_into(session, CORRECTED, columns, everything, dict(ALL_TIME.values))
    if has_forgotten(session, job.followed):
        kept = f"SELECT 1 FROM {CORRECTED} WHERE {job.same_key(SUPERSEDED, CORRECTED)}"
        session.execute(f"DELETE FROM {SUPERSEDED} WHERE NOT EXISTS ({kept})")
    same = job.same_key(job.table, SUPERSEDED)
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)} USING {SUPERSEDED} WHERE {same}")
    return deleted, _insert(session, job.table, CORRECTED, columns)


def _find_superseded(session: Session, job: LoadJob, columns: Sequence[str]) -> int:
    target, newest = quote_table(job.table), quote_identifier(job.newer_by or "")
    same = job.same_key(job.table, INCOMING)
    return session.execute(
        f"""
INSERT INTO {SUPERSEDED} ({quote_columns(columns)})
SELECT {quote_columns(columns, f"{target}.")}
FROM {target}
LEFT JOIN {INCOMING} ON {same} AND {INCOMING}.{newest} >= {target}.{newest}
WHERE
    {target}.{newest} >= %(window_start)s AND {target}.{newest} < %(window_end)s
    AND {INCOMING}.{newest} IS NULL""",
        job.values,
    )


def _insert(session: Session, table: str, source: str, columns: Sequence[str]) -> int:
    names = quote_columns(columns)
    return session.execute(f"INSERT INTO {quote_table(table)} ({names}) SELECT {names} FROM {source}")


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
