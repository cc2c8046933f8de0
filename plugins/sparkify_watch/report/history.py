"""What the report asks the mirror beside what pages ask it: how tables grew, and why rows were rejected."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from sparkify_watch.mirror.read import TableState
from sparkify_watch.mirror.schema import moment

_MOST_MOMENTS = 120

# Reckoned back from what was counted, so that it is right as far as the records of loads reach. SQLite takes
# `later` from the row that has the MAX.
_GROWTH = """
SELECT MAX(finished_at), later
FROM (
    SELECT
        finished_at,
        NTILE(:moments) OVER (ORDER BY finished_at, load_id) AS stretch,
        COALESCE(SUM(rows_inserted - rows_deleted) OVER (
            ORDER BY finished_at DESC, load_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS later
    FROM loads
    WHERE target_table = :table_name
)
GROUP BY stretch
ORDER BY stretch
"""


def growth(db: sqlite3.Connection, table: TableState) -> Sequence[tuple[datetime, float]]:
    """Return how many rows a table held after its loads, oldest first; of many loads not each is told."""
    if table.rows is None:
        return []
    rows = db.execute(_GROWTH, {"moments": _MOST_MOMENTS, "table_name": table.name})
    # More than there are can only have been removed by what leaves no record.
    held = ((moment(at), max(0, table.rows - later)) for at, later in rows)
    return [(at, float(count)) for at, count in held if at]


def reasons(db: sqlite3.Connection, owner: str) -> list[tuple[str, float]]:
    """Return how many rows of a dataset were rejected for each reason, the most frequent first."""
    rows = db.execute(
        """
        SELECT COALESCE(reason, 'not told'), COUNT(*) FROM rejected_rows WHERE owner = ?
        GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        (owner,),
    )
    return [(reason, float(count)) for reason, count in rows]
