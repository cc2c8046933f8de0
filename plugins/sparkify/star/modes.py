"""How a target takes the rows of its SELECT, which stand in INCOMING: one function for each mode.

Each returns how many rows left the target and how many came.
"""

from collections.abc import Callable, Mapping, Sequence

from sparkify.star.job import CORRECTED, INCOMING, SUPERSEDED, LoadJob
from sparkify.warehouse.retention import check_kept, has_forgotten
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, quote_columns, quote_identifier, quote_table
from sparkify.window import ALL_TIME

Counts = tuple[int, int]


def replace_window(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Mode window: replace the rows of the window, and what the lookup has of them."""
    deleted = session.execute(f"DELETE FROM {quote_table(job.table)} WHERE {job.inside}", job.values)
    if deleted:
        check_kept(session, job.table, job.followed, job.window)
    inserted = _insert(session, job.table, INCOMING, columns)
    if job.lookup:
        # An hour that had no rows has none there.
        if deleted:
            session.execute(f"DELETE FROM {quote_table(job.lookup.table)} WHERE {job.inside}", job.values)
        session.execute(job.lookup.insert)
    return deleted, inserted


def replace_all(session: Session, job: LoadJob, columns: Sequence[str]) -> Counts:
    """Mode replace: the target becomes what the SELECT gives."""
    if job.has_sure_key:
        return _delete_differing(session, job, columns), append(session, job, columns)[1]
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
    if not _count_superseded(session, job):
        return 0, 0
    check_kept(session, job.table, job.followed, job.window)
    for name in (SUPERSEDED, CORRECTED):
        session.execute(f"DROP TABLE IF EXISTS {name}")
        session.execute(job.copy_of_target(name))
    target, names = quote_table(job.table), quote_columns(columns)
    found = f"SELECT {quote_columns(columns, f'{target}.')}{_superseded(job)}"
    session.execute(f"INSERT INTO {SUPERSEDED} ({names})\n{found}", job.values)
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


def _count_superseded(session: Session, job: LoadJob) -> int:
    return int(session.scalar(f"SELECT COUNT(*){_superseded(job)}", job.values))


def _superseded(job: LoadJob) -> str:
    target, newest = quote_table(job.table), quote_identifier(job.newer_by or "")
    same = job.same_key(job.table, INCOMING)
    return f"""
FROM {target}
LEFT JOIN {INCOMING} ON {same} AND {INCOMING}.{newest} >= {target}.{newest}
WHERE
    {target}.{newest} >= %(window_start)s AND {target}.{newest} < %(window_end)s
    AND {INCOMING}.{newest} IS NULL"""


def _delete_differing(session: Session, job: LoadJob, columns: Sequence[str]) -> int:
    """Delete the rows that the SELECT does not give as they are."""
    names, target = quote_columns(columns), quote_table(job.table)
    session.execute(job.copy_of_target(SUPERSEDED))
    differing = f"SELECT {names} FROM {target} EXCEPT SELECT {names} FROM {INCOMING}"
    session.execute(f"INSERT INTO {SUPERSEDED} ({names})\n{differing}")
    same = job.same_key(job.table, SUPERSEDED)
    return session.execute(f"DELETE FROM {target} USING {SUPERSEDED} WHERE {same}")


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
