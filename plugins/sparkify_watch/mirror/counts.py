"""How many rows the tables have, and how new the newest is."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from definitions.dataset import Dataset
from sparkify.failures import describe
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_identifier, quote_table
from sparkify_watch.mirror.schema import moment, stamp
from sparkify_watch.mirror.store import Store

# A count is renewed when the table was loaded, and after an hour in case that somebody else wrote it; but
# counting never takes more than a twentieth of the time.
_STALE_SECONDS = 3_600
_PAUSE = 20
_MISSING = "42P01"


def count_tables(session: Session, store: Store, datasets: Sequence[Dataset]) -> None:
    """Count the tables that have changed since they were counted."""
    for dataset in datasets:
        columns = time_columns(dataset)
        for table in dataset.tables:
            _count_if_changed(session, store, table, columns.get(table))


def time_columns(dataset: Dataset) -> dict[str, str]:
    """Return the column that places a row in time of each table that has one."""
    staging: Mapping[str, Any] = dataset.files_of_windows
    return {staging["table"]: staging["time_column"]} | dict.fromkeys(
        dataset.window_loads, dataset.window_column
    )


def _count_if_changed(session: Session, store: Store, table: str, column: str | None) -> None:
    with store.reading() as db:
        [last_load] = db.execute("SELECT MAX(load_id) FROM loads WHERE target_table = ?", (table,)).fetchone()
        known = db.execute(
            "SELECT last_load_id, counted_at, seconds FROM tables WHERE name = ?", (table,)
        ).fetchone()
    if known and not _is_due(known[0] != last_load, moment(known[1]), known[2]):
        return
    began = time.monotonic()
    rows, newest = _count(session, table, column)
    with store.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO tables VALUES (?, ?, ?, ?, ?, ?)",
            (table, rows, newest and stamp(newest), stamp(utc_now()), time.monotonic() - began, last_load),
        )


def _is_due(has_changed: bool, counted_at: datetime | None, seconds: float) -> bool:
    if counted_at is None:
        return True
    age = (utc_now() - counted_at).total_seconds()
    return age > (max(seconds * _PAUSE, 0) if has_changed else _STALE_SECONDS)


def _count(session: Session, table: str, column: str | None) -> tuple[int | None, datetime | None]:
    newest = f"MAX({quote_identifier(column)})" if column else "NULL"
    try:
        [(rows, latest)] = session.ask(f"SELECT COUNT(*), {newest} FROM {quote_table(table)}")
    except Exception as error:
        failure = describe(error)
        if failure is None or failure.sqlstate != _MISSING:
            raise
        return None, None
    return int(rows), latest
