"""What the mirror has on record of a stretch of a dataset's time: what `hours.find_states` works with."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sparkify_watch.hours import Change, Load, Records, Result, Taking, Version
from sparkify_watch.mirror.schema import moment, stamp

# A table that follows has taken in one of so many changes before, or it has not for so long.
_CHANGES_LOOKED_AT = 2000
_UNRECORDED = "ops.loads"
# As the index of the mirror has it.
_WIDE = "JULIANDAY(window_end) - JULIANDAY(window_start) > 1"
_PASSED_OVER = "status = 'passed' AND checked_at >= ? AND window_start < ? AND window_end > ?"


@dataclass(frozen=True, slots=True)
class Subject:
    """A dataset as its records name it.

    Args:
        name: of the dataset: the checks of its DAGs count.
        staging: the table that its files are staged into window by window.
        targets: the tables that are loaded from it window by window.
        tables: all its tables: whose checks count, whichever DAG asks them.
        key_pattern: of its files, where one is named by its time.
        timeless: the names of checks that look at all rows, whatever the window: their next result stands for
            all time.
    """

    name: str
    staging: str
    targets: Sequence[str]
    tables: Sequence[str]
    key_pattern: str | None = None
    timeless: Collection[str] = ()


def hour_records(db: sqlite3.Connection, subject: Subject, edges: Sequence[datetime]) -> Records:
    """Return what is on record of the time from the first edge to the last.

    Args:
        db: the mirror.
        subject: the dataset.
        edges: the beginnings of its units, and the end of the last.
    """
    ends = (stamp(edges[-1]), stamp(edges[0]))
    return Records(
        staging=subject.staging,
        targets=subject.targets,
        loads=_loads(db, (subject.staging, *subject.targets), ends),
        changes=_changes(db, subject.staging, ends),
        takings=_takings(db, subject.staging, ends),
        followers=_followers(db, subject.staging),
        key_pattern=subject.key_pattern,
        versions=_versions(db, subject, edges[:-1]),
        results=_results(db, subject, ends),
        forgotten_before=_forgotten_before(db, subject.staging),
        unrecorded_before=_forgotten_before(db, _UNRECORDED),
    )


def known_time(db: sqlite3.Connection, staging: str) -> tuple[datetime, datetime] | None:
    """Return the beginnings of the first and of the last window that was staged, or None if none was."""
    first, last = db.execute(
        "SELECT MIN(window_start), MAX(window_start) FROM loads WHERE target_table = ?", (staging,)
    ).fetchone()
    return (_known(first), _known(last)) if first else None


def _loads(db: sqlite3.Connection, tables: Sequence[str], ends: Sequence[Any]) -> list[Load]:
    rows = db.execute(
        f"""
        SELECT load_id, target_table, window_start, window_end, started_at, finished_at
        FROM loads
        WHERE target_table IN ({_places(tables)}) AND window_start < ? AND window_end > ?
        """,
        (*tables, *ends),
    )
    return [Load(load_id, table, *map(_known, times)) for load_id, table, *times in rows]


def _changes(db: sqlite3.Connection, staging: str, ends: Sequence[Any]) -> list[Change]:
    rows = db.execute(
        """
        SELECT changes.load_id, changes.window_start, changes.window_end, loads.finished_at
        FROM changes
        INNER JOIN loads ON changes.load_id = loads.load_id
        WHERE changes.source_table = ? AND changes.window_start < ? AND changes.window_end > ?
        """,
        (staging, *ends),
    )
    return [Change(load_id, *map(_known, times)) for load_id, *times in rows]


def _takings(db: sqlite3.Connection, staging: str, ends: Sequence[Any]) -> list[Taking]:
    rows = db.execute(
        """
        SELECT target_table, change_load_id
        FROM changes_taken
        WHERE change_load_id IN (
            SELECT load_id FROM changes WHERE source_table = ? AND window_start < ? AND window_end > ?
        )
        """,
        (staging, *ends),
    )
    return [Taking(*row) for row in rows]


def _followers(db: sqlite3.Connection, staging: str) -> list[str]:
    rows = db.execute(
        """
        SELECT DISTINCT target_table
        FROM changes_taken
        WHERE change_load_id IN (
            SELECT load_id FROM changes WHERE source_table = ? ORDER BY load_id DESC LIMIT ?
        )
        """,
        (staging, _CHANGES_LOOKED_AT),
    )
    return [str(table) for (table,) in rows]


def _versions(db: sqlite3.Connection, subject: Subject, units: Iterable[datetime]) -> list[Version]:
    """Return of each file its newest version, and the newest that was a file."""
    if subject.key_pattern is None:
        return []
    keys = sorted({unit.strftime(subject.key_pattern) for unit in units})
    rows = db.execute(
        f"""
        SELECT key, etag <> '', MAX(staged_at)
        FROM staged_files
        WHERE dataset = ? AND key IN ({_places(keys)})
        GROUP BY key, etag <> ''
        """,
        (subject.staging, *keys),
    )
    return [Version(key, bool(is_there), _known(staged_at)) for key, is_there, staged_at in rows]


def _results(db: sqlite3.Connection, subject: Subject, ends: Sequence[Any]) -> list[Result]:
    """Return the bad results over this time, and the good ones that came after them."""
    bad = _ask_results(db, subject, "status <> 'passed' AND window_start < ? AND window_end > ?", ends)
    if not bad:
        return []
    names = {result.check.partition(": ")[2] for result in bad}
    timeless = sorted(names & set(subject.timeless))
    first, since = stamp(min(result.start for result in bad)), stamp(min(result.at for result in bad))
    last = stamp(max(result.end for result in bad))
    passed = _passed_there(db, subject, ends)
    passed += _ask_results(db, subject, f"{_WIDE} AND {_PASSED_OVER}", (since, last, first))
    good = f"status = 'passed' AND checked_at >= ? AND check_name IN ({_places(timeless)})"
    for result in _ask_results(db, subject, good, (since, *timeless)):
        passed.append(result._replace(start=_known(first), end=_known(last)))
    return [*bad, *passed]


def _passed_there(db: sqlite3.Connection, subject: Subject, ends: Sequence[Any]) -> list[Result]:
    """Return the good results, over a day at most, that came after bad ones of the same time.

    An index finds where windows begin: for those of a day that tells which can reach into another.
    """
    rows = db.execute(
        f"""
        WITH bad AS (
            SELECT DISTINCT check_key, window_start, window_end, checked_at
            FROM quality_results
            WHERE
                severity = 'error' AND status <> 'passed' AND table_name IN ({_places(subject.tables)})
                AND window_start < ? AND window_end > ?
        )
        SELECT DISTINCT good.check_key, good.window_start, good.window_end, good.checked_at
        FROM bad CROSS JOIN quality_results AS good
        WHERE
            good.check_key = bad.check_key AND good.status = 'passed' AND good.severity = 'error'
            AND good.window_start > DATETIME(bad.window_start, '-1 day')
            AND good.window_start < bad.window_end AND good.window_end > bad.window_start
            AND good.checked_at >= bad.checked_at
        """,
        (*subject.tables, *ends),
    )
    return [Result(check, True, *map(_known, times)) for check, *times in rows]


def _ask_results(
    db: sqlite3.Connection, subject: Subject, condition: str, values: Sequence[Any]
) -> list[Result]:
    rows = db.execute(
        f"""
        SELECT table_name || ': ' || check_name, status = 'passed', window_start, window_end, checked_at
        FROM quality_results
        WHERE
            severity = 'error' AND (owner = ? OR table_name IN ({_places(subject.tables)}))
            AND window_start IS NOT NULL AND {condition}
        """,
        (subject.name, *subject.tables, *values),
    )
    return [Result(check, bool(passed), *map(_known, times)) for check, passed, *times in rows]


def _forgotten_before(db: sqlite3.Connection, table: str) -> datetime | None:
    row = db.execute("SELECT MAX(forgotten_before) FROM retention WHERE dataset = ?", (table,)).fetchone()
    return moment(row[0])


def _known(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "")


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values) or "NULL"
