"""The pipeline's records, brought into the mirror: only days that differ are read."""

import math
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from definitions.dataset import Dataset
from sparkify.failures import describe
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, named_values
from sparkify_watch.mirror.copies import COPIES, Copy
from sparkify_watch.mirror.schema import moment, stamp
from sparkify_watch.mirror.store import Store

# What one statement brings at most, so that it ends within its time limit.
_ROWS = 20_000
_DAYS = 200
_COMPARE_SECONDS = 600
_MISSING = {"42P01", "3F000"}

Digests = Mapping[str, tuple[int, int]]
Owners = Callable[[Any], str]


def bring_records(session: Session, store: Store, datasets: Sequence[Dataset]) -> None:
    """Make the copies of the tables of ops what these are; a table that is not there counts as empty."""
    owners = _make_owners(datasets)
    for copy in COPIES:
        _bring_if_changed(session, store, copy, owners)


def _make_owners(datasets: Sequence[Dataset]) -> Owners:
    tables = {table: each.name for each in datasets for table in each.tables}

    def owner(name: Any) -> str:  # noqa: ANN401 - a column's value
        return tables.get(name) or next((d.name for d in datasets if str(name).startswith(f"{d.name}_")), "")

    return owner


def _bring_if_changed(session: Session, store: Store, copy: Copy, owners: Owners) -> None:
    beat = repr(_ask(session, copy.beat))
    now = utc_now()
    with store.reading() as db:
        row = db.execute("SELECT pulse, compared_at FROM pulses WHERE name = ?", (copy.name,)).fetchone()
    if row and row[0] == beat and _is_recent(moment(row[1]), now):
        return
    _Bringing(session, store, copy, owners).run()
    with store.writing() as db:
        db.execute("INSERT OR REPLACE INTO pulses VALUES (?, ?, ?)", (copy.name, beat, stamp(now)))


def _is_recent(compared_at: datetime | None, now: datetime) -> bool:
    return compared_at is not None and (now - compared_at).total_seconds() < _COMPARE_SECONDS


def _ask(session: Session, sql: str, values: Mapping[str, Value] | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of a SELECT, none where its table is missing."""
    try:
        return session.ask(sql, values)
    except Exception as error:
        failure = describe(error)
        if failure is None or failure.sqlstate not in _MISSING:
            raise
        return []


class _Bringing:
    """One table that is brought."""

    def __init__(self, session: Session, store: Store, copy: Copy, owners: Owners) -> None:
        self._session, self._store, self._copy, self._owners = session, store, copy, owners
        self._there: Digests = {}

    def run(self) -> None:
        """Replace the days that differ."""
        self._there = {day: (int(n), int(sum_)) for day, n, sum_ in _ask(self._session, self._copy.digest)}
        here = self._digests()
        if gone := sorted(here.keys() - self._there.keys()):
            self._put(gone, [], replace=True)
        for day in sorted(self._differing(here) & here.keys()):
            if self._there[day][0] > here[day][0]:
                self._add_to(day)
        for days in self._batches(sorted(self._differing(self._digests()))):
            self._replace(days)

    def _digests(self) -> Digests:
        with self._store.reading() as db:
            rows = db.execute(f"SELECT day, COUNT(*), SUM(mark) FROM {self._copy.name} GROUP BY day")
            return {day: (count, added) for day, count, added in rows}

    def _differing(self, here: Digests) -> set[str]:
        return {day for day, digest in self._there.items() if here.get(day) != digest}

    def _batches(self, days: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        for day in days:
            rows = sum(self._there[each][0] for each in [*batch, day])
            if batch and (rows > _ROWS or len(batch) == _DAYS):
                yield batch
                batch = []
            batch.append(day)
        if batch:
            yield batch

    def _add_to(self, day: str) -> None:
        """Bring what came to a day behind what is known of it; whether that was all, the digest tells."""
        column = next(name for name, given in self._copy.columns.items() if given == self._copy.order)
        with self._store.reading() as db:
            last = db.execute(f"SELECT MAX({column}) FROM {self._copy.name} WHERE day = ?", (day,))
            [after] = last.fetchone()
        if self._copy.order == "checked_at":
            after = moment(after)
        behind = f"{self._copy.day} = %(day)s AND {self._copy.order} > %(after)s"
        self._put([day], self._fetch(behind, {"day": day, "after": after}), replace=False)

    def _replace(self, days: Sequence[str]) -> None:
        """Bring the whole of some days: in pieces by mark where one day has more rows than fit."""
        places, values = named_values("day", days)
        rows = sum(self._there[day][0] for day in days)
        found: list[tuple[Any, ...]] = []
        pieces = math.ceil(rows / _ROWS)
        for piece in range(pieces):
            condition = f"{self._copy.day} IN ({places})"
            if pieces > 1:
                condition += f" AND MOD({self._copy.mark}, {pieces}) = {piece}"
            found += self._fetch(condition, values)
        self._put(days, found, replace=True)

    def _fetch(self, condition: str, values: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        return _ask(self._session, f"{self._copy.select} WHERE {condition}", values)

    def _put(self, days: Sequence[str], rows: Sequence[tuple[Any, ...]], *, replace: bool) -> None:
        copy = self._copy
        columns = (*copy.fields, "owner")
        places = ", ".join("?" for _ in columns)
        with self._store.writing() as db:
            if replace:
                db.executemany(f"DELETE FROM {copy.name} WHERE day = ?", [(day,) for day in days])
            db.executemany(
                f"INSERT INTO {copy.name} ({', '.join(columns)}) VALUES ({places})", map(self._row, rows)
            )
            _derive(db, copy.name, days)

    def _row(self, row: Sequence[Any]) -> list[Any]:
        values = [stamp(value) if isinstance(value, datetime) else value for value in row]
        values[-1] = int(values[-1])
        column = self._copy.owned_by
        return [*values, self._owners(values[self._copy.fields.index(column)]) if column else ""]


def _derive(db: sqlite3.Connection, name: str, days: Collection[str]) -> None:
    """Bring up to date what is made from a copy."""
    if name == "loads":
        db.executemany("DELETE FROM load_days WHERE day = ?", [(day,) for day in days])
        db.executemany(LOAD_DAYS, [(day,) for day in days])
    if name in ("loads", "rejected_rows"):
        db.execute(_REJECTED_OF)


LOAD_DAYS = """
INSERT INTO load_days
SELECT
    owner, target_table, day, COUNT(*), SUM(rows_inserted), SUM(rows_deleted), SUM(rows_rejected),
    SUM(files), SUM(bytes), SUM((JULIANDAY(finished_at) - JULIANDAY(started_at)) * 86400)
FROM loads
WHERE day = ?
GROUP BY owner, target_table, day
"""
_REJECTED_OF = """
UPDATE rejected_rows
SET owner = COALESCE((SELECT owner FROM loads WHERE loads.load_id = rejected_rows.load_id), '')
WHERE owner = ''
"""
