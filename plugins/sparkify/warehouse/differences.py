"""Differences: the hours in which two tables of the same columns do not hold the same rows."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table
from sparkify.window import Window, in_any


def differing_hours(
    session: Session,
    left: str,
    right: str,
    *,
    columns: Sequence[str],
    time_column: str,
    windows: Sequence[Window],
) -> list[datetime]:
    """Return the beginnings, aware and oldest first, of the hours in which two tables differ.

    Args:
        session: where both can be read.
        left: one table.
        right: the other.
        columns: what is compared; a row that is there twice is another thing than one that is there once.
        time_column: the column that places a row in an hour.
        windows: where to look; at least one.
    """
    names, time = quote_columns(columns), quote_identifier(time_column)
    within, values = in_any(time, windows)
    # Groups, because EXCEPT compares sets.
    left_rows, right_rows = (
        f"SELECT {names}, COUNT(*) AS copies FROM {quote_table(table)} WHERE {within} GROUP BY {names}"
        for table in (left, right)
    )
    rows = session.query(
        f"""
SELECT DISTINCT DATE_TRUNC('hour', {time}) AS hour
FROM (
    SELECT {time} FROM ({left_rows} EXCEPT {right_rows}) AS left_only
    UNION ALL
    SELECT {time} FROM ({right_rows} EXCEPT {left_rows}) AS right_only
) AS differing
ORDER BY hour""",
        values,
    )
    return [hour.replace(tzinfo=UTC) for (hour,) in rows]
