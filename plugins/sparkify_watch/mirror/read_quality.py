"""What pages ask the mirror about checks and their results."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby

from sparkify_watch.mirror.read import FIRST, Part, Place, made, part

_HISTORY = 40


@dataclass(frozen=True, slots=True)
class Result:
    """What a check said once: a row of `ops.quality_results`."""

    checked_at: datetime
    dag_id: str
    run_id: str
    task_id: str
    window_start: datetime | None
    window_end: datetime | None
    check_name: str
    check_kind: str
    table_name: str | None
    severity: str
    status: str
    observed: str | None
    expected: str | None
    detail: str | None

    @property
    def key(self) -> str:
        """Which check it is of."""
        return f"{self.table_name or ''}: {self.check_name}"

    @property
    def is_good(self) -> bool:
        """Whether it passed."""
        return self.status == "passed"


@dataclass(frozen=True, slots=True)
class Check:
    """A check and what it said last, newest first; its key has its table, too."""

    key: str
    results: Sequence[Result]

    @property
    def last(self) -> Result:
        """The newest result."""
        return self.results[0]


_RESULT = ", ".join(field.name for field in fields(Result))

# Each step of `keys` finds the next key by the index: as many as there are checks, however many results.
_CHECKS = f"""
WITH RECURSIVE keys (key) AS (
    SELECT MIN(check_key) FROM quality_results WHERE owner = :owner
    UNION ALL
    SELECT (SELECT MIN(check_key) FROM quality_results WHERE owner = :owner AND check_key > keys.key)
    FROM keys
    WHERE keys.key IS NOT NULL
)
SELECT {_RESULT}
FROM keys
INNER JOIN quality_results ON quality_results.id IN (
    SELECT id FROM quality_results
    WHERE owner = :owner AND check_key = keys.key
    ORDER BY checked_at DESC, id DESC LIMIT :history
)
ORDER BY check_key, checked_at DESC, quality_results.id DESC
"""


def checks(db: sqlite3.Connection, owner: str, history: int = _HISTORY) -> list[Check]:
    """Return every check of a dataset with its last results: those that did not pass first."""
    rows = db.execute(_CHECKS, {"owner": owner, "history": history})
    told = groupby((made(Result, row) for row in rows), lambda result: result.key)
    found = [Check(key, list(of_check)) for key, of_check in told]
    return sorted(found, key=lambda check: (check.last.is_good, check.last.severity != "error", check.key))


def results(db: sqlite3.Connection, owner: str, key: str, at: Place = FIRST) -> Part[Result]:
    """Return what a check said, newest first.

    Args:
        db: the mirror.
        owner: the dataset's name.
        key: of the check.
        at: which page of it.
    """
    sql = f"""
        SELECT {_RESULT} FROM quality_results
        WHERE owner = ? AND check_key = ? ORDER BY checked_at DESC, id DESC
    """
    return part(db, sql, [owner, key], Result, at)
