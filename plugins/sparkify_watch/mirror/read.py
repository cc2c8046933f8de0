"""What pages ask the mirror about its age, the tables and their loads.

Each question takes the connection of `Store.reading`, so that what stands on one page is of one state, and is
bounded by an index and a limit. Times are naive UTC.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from sparkify_watch.mirror.schema import moment, stamp

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Picture:
    """How old the mirror is.

    Args:
        at: when it was what the warehouse says; None before the first time.
        tried_at: when it was last tried to make it newer.
        problem: why it is not newer, or an empty text.
    """

    at: datetime | None
    tried_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class Place:
    """Which page of a long list is wanted: its number, from 1, and how many items are on a page."""

    number: int = 1
    size: int = 50


FIRST = Place()


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """What stands on one page of a long list.

    Args:
        items: these.
        number: of the page, from 1.
        has_more: whether there is a page after it.
    """

    items: Sequence[Item]
    number: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Load:
    """One committed load: a row of `ops.loads`."""

    load_id: str
    dag_id: str
    run_id: str
    task_id: str
    target_table: str
    window_start: datetime | None
    window_end: datetime | None
    rows_deleted: int
    rows_inserted: int
    rows_rejected: int
    files: int
    bytes: int
    started_at: datetime
    finished_at: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class TableState:
    """A table as it was counted last.

    Args:
        name: of the table.
        rows: how many; None where it was never counted or is missing.
        newest: the latest time in it, where it has a column of time.
        counted_at: when.
        loaded_until: the end of the latest window that was loaded into it.
        last_load: the load that was its last.
    """

    name: str
    rows: int | None
    newest: datetime | None
    counted_at: datetime | None
    loaded_until: datetime | None
    last_load: Load | None


@dataclass(frozen=True, slots=True)
class LoadDay:
    """What the loads of a day did to a table."""

    day: datetime
    loads: int
    rows_inserted: int
    rows_deleted: int
    rows_rejected: int
    files: int
    bytes: int
    seconds: float


_RECORDS = ("loads", "staged_files", "quality_results", "changes", "changes_taken", "retention")
_LOAD = ", ".join(field.name for field in fields(Load))


def picture(db: sqlite3.Connection) -> Picture:
    """Return how old the mirror is."""
    told = dict(db.execute("SELECT name, value FROM meta").fetchall())
    return Picture(moment(told.get("picture_at")), moment(told.get("tried_at")), told.get("problem", ""))


def edition(db: sqlite3.Connection) -> tuple[object, ...]:
    """Return what differs whenever the mirror's records do; it costs no more than a look at some ends."""
    [path] = [row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main"]
    pulses = db.execute("SELECT name, pulse, compared_at FROM pulses ORDER BY name").fetchall()
    ends = (db.execute(f"SELECT MAX(ROWID) FROM {name}").fetchone()[0] for name in _RECORDS)
    return (path, *map(tuple, pulses), *ends)


def table_states(db: sqlite3.Connection, names: Sequence[str]) -> list[TableState]:
    """Return the state of each of the tables, in their order; what was never counted has no numbers."""
    rows = db.execute(
        f"""
        WITH names (name) AS (VALUES {", ".join("(?)" for _ in names)})
        SELECT
            names.name, row_count, newest, counted_at,
            (SELECT MAX(window_end) FROM loads WHERE target_table = names.name),
            (SELECT MAX(load_id) FROM loads WHERE target_table = names.name)
        FROM names LEFT JOIN tables USING (name)
        """,
        names,
    ).fetchall()
    last = _loads_by_id(db, [row[5] for row in rows if row[5]])
    states = (
        TableState(name, count, moment(newest), moment(at), moment(until), last.get(load_id))
        for name, count, newest, at, until, load_id in rows
    )
    order = {name: number for number, name in enumerate(names)}
    return sorted(states, key=lambda state: order[state.name])


def _loads_by_id(db: sqlite3.Connection, load_ids: Sequence[str]) -> dict[str, Load]:
    rows = db.execute(f"SELECT {_LOAD} FROM loads WHERE load_id IN ({places(load_ids)})", load_ids)
    return {load.load_id: load for load in (made(Load, row) for row in rows)}


def loads(db: sqlite3.Connection, owner: str, table: str = "", at: Place = FIRST) -> Part[Load]:
    """Return loads of a dataset, newest first.

    Args:
        db: the mirror.
        owner: the dataset's name.
        table: only loads of this one.
        at: which page of them.
    """
    condition, values = (
        ("owner = ? AND target_table = ?", [owner, table]) if table else ("owner = ?", [owner])
    )
    sql = f"SELECT {_LOAD} FROM loads WHERE {condition} ORDER BY load_id DESC"
    return part(db, sql, values, Load, at)


def load_days(db: sqlite3.Connection, owner: str, table: str, days: int) -> list[LoadDay]:
    """Return what loads of a table of a dataset did on each of its last days with loads, oldest first."""
    rows = db.execute(
        """
        SELECT day, loads, rows_inserted, rows_deleted, rows_rejected, files, bytes, seconds
        FROM load_days
        WHERE owner = ? AND target_table = ?
        ORDER BY day DESC LIMIT ?
        """,
        (owner, table, days),
    ).fetchall()
    return [
        LoadDay(datetime.strptime(day, "%Y%m%d"), *more)  # noqa: DTZ007 - naive as all times here
        for day, *more in reversed(rows)
    ]


def loads_of_windows(
    db: sqlite3.Connection, table: str, start: datetime, end: datetime, limit: int = 50_000
) -> list[Load]:
    """Return the loads of a table whose window touches [start, end), oldest window first."""
    rows = db.execute(
        f"""
        SELECT {_LOAD} FROM loads
        WHERE target_table = ? AND window_start < ? AND window_end > ?
        ORDER BY window_start, load_id LIMIT ?
        """,
        (table, stamp(end), stamp(start), limit),
    )
    return [made(Load, row) for row in rows]


def part(
    db: sqlite3.Connection, sql: str, values: Sequence[Any], of: Callable[..., Item], at: Place
) -> Part[Item]:
    """Return one page of what a query gives.

    Args:
        db: the mirror.
        sql: without a limit; its columns are the fields of the class.
        values: of its placeholders.
        of: the data class of its rows.
        at: which page. One row more is asked for, to know whether there is another.
    """
    limits = (at.size + 1, (at.number - 1) * at.size)
    rows = db.execute(f"{sql} LIMIT ? OFFSET ?", (*values, *limits)).fetchall()
    return Part([made(of, row) for row in rows[: at.size]], at.number, len(rows) > at.size)


def made(of: Callable[..., Item], row: Sequence[Any]) -> Item:
    """Return a row as a data class; times of the mirror become times where its fields are."""
    return of(
        *(
            moment(value) if field.type in (datetime, datetime | None) else value
            for field, value in zip(fields(of), row, strict=True)  # type: ignore[arg-type]
        )
    )


def places(values: Sequence[object]) -> str:
    """Return the placeholders of an IN."""
    return ", ".join("?" for _ in values) or "NULL"
