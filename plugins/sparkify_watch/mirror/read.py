"""What pages ask the mirror: every question is bounded, by an index and a limit.

Each takes the connection of `Store.reading`, so that what stands on one page is of one state. Times are naive
UTC.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sparkify_watch.mirror.schema import moment, stamp


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
class TableState:
    """A published table as it was counted last, and the load that was its last."""

    name: str
    rows: int | None
    newest: datetime | None
    counted_at: datetime | None
    last_load: "Load | None"


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


_LOAD = ", ".join(Load.__dataclass_fields__)


def picture(db: sqlite3.Connection) -> Picture:
    """Return how old the mirror is."""
    told = dict(db.execute("SELECT name, value FROM meta").fetchall())
    return Picture(moment(told.get("picture_at")), moment(told.get("tried_at")), told.get("problem", ""))


def table_states(db: sqlite3.Connection, names: Sequence[str]) -> list[TableState]:
    """Return the state of each of the tables, in their order; what was never counted has no numbers."""
    return [_table_state(db, name) for name in names]


def _table_state(db: sqlite3.Connection, name: str) -> TableState:
    row = db.execute(
        "SELECT row_count, newest, counted_at FROM tables WHERE name = ?", (name,)
    ).fetchone() or (None, None, None)
    last = loads(db, [name], limit=1)
    return TableState(name, row[0], moment(row[1]), moment(row[2]), last[0] if last else None)


def loads(
    db: sqlite3.Connection, tables: Sequence[str], *, before: str | None = None, limit: int = 50
) -> list[Load]:
    """Return the newest loads of some tables, newest first.

    Args:
        db: the mirror.
        tables: their targets.
        before: only loads with a lower load id: the last one of the page before.
        limit: how many at most.
    """
    places = ", ".join("?" for _ in tables)
    rows = db.execute(
        f"""
        SELECT {_LOAD} FROM loads
        WHERE target_table IN ({places}) AND load_id < ?
        ORDER BY load_id DESC LIMIT ?
        """,
        (*tables, before or "~", limit),
    )
    return [_load(row) for row in rows]


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
    return [_load(row) for row in rows]


def _load(row: Sequence[Any]) -> Load:
    values = dict(zip(Load.__dataclass_fields__, row, strict=True))
    times = ("window_start", "window_end", "started_at", "finished_at")
    return Load(**values | {name: moment(values[name]) for name in times})
