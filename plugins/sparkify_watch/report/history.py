"""What the report asks the mirror: how tables grew, how checks fared, what was rejected."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sparkify_watch.mirror.read import TableState
from sparkify_watch.mirror.schema import moment

_PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Point:
    """How many rows a table held from a moment on."""

    at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a check found."""

    at: datetime
    status: str
    observed: str
    expected: str
    detail: str

    @property
    def is_good(self) -> bool:
        """Whether it passed."""
        return self.status == _PASSED


@dataclass(frozen=True, slots=True)
class CheckHistory:
    """A check of one DAG and its last outcomes, oldest first.

    Args:
        dag_id: the DAG whose runs make it.
        name: of the check.
        table: that it looks at, or an empty text.
        severity: error or warn.
        runs: of all its outcomes.
        failures: those of them that did not pass.
        outcomes: the last ones.
    """

    dag_id: str
    name: str
    table: str
    severity: str
    runs: int
    failures: int
    outcomes: Sequence[Outcome]

    @property
    def last(self) -> Outcome:
        """The newest outcome."""
        return self.outcomes[-1]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row of a source file that was not staged."""

    file: str
    line: int | None
    column: str | None
    value: str | None
    reason: str | None
    table: str | None


def growth(db: sqlite3.Connection, table: TableState, most: int = 120) -> list[Point]:
    """Return how many rows a table held after its loads, oldest first.

    It is reckoned back from what was counted, so that it is right as far as records of loads reach.

    Args:
        db: the mirror.
        table: as it was counted last.
        most: so many moments at most; between two of them are as many loads.
    """
    rows = db.execute(
        """
        SELECT MAX(finished_at), later
        FROM (
            SELECT
                finished_at,
                NTILE(?) OVER (ORDER BY finished_at, load_id) AS stretch,
                COALESCE(SUM(rows_inserted - rows_deleted) OVER (
                    ORDER BY finished_at DESC, load_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), 0) AS later
            FROM loads WHERE target_table = ?
        )
        GROUP BY stretch ORDER BY stretch
        """,
        (most, table.name),
    ).fetchall()
    held = table.rows or 0
    return [Point(at, held - later) for at, later in ((moment(row[0]), row[1]) for row in rows) if at]


def checks(db: sqlite3.Connection, most: int = 48) -> list[CheckHistory]:
    """Return every check and its last outcomes, those that last failed first.

    Args:
        db: the mirror.
        most: so many outcomes of each.
    """
    names = db.execute(
        """
        SELECT dag_id, check_name, COUNT(*), SUM(status <> ?) FROM quality_results
        GROUP BY dag_id, check_name ORDER BY dag_id, check_name
        """,
        (_PASSED,),
    ).fetchall()
    found = []
    for dag_id, name, runs, failures in names:
        table, severity, outcomes = _outcomes(db, dag_id, name, most)
        found.append(CheckHistory(dag_id, name, table, severity, runs, failures, outcomes))
    return sorted(found, key=lambda check: check.last.is_good)


def _outcomes(db: sqlite3.Connection, dag_id: str, name: str, most: int) -> tuple[str, str, list[Outcome]]:
    """Return table and severity of a check, and its last outcomes, oldest first."""
    rows = db.execute(
        """
        SELECT table_name, severity, checked_at, status, observed, expected, detail FROM quality_results
        WHERE dag_id = ? AND check_name = ? ORDER BY checked_at DESC LIMIT ?
        """,
        (dag_id, name, most),
    ).fetchall()
    outcomes = [
        Outcome(datetime.fromisoformat(at), status, observed or "", expected or "", detail or "")
        for _, _, at, status, observed, expected, detail in reversed(rows)
    ]
    return rows[0]["table_name"] or "", rows[0]["severity"], outcomes


def count_rejected(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return how many rows were rejected for each reason, the most frequent first."""
    rows = db.execute(
        "SELECT reason, COUNT(*) FROM rejected_rows GROUP BY reason ORDER BY COUNT(*) DESC, reason"
    )
    return [(reason or "", count) for reason, count in rows]


def rejected(db: sqlite3.Connection, most: int = 100) -> list[Rejected]:
    """Return rejected rows, those of the newest loads first."""
    rows = db.execute(
        """
        SELECT r.file, r.line, r.column_name, r.value, r.reason, l.target_table
        FROM rejected_rows AS r LEFT JOIN loads AS l ON r.load_id = l.load_id
        ORDER BY r.load_id DESC, r.file, r.line LIMIT ?
        """,
        (most,),
    )
    return [Rejected(*row) for row in rows]
